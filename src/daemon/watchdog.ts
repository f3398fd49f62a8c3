import type { WorkerHealth } from '../firewall/snapshot.ts';

/** A worker that gave no sign of life for so long hangs: it is called hundreds of times a second, packets or not. */
export const WORKER_STALL_MS = 1_000;
/** The main thread may lag behind (a large show), but not for long: it is what replaces a stalled worker. */
export const MAIN_LOOP_STALL_MS = 2_000;

export interface Pulse {
  /** How late the main loop's own timer came. */
  readonly mainLoopLateMs: number;
  /** Workers that ought to serve; a queue without one is stalled too. */
  readonly expectedWorkers: number;
  readonly workers: readonly WorkerHealth[];
}

export interface WatchdogDecision {
  /** Whether systemd is told that all is well. */
  readonly feed: boolean;
  /** Queues whose worker is to be replaced. */
  readonly stalledQueues: readonly number[];
  /** For `systemctl status`, when not fed. */
  readonly because?: string;
}

/** Feeds the watchdog only while the main loop and every worker are alive: either stall alone must get us restarted. */
export function judgePulse(pulse: Pulse): WatchdogDecision {
  const stalledQueues = pulse.workers.filter((worker) => !isAlive(worker)).map((worker) => worker.queue);
  if (stalledQueues.length > 0) {
    return {
      feed: false,
      stalledQueues,
      because: `no sign of life from the worker of queue ${stalledQueues.join(', ')}`,
    };
  }
  if (pulse.workers.length < pulse.expectedWorkers) {
    const count = `${pulse.workers.length} of ${pulse.expectedWorkers}`;
    return { feed: false, stalledQueues, because: `${count} workers are running` };
  }
  if (!(pulse.mainLoopLateMs < MAIN_LOOP_STALL_MS)) {
    return { feed: false, stalledQueues, because: `the main loop is ${Math.round(pulse.mainLoopLateMs)} ms late` };
  }
  return { feed: true, stalledQueues };
}

/** An age that is no number is no sign of life. */
function isAlive(worker: WorkerHealth): boolean {
  return worker.heartbeatAgeMs < WORKER_STALL_MS;
}
