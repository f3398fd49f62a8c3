import { setTimeout as delay } from 'node:timers/promises';
import { MAIL_ACCOUNT } from '../test/lab/dovecot.ts';
import { type FloodResult, floodResult, queueStates, startFlood, synReceived } from '../test/lab/flood.ts';
import { ADDRESSES, type Lab } from '../test/lab/lab.ts';
import type { Namespace } from '../test/lab/namespaces.ts';
import { type Running, until } from '../test/lab/process.ts';
import { inRepository } from '../test/lab/repository.ts';
import type { FloodSystem, Guard } from './flood-systems.ts';
import { cpuSecondsOf } from './systems.ts';

/** What is asked while the flood comes; the environment makes a quick run of it. */
export const FLOOD_SIZES = {
  rounds: Number(process.env.FLOOD_ROUNDS ?? 1),
  seconds: Number(process.env.FLOOD_SECONDS ?? 6),
  noopsASecond: Number(process.env.FLOOD_NOOPS ?? 200),
  sessionsASecond: Number(process.env.FLOOD_SESSIONS ?? 5),
} as const;

/** Calm, two paces, and as fast as the sender can. */
export type Level = 'calm' | number | 'full rate';
export const LEVELS: readonly Level[] = ['calm', 50_000, 150_000, 'full rate'];

/**
 * Both ends of the honest sessions stand above everything else of the machine, and the flood's sender above what it
 * floods: in the world outside they have machines of their own, and no router slows its attacker down by being busy.
 */
const ENDPOINT_RANK = ['chrt', '-r', '40'];
const SENDER_RANK = ['chrt', '-r', '30'];
/** From the flood's first SYN to the window that counts. */
const LEAD_MS = 500;
const SETTLED_TIMEOUT_MS = 30_000;

export interface Latency {
  readonly begun: number;
  readonly done: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

/** One level of flood against one system. CPU is in cores, of the processes that own the queues. */
export interface FloodRound {
  readonly flood?: FloodResult;
  readonly established: Latency;
  readonly fresh: Latency;
  readonly mainQueueLost: number;
  readonly gateQueueLost: number;
  readonly synReceived: number;
  readonly cpuCores: number;
}

export const ranked = (argv: readonly string[]): string[] => [...ENDPOINT_RANK, ...argv];

const sender = ({ client }: Lab): Namespace => ({
  ...client,
  start: (argv, options) => client.start([...SENDER_RANK, ...argv], options),
});

/** The server that is flooded. A new one for each level: its backlog goes with it. */
export async function startSink(lab: Lab): Promise<Running> {
  const where = `${ADDRESSES.server.v4}:25`;
  const sink = lab.server.start(ranked(['sh', '-c', `ulimit -n 8192; exec smtp-sink -u nobody ${where} 1024`]));
  await until('smtp-sink', async () =>
    (await lab.server.must(['ss', '-ltnH', 'src', ADDRESSES.server.v4])).includes(':25'),
  );
  return sink;
}

function signalAll(probes: readonly Running[], signal: NodeJS.Signals): void {
  for (const { pid } of probes) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself, and has said why.
    }
  }
}

function startProbes(lab: Lab): readonly [Running, Running] {
  const { user, password } = MAIL_ACCOUNT;
  const host = ADDRESSES.server.v4;
  const program = (name: string) => inRepository('build', 'bench', name);
  const noops = ['110', user, password, String(FLOOD_SIZES.noopsASecond)];
  return [
    lab.client.start(ranked([program('paced-noops'), host, ...noops])),
    lab.client.start(ranked([program('new-sessions'), host, '25', String(FLOOD_SIZES.sessionsASecond)])),
  ];
}

/** A probe that did not even come to its first session has lost it. */
const NO_SESSION: Latency = { begun: 1, done: 0, p50Microseconds: -1, p99Microseconds: -1 };

function latencyOf(output: string): Latency {
  const found = /^(?:asked|begun) (\d+) (?:answered|completed) (\d+) p50 (\S+) p99 (\S+)/m.exec(output);
  if (found === null) {
    process.stdout.write(`a probe said: ${output}\n`);
    return NO_SESSION;
  }
  const [begun, done, p50Microseconds, p99Microseconds] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return { begun, done, p50Microseconds, p99Microseconds };
}

async function lostByQueue(lab: Lab, system: FloodSystem): Promise<{ main: number; gate: number }> {
  const lost = { main: 0, gate: 0 };
  for (const state of await queueStates(lab.router)) {
    lost[state.queue === system.gateQueue ? 'gate' : 'main'] += state.lost;
  }
  return lost;
}

const cpuOf = (guard: Guard) => guard.pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);

/** What a flood leaves behind must not be the next one's: conntrack's entries and packets that wait. */
async function settle(lab: Lab): Promise<void> {
  const empty = async () => (await queueStates(lab.router)).every(({ waiting }) => waiting === 0);
  await until('the queues to empty', empty, SETTLED_TIMEOUT_MS);
  await lab.router.run(['conntrack', '-F']);
}

async function window(lab: Lab, flood: Running | undefined): Promise<number> {
  const halfwayMs = (FLOOD_SIZES.seconds * 1_000) / 2;
  const ended = flood?.exited.then(() => true) ?? new Promise<boolean>(() => {});
  await Promise.race([delay(halfwayMs), ended]);
  const waiting = await synReceived(lab.server);
  await Promise.race([delay(halfwayMs), ended]);
  return waiting;
}

export async function measureLevel(lab: Lab, { system, guard }: Standing, level: Level): Promise<FloodRound> {
  const sink = await startSink(lab);
  const probes = startProbes(lab);
  await Promise.all(probes.map((probe) => probe.waitFor(/ready|no POP3 session/, 20_000)));
  const { seconds } = FLOOD_SIZES;
  const synsASecond = typeof level === 'number' ? level : 0;
  const flood =
    level === 'calm' ? undefined : startFlood(sender(lab), { synsASecond, seconds: seconds + (2 * LEAD_MS) / 1_000 });
  await delay(LEAD_MS);
  const [lostBefore, cpuBefore, startedAt] = [await lostByQueue(lab, system), cpuOf(guard), performance.now()];
  signalAll(probes, 'SIGUSR1');
  const waiting = await window(lab, flood);
  signalAll(probes, 'SIGTERM');
  const cpuCores = (cpuOf(guard) - cpuBefore) / ((performance.now() - startedAt) / 1_000);
  await flood?.stop();
  await Promise.all(probes.map(({ exited }) => exited));
  const lostAfter = await lostByQueue(lab, system);
  await sink.stop();
  await settle(lab);
  const [established, fresh] = probes.map((probe) => latencyOf(probe.output())) as [Latency, Latency];
  return {
    ...(flood === undefined ? {} : { flood: floodResult(flood.output()) }),
    established,
    fresh,
    mainQueueLost: lostAfter.main - lostBefore.main,
    gateQueueLost: lostAfter.gate - lostBefore.gate,
    synReceived: waiting,
    cpuCores,
  };
}

/** A system and what was started for it. */
export interface Standing {
  readonly system: FloodSystem;
  readonly guard: Guard;
}
