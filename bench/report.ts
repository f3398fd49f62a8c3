import { cpus, release } from 'node:os';
import { type Round, SIZES } from './measures.ts';
import { SYSTEM_NAMES, type SystemName } from './systems.ts';

export type Results = ReadonlyMap<SystemName, readonly Round[]>;

interface Column {
  readonly title: string;
  readonly digits: number;
  readonly value: (round: Round) => number | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: 'tx/s, one message a connection', digits: 0, value: (round) => round.transactionsASecond },
  { title: 'tx/s, kept connections', digits: 0, value: (round) => round.keptTransactionsASecond },
  { title: '5 MB messages, MB/s', digits: 0, value: (round) => round.megabytesASecond },
  { title: 'judged line p50, µs', digits: 0, value: (round) => round.p50Microseconds },
  { title: 'p99, µs', digits: 0, value: (round) => round.p99Microseconds },
  { title: 'CPU s / 1000 tx', digits: 3, value: (round) => round.cpuSecondsA1000Transactions },
  { title: 'CPU s / GB', digits: 2, value: (round) => round.cpuSecondsAGigabyte },
  { title: 'peak MB', digits: 0, value: (round) => round.peakMegabytes },
  { title: 'ready, ms', digits: 0, value: (round) => round.readyAfterMs },
];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

function valuesOf(results: Results, name: SystemName, column: Column): number[] {
  return (results.get(name) ?? []).map(column.value).filter((value): value is number => value !== undefined);
}

function cell(values: readonly number[], digits: number): string {
  if (values.length === 0) return '-';
  const text = (value: number) => value.toFixed(digits);
  return `${text(median(values))} (${text(Math.min(...values))} to ${text(Math.max(...values))})`;
}

/**
 * Postern against the other: the quotient of the medians. Rounds are interleaved, so that what slows the machine down
 * for a while slows all of them.
 */
function ratioCell(results: Results, other: SystemName, column: Column): string {
  const [ours, theirs] = [valuesOf(results, 'Postern', column), valuesOf(results, other, column)];
  return ours.length === 0 || theirs.length === 0 ? '-' : (median(ours) / median(theirs)).toFixed(2);
}

export const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

export function table(results: Results): string {
  const lines = [
    row(['', ...COLUMNS.map(({ title }) => title)]),
    row(['---', ...COLUMNS.map(() => '---')]),
    ...SYSTEM_NAMES.filter((name) => results.has(name)).map((name) =>
      row([name, ...COLUMNS.map((column) => cell(valuesOf(results, name, column), column.digits))]),
    ),
    ...SYSTEM_NAMES.filter((name) => name !== 'Postern' && results.has(name)).map((name) =>
      row([`Postern : ${name}`, ...COLUMNS.map((column) => ratioCell(results, name, column))]),
    ),
  ];
  return lines.join('\n');
}

/** When and on what it was measured. */
export function machineLine(): string {
  const processors = cpus();
  const machine = `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, Linux ${release()}`;
  return `${new Date().toISOString().slice(0, 10)} · ${machine} · Node ${process.versions.node}`;
}

export function preamble(): string {
  return [
    machineLine(),
    `${SIZES.rounds} interleaved rounds of ${SIZES.transactions} transactions (4 KB, 8 parallel), ` +
      `${SIZES.bulkMessages} messages of 5 MB and ${SIZES.roundTrips} round trips; medians (and ranges).`,
  ].join('  \n');
}

/** The document with what stands between its markers of that name replaced; fails when there are none. */
export function withTable(document: string, text: string, name = 'bench'): string {
  const [first, last] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [begin, end] = [document.indexOf(first), document.indexOf(last)];
  if (begin < 0 || end < begin) throw new Error(`no ${first} … ${last} in the document`);
  return `${document.slice(0, begin + first.length)}\n\n${text}\n\n${document.slice(end)}`;
}
