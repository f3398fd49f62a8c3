import { join } from 'node:path';
import type { Lab } from '../test/lab/lab.ts';
import { configurationOf, startPostern } from '../test/lab/postern.ts';
import { inRepository } from '../test/lab/repository.ts';

/** What stands in the router: the processes that own its queues. */
export interface Guard {
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface Unavailable {
  readonly unavailable: string;
}

/** A guard to be flooded. */
export interface FloodSystem {
  readonly name: string;
  /** Queues that carry initial SYNs only; what is lost there is the flood's. Absent: nothing is queued apart. */
  readonly gateQueue?: number;
  /** Answers why the system cannot be had here, or the system. */
  start(lab: Lab): Promise<Guard | Unavailable>;
}

export const PLAIN = 'plain forwarding';
export const POSTERN = 'Postern';
export const POSTERN_SYN_PROXY = 'Postern, host 50 + syn-proxy';

/** `postern run` binds its first queue for the gate, and serves the workers' behind it. */
const FIRST_QUEUE = 0;
const MAIL_PORTS = '25,110,143,587';

const PROTOCOLS = ['esmtp', 'pop3', 'imap'];
const ONE_QUEUE = 'postern queue count 1';
/** Thresholds of classic IOS: [400:500], host 50. */
const CLASSIC = configurationOf(PROTOCOLS, [ONE_QUEUE]);
const UNLIMITED = configurationOf(PROTOCOLS, ['postern compat defaults modern', ONE_QUEUE]);
const SYN_PROXY = configurationOf(PROTOCOLS, [
  'ip inspect tcp max-incomplete host 50',
  'postern syn-proxy aggressive',
  ONE_QUEUE,
]);

interface FilledQueue {
  readonly queue: number;
  readonly match: readonly string[];
}

/** One do-nothing program a queue, and the rules that fill the queues. */
async function startDoNothing(lab: Lab, queues: readonly FilledQueue[]): Promise<Guard> {
  const { router } = lab;
  const steer = ['FORWARD', '-p', 'tcp', '-m', 'multiport', '--ports', MAIL_PORTS];
  const programs = queues.map(({ queue }) =>
    router.start([inRepository('build', 'bench', 'do-nothing-queue'), String(queue)]),
  );
  const rules = queues.map(({ queue, match }) => [...steer, ...match, '-j', 'NFQUEUE', '--queue-num', String(queue)]);
  await Promise.all(programs.map((program) => program.waitFor(/ready/)));
  for (const rule of rules) await router.must(['iptables', '-w', '-t', 'mangle', '-A', ...rule]);
  const pids = programs.map(({ pid }) => pid);
  return {
    pids,
    async stop() {
      for (const rule of rules) await router.must(['iptables', '-w', '-t', 'mangle', '-D', ...rule]);
      for (const program of programs) await program.stop();
    },
  };
}

async function startConfigured(lab: Lab, configuration: string): Promise<Guard | Unavailable> {
  try {
    const postern = await startPostern({ router: lab.router, folder: join(lab.folder), configuration });
    return {
      pids: [postern.pid],
      async stop() {
        await postern.stop();
      },
    };
  } catch (error) {
    const refusal = /%[^\n]*/.exec(error instanceof Error ? error.message : '');
    // A line that this build does not know is no fault of the bench; a daemon that does not start is.
    if (refusal === null) throw error;
    return { unavailable: refusal[0] };
  }
}

export const FLOOD_SYSTEMS: readonly FloodSystem[] = [
  { name: PLAIN, start: async () => ({ pids: [], stop: async () => {} }) },
  { name: 'do-nothing, one queue', start: (lab) => startDoNothing(lab, [{ queue: FIRST_QUEUE, match: [] }]) },
  {
    name: 'do-nothing, SYNs apart',
    gateQueue: FIRST_QUEUE,
    start: (lab) =>
      startDoNothing(lab, [
        { queue: FIRST_QUEUE, match: ['--syn'] },
        { queue: FIRST_QUEUE + 1, match: ['!', '--syn'] },
      ]),
  },
  { name: POSTERN, gateQueue: FIRST_QUEUE, start: (lab) => startConfigured(lab, CLASSIC) },
  { name: 'Postern, no thresholds', gateQueue: FIRST_QUEUE, start: (lab) => startConfigured(lab, UNLIMITED) },
  { name: POSTERN_SYN_PROXY, gateQueue: FIRST_QUEUE, start: (lab) => startConfigured(lab, SYN_PROXY) },
];
