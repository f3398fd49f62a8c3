import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../test/lab/lab.ts';
import { configurationOf, startPostern } from '../test/lab/postern.ts';
import { inRepository } from '../test/lab/repository.ts';

/** What stands in the router while it is measured. */
export interface System {
  /** The process that owns the queue; absent for plain forwarding. */
  readonly pid?: number;
  readonly readyAfterMs?: number;
  stop(): Promise<void>;
}

export type SystemName = 'plain forwarding' | 'do-nothing queue program' | 'Postern';
export const SYSTEM_NAMES: readonly SystemName[] = ['plain forwarding', 'do-nothing queue program', 'Postern'];

const QUEUES = Number(process.env.BENCH_QUEUES ?? 1);
const DO_NOTHING_QUEUE = 0;

/** Every mail protocol inspected; the thresholds of classic IOS would take the bench for an attack. */
const CONFIGURATION = configurationOf(
  ['esmtp', 'pop3', 'imap'],
  ['postern compat defaults modern', `postern queue count ${QUEUES}`],
);

async function startDoNothing(lab: Lab): Promise<System> {
  const { router } = lab;
  const steer = ['FORWARD', '-p', 'tcp', '-m', 'multiport', '--ports', '25,110,143,587'];
  const rule = ['-t', 'mangle', '-A', ...steer, '-j', 'NFQUEUE', '--queue-num', String(DO_NOTHING_QUEUE)];
  const program = router.start([inRepository('build', 'bench', 'do-nothing-queue'), String(DO_NOTHING_QUEUE)]);
  await router.must(['iptables', '-w', ...rule]);
  return {
    pid: program.pid,
    async stop() {
      await router.must(['iptables', '-w', ...rule.map((word) => (word === '-A' ? '-D' : word))]);
      await program.stop();
    },
  };
}

export async function startSystem(name: SystemName, lab: Lab): Promise<System> {
  if (name === 'plain forwarding') return { stop: async () => {} };
  if (name === 'do-nothing queue program') return await startDoNothing(lab);
  const postern = await startPostern({ router: lab.router, folder: join(lab.folder), configuration: CONFIGURATION });
  return {
    pid: postern.pid,
    readyAfterMs: postern.readyAfterMs,
    async stop() {
      await postern.stop();
    },
  };
}

/** User and system time of all threads, in seconds (proc(5): fields 14 and 15 of stat, in hundredths). */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The program's name may hold blanks; fields are counted from behind its closing parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export const cpuSeconds = (system: System): number => (system.pid === undefined ? 0 : cpuSecondsOf(system.pid));

export function peakMegabytes(system: System): number {
  if (system.pid === undefined) return 0;
  const status = readFileSync(`/proc/${system.pid}/status`, 'latin1');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1_024;
}
