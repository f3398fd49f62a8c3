import { FLOOD_SIZES, type FloodRound, type Latency, LEVELS, type Level } from './flood-measures.ts';
import { POSTERN, POSTERN_SYN_PROXY } from './flood-systems.ts';
import { machineLine, median, row } from './report.ts';

/** Rounds by system and level; a system that could not be had carries the reason. */
export type FloodResults = ReadonlyMap<string, ReadonlyMap<Level, readonly FloodRound[]> | string>;

/** What issue and design promise, and what was measured. */
export interface Bar {
  readonly promise: string;
  readonly measured: string;
  /** Undefined: nothing was measured. */
  readonly kept: boolean | undefined;
}

/** The established session at this flood is held against calm. */
const BAR_LEVEL: Level = 150_000;
const ESTABLISHED_RATIO_MAX = 2;
const FRESH_SUCCESS_MIN = 0.95;

const milliseconds = (microseconds: number) => (microseconds < 0 ? '-' : (microseconds / 1_000).toFixed(2));
const middle = (rounds: readonly FloodRound[], value: (round: FloodRound) => number) => median(rounds.map(value));
const success = ({ begun, done }: Latency) => (begun === 0 ? Number.NaN : done / begun);
const sum = (rounds: readonly FloodRound[], value: (round: FloodRound) => number) =>
  rounds.reduce((total, round) => total + value(round), 0);
const thousands = (value: number) => `${Math.round(value / 1_000)}k`;

interface Column {
  readonly title: string;
  readonly cell: (rounds: readonly FloodRound[]) => string;
}

const COLUMNS: readonly Column[] = [
  { title: 'SYN/s sent', cell: (rounds) => thousands(middle(rounds, ({ flood }) => flood?.synsASecond ?? 0)) },
  {
    title: 'established p50, ms',
    cell: (rounds) => milliseconds(middle(rounds, (round) => round.established.p50Microseconds)),
  },
  { title: 'p99, ms', cell: (rounds) => milliseconds(middle(rounds, (round) => round.established.p99Microseconds)) },
  {
    title: 'lost',
    cell: (rounds) => String(sum(rounds, ({ established }) => established.begun - established.done)),
  },
  {
    title: 'new sessions complete',
    cell: (rounds) => `${sum(rounds, ({ fresh }) => fresh.done)} of ${sum(rounds, ({ fresh }) => fresh.begun)}`,
  },
  { title: 'p50, ms', cell: (rounds) => milliseconds(middle(rounds, (round) => round.fresh.p50Microseconds)) },
  { title: 'p99, ms', cell: (rounds) => milliseconds(middle(rounds, (round) => round.fresh.p99Microseconds)) },
  { title: 'main queue lost', cell: (rounds) => String(sum(rounds, (round) => round.mainQueueLost)) },
  { title: 'SYN queue lost', cell: (rounds) => String(sum(rounds, (round) => round.gateQueueLost)) },
  { title: 'server SYN-RECV', cell: (rounds) => String(middle(rounds, (round) => round.synReceived)) },
  { title: 'CPU, cores', cell: (rounds) => middle(rounds, (round) => round.cpuCores).toFixed(2) },
];

const levelName = (level: Level) => (typeof level === 'number' ? `${thousands(level)} SYN/s` : level);

export function floodTable(results: FloodResults): string {
  const lines = [
    row(['', 'flood', ...COLUMNS.map(({ title }) => title)]),
    row(['---', '---', ...COLUMNS.map(() => '---')]),
  ];
  for (const [name, levels] of results) {
    if (typeof levels === 'string') {
      lines.push(row([name, `not measured: ${levels}`, ...COLUMNS.map(() => '')]));
      continue;
    }
    for (const level of LEVELS) {
      const rounds = levels.get(level) ?? [];
      if (rounds.length > 0) lines.push(row([name, levelName(level), ...COLUMNS.map(({ cell }) => cell(rounds))]));
    }
  }
  return lines.join('\n');
}

type Levels = ReadonlyMap<Level, readonly FloodRound[]>;

const measuredLevels = (results: FloodResults, name: string): Levels | undefined => {
  const levels = results.get(name);
  return typeof levels === 'string' ? undefined : levels;
};

const allRounds = (levels: Levels) => [...levels.values()].flat();

function queueBar(results: FloodResults, name: string): Bar {
  const promise = `${name}: no packet of the main queue lost`;
  const levels = measuredLevels(results, name);
  if (levels === undefined) return { promise, measured: 'not measured', kept: undefined };
  const lost = sum(allRounds(levels), (round) => round.mainQueueLost);
  return { promise, measured: `${lost} lost`, kept: lost === 0 };
}

function establishedBar(results: FloodResults, name: string): Bar {
  const promise = `${name}: established p50 at ${levelName(BAR_LEVEL)} within ${ESTABLISHED_RATIO_MAX}x of calm`;
  const levels = measuredLevels(results, name);
  const p50 = (level: Level) => middle(levels?.get(level) ?? [], (round) => round.established.p50Microseconds);
  const ratio = p50(BAR_LEVEL) / p50('calm');
  if (Number.isNaN(ratio)) return { promise, measured: 'not measured', kept: undefined };
  const lost = sum(levels?.get(BAR_LEVEL) ?? [], ({ established }) => established.begun - established.done);
  const measured = `${ratio.toFixed(2)}x, ${lost} NOOPs lost`;
  return { promise, measured, kept: ratio > 0 && ratio <= ESTABLISHED_RATIO_MAX && lost === 0 };
}

function freshBar(results: FloodResults): Bar {
  const least = `${FRESH_SUCCESS_MIN * 100} %`;
  const promise = `${POSTERN_SYN_PROXY}: new sessions complete at every flood (${least} at least)`;
  const levels = measuredLevels(results, POSTERN_SYN_PROXY);
  if (levels === undefined) return { promise, measured: 'not measured', kept: undefined };
  const rates = allRounds(levels).map(({ fresh }) => success(fresh));
  const worst = Math.min(...rates);
  return { promise, measured: `${(worst * 100).toFixed(0)} % at the worst`, kept: worst >= FRESH_SUCCESS_MIN };
}

export const barsOf = (results: FloodResults): readonly Bar[] => [
  queueBar(results, POSTERN),
  queueBar(results, POSTERN_SYN_PROXY),
  establishedBar(results, POSTERN),
  establishedBar(results, POSTERN_SYN_PROXY),
  freshBar(results),
];

const verdictOf = ({ kept }: Bar) => (kept === undefined ? 'not measured' : kept ? 'kept' : 'MISSED');

export const barTable = (bars: readonly Bar[]): string =>
  [
    row(['bar', 'measured', '']),
    row(['---', '---', '---']),
    ...bars.map((bar) => row([bar.promise, bar.measured, verdictOf(bar)])),
  ].join('\n');

export function floodPreamble(): string {
  const { rounds, seconds, noopsASecond, sessionsASecond } = FLOOD_SIZES;
  return [
    machineLine(),
    `${rounds === 1 ? '1 round' : `${rounds} rounds`}, ${seconds} s a flood (at most 2,000,000 SYNs), ` +
      `${noopsASecond} NOOPs/s in an established POP3 session, ${sessionsASecond} new SMTP sessions/s.`,
  ].join('  \n');
}
