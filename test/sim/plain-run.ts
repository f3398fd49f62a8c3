import type { Inspector, Side } from '../../src/inspect/inspector.ts';
import { FakeEngine, type Fate, type LogEntry, type Refusal } from '../transcripts/fake-engine.ts';
import type { Row } from '../transcripts/markdown.ts';

/** What a side sends until the other one speaks, and what each side had got of the other's octets around it. */
export interface Burst {
  readonly from: Side;
  readonly begin: number;
  readonly octets: string;
  readonly receivedBefore: Readonly<Record<Side, number>>;
  readonly receivedAfter: Readonly<Record<Side, number>>;
  /** Some of it is opaque to the engine, which then passes what a retransmission claims. */
  readonly opaque: boolean;
}

/** What the reference engine makes of a dialogue, a line a segment. */
export interface PlainRun {
  readonly bursts: readonly Burst[];
  readonly verdicts: readonly string[];
  readonly fates: Readonly<Record<Side, readonly Fate[]>>;
  readonly sent: Readonly<Record<Side, string>>;
  readonly refusal: Refusal | undefined;
}

export function runPlainly<State, Policy>(
  inspector: Inspector<State, Policy>,
  policy: Policy,
  rows: readonly Row[],
): PlainRun {
  const engine = new FakeEngine(inspector, policy);
  const sent: Record<Side, string> = { initiator: '', responder: '' };
  const bursts: Burst[] = [];
  for (const { from, octets } of joined(rows)) {
    const before = received(engine);
    const wasOpaque = engine.streams[from].mode.kind === 'opaque';
    for (const line of octets.match(/[^\n]*\n|[^\n]+$/g) ?? []) engine.feed(from, line);
    const opaque = wasOpaque || engine.streams[from].mode.kind === 'opaque';
    const after = received(engine);
    bursts.push({ from, begin: sent[from].length, octets, receivedBefore: before, receivedAfter: after, opaque });
    sent[from] += octets;
  }
  const { initiator, responder } = engine.streams;
  return {
    bursts,
    verdicts: engine.log.map(verdictOf),
    fates: { initiator: initiator.fates, responder: responder.fates },
    sent,
    refusal: engine.refusal,
  };
}

function joined(rows: readonly Row[]): Row[] {
  const bursts: Row[] = [];
  for (const { from, octets } of rows) {
    const last = bursts.at(-1);
    if (last?.from === from) bursts[bursts.length - 1] = { from, octets: last.octets + octets };
    else bursts.push({ from, octets });
  }
  return bursts;
}

/** By sender: how many of its octets its peer has got without a gap. */
function received({ streams }: Pick<FakeEngine<unknown, unknown>, 'streams'>): Record<Side, number> {
  const count = (fates: readonly Fate[]): number => {
    const gap = fates.indexOf(undefined);
    return gap < 0 ? fates.length : gap;
  };
  return { initiator: count(streams.initiator.fates), responder: count(streams.responder.fates) };
}

const KINDS: readonly (readonly [prefix: string, kind: string])[] = [
  ['(counted run ends', 'countedEnd'],
  ['(data ends', 'dataEnd'],
  ['(end-of-data look-alike)', 'endOfDataLookAlike'],
  ['(TLS hello)', 'tlsStart'],
  ['(no TLS hello)', 'tlsStart'],
  ['(over budget', 'overBudget'],
];

/** One judged frame as the replay's watcher would tell it; how much of a refused frame had come is left out. */
function verdictOf({ from, what, outcome, refused }: LogEntry): string {
  if (refused) return `${from} refused ${/refuse (\S+)/.exec(outcome)?.[1]}`;
  const kind = KINDS.find(([prefix]) => what.slice(3).startsWith(prefix))?.[1] ?? 'line';
  const verdict = /^(mask|forward)/.exec(outcome)?.[1] ?? 'hold';
  return `${from} ${kind} ${verdict}`;
}
