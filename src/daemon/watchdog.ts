import type { WorkerHealth } from '../firewall/snapshot.ts';

/** A worker that gave no sign of life for so long hangs: it is called hundreds of times a second, packets or not. */
export const WORKER_STALL_MS = 1_000;
/** The gate's thread comes round ten times a second; what it waits for the processor does not count. */
export const GATE_STALL_MS = 5_000;
/** The main thread may lag behind (a large show), but not for long: it is what replaces a stalled worker. */
export const MAIN_LOOP_STALL_MS = 2_000;

export interface Pulse {
  /** How late the main loop's own timer came. */
  readonly mainLoopLateMs: number;
  /** Workers that ought to serve; a queue without one is stalled too. */
  readonly expectedWorkers: number;
  readonly workers: readonly WorkerHealth[];
  /** Since the gate's thread last came round. */
  readonly gateHeartbeatAgeMs: number;
}

export interface WatchdogDecision {
  /** Whether systemd is told that all is well. */
  readonly feed: boolean;
  /** Queues whose worker is to be replaced. */
  readonly stalledQueues: readonly number[];
  /** Nothing replaces a gate that hangs: the daemon must end. */
  readonly gateStalled: boolean;
  /** For `systemctl status`, when not fed. */
  readonly because?: string;
}

/** Feeds the watchdog only while main loop, gate and every worker live: one stall alone must get us restarted. */
export function judgePulse(pulse: Pulse): WatchdogDecision {
  const stalledQueues = pulse.workers.filter((worker) => !isAlive(worker)).map((worker) => worker.queue);
  const gateStalled = !(pulse.gateHeartbeatAgeMs < GATE_STALL_MS);
  const because = whyNotFed(pulse, stalledQueues, gateStalled);
  return { feed: because === undefined, stalledQueues, gateStalled, ...(because === undefined ? {} : { because }) };
}

function whyNotFed(pulse: Pulse, stalledQueues: readonly number[], gateStalled: boolean): string | undefined {
  if (gateStalled) return "no sign of life from the gate's thread";
  if (stalledQueues.length > 0) return `no sign of life from the worker of queue ${stalledQueues.join(', ')}`;
  if (pulse.workers.length < pulse.expectedWorkers) {
    return `${pulse.workers.length} of ${pulse.expectedWorkers} workers are running`;
  }
  if (pulse.mainLoopLateMs < MAIN_LOOP_STALL_MS) return undefined;
  return `the main loop is ${Math.round(pulse.mainLoopLateMs)} ms late`;
}

/** An age that is no number is no sign of life. */
function isAlive(worker: WorkerHealth): boolean {
  return worker.heartbeatAgeMs < WORKER_STALL_MS;
}
