import { smtpSource } from '../test/lab/clients.ts';
import { ADDRESSES, type Lab } from '../test/lab/lab.ts';
import { inRepository } from '../test/lab/repository.ts';
import { cpuSeconds, peakMegabytes, type System } from './systems.ts';

/** Sizes of one round; the environment makes a quick run of it. */
export const SIZES = {
  rounds: Number(process.env.BENCH_ROUNDS ?? 7),
  transactions: Number(process.env.BENCH_TRANSACTIONS ?? 6_000),
  bulkMessages: Number(process.env.BENCH_BULK_MESSAGES ?? 60),
  roundTrips: Number(process.env.BENCH_ROUND_TRIPS ?? 20_000),
} as const;

const MESSAGE_BYTES = 4_096;
const BULK_BYTES = 5_000_000;
const PARALLEL = 8;

/** One round of one system. CPU and memory are the queue process's own; absent under plain forwarding. */
export interface Round {
  readonly transactionsASecond: number;
  readonly keptTransactionsASecond: number;
  readonly megabytesASecond: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
  readonly cpuSecondsA1000Transactions?: number;
  readonly cpuSecondsAGigabyte?: number;
  readonly peakMegabytes?: number;
  readonly readyAfterMs?: number;
}

interface Timed {
  readonly seconds: number;
  readonly cpu: number;
}

async function timed(system: System, work: () => Promise<void>): Promise<Timed> {
  const [startedAt, cpuBefore] = [performance.now(), cpuSeconds(system)];
  await work();
  return { seconds: (performance.now() - startedAt) / 1_000, cpu: cpuSeconds(system) - cpuBefore };
}

async function send(lab: Lab, load: { count: number; bytes: number; parallel: number; keep?: boolean }): Promise<void> {
  const finished = await smtpSource(lab.client, ADDRESSES.sink.v4, load);
  if (finished.code !== 0) throw new Error(`smtp-source: ${finished.stdout}${finished.stderr}`);
}

async function roundTrips(lab: Lab, count: number): Promise<[p50: number, p99: number]> {
  const program = inRepository('build', 'bench', 'ping-pong');
  const output = await lab.client.must([program, ADDRESSES.sink.v4, '25', String(count)], { timeoutMs: 300_000 });
  const [p50, p99] = output.trim().split(' ').map(Number);
  return [p50 ?? Number.NaN, p99 ?? Number.NaN];
}

export async function measure(lab: Lab, system: System): Promise<Round> {
  const { transactions, bulkMessages } = SIZES;
  const small = { count: transactions, bytes: MESSAGE_BYTES, parallel: PARALLEL };
  await send(lab, { ...small, count: Math.ceil(transactions / 10) });
  const single = await timed(system, () => send(lab, small));
  const kept = await timed(system, () => send(lab, { ...small, keep: true }));
  const bulk = await timed(system, () => send(lab, { count: bulkMessages, bytes: BULK_BYTES, parallel: 2 }));
  const [p50Microseconds, p99Microseconds] = await roundTrips(lab, SIZES.roundTrips);
  const bulkBytes = bulkMessages * BULK_BYTES;
  const wire = {
    transactionsASecond: transactions / single.seconds,
    keptTransactionsASecond: transactions / kept.seconds,
    megabytesASecond: bulkBytes / 1e6 / bulk.seconds,
    p50Microseconds,
    p99Microseconds,
  };
  if (system.pid === undefined) return wire;
  return {
    ...wire,
    cpuSecondsA1000Transactions: (single.cpu / transactions) * 1_000,
    cpuSecondsAGigabyte: (bulk.cpu / bulkBytes) * 1e9,
    peakMegabytes: peakMegabytes(system),
    ...(system.readyAfterMs === undefined ? {} : { readyAfterMs: system.readyAfterMs }),
  };
}
