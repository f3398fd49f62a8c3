import { addRecords } from '../engine/tally.ts';
import type { WorkerStatistics } from '../engine/worker-protocol.ts';
import type { Statistics, WorkerHealth } from '../firewall/snapshot.ts';

const SECONDS_A_MINUTE = 60;

/** The creation rate over time: fed once a second with the number of sessions ever created. Pure but for its memory. */
export class CreationRate {
  readonly #totals: number[] = [];
  #lastCreatedAtMs: number | undefined;
  #maxRate = 0;

  sample(created: number, nowMs: number): void {
    const before = this.#totals.at(-1);
    // A cleared counter begins again.
    if (before !== undefined && created < before) this.#totals.length = 0;
    if (created > (this.#totals.at(-1) ?? 0)) this.#lastCreatedAtMs = nowMs;
    this.#totals.push(created);
    if (this.#totals.length > SECONDS_A_MINUTE + 1) this.#totals.shift();
    this.#maxRate = Math.max(this.#maxRate, this.rate());
  }

  /** `clear ip inspect statistics`: counts from nothing again, but still knows when the last session came. */
  clear(): void {
    this.#totals.length = 0;
    this.#maxRate = 0;
  }

  /** Sessions created in the last minute, or since the start if that is shorter. */
  rate(): number {
    const first = this.#totals.length > SECONDS_A_MINUTE ? (this.#totals[0] ?? 0) : 0;
    return (this.#totals.at(-1) ?? 0) - first;
  }

  maxRate(): number {
    return this.#maxRate;
  }

  lastCreatedSecondsAgo(nowMs: number): number | undefined {
    return this.#lastCreatedAtMs === undefined ? undefined : Math.floor((nowMs - this.#lastCreatedAtMs) / 1_000);
  }
}

export interface StatisticsInput {
  readonly workers: readonly WorkerStatistics[];
  readonly health: readonly WorkerHealth[];
  readonly kernelDropped: number;
  readonly rate: CreationRate;
  readonly nowMs: number;
  readonly startedAtMs: number;
  readonly clearedAtMs?: number;
}

/** The workers' counts as one (src/firewall/snapshot.ts). */
export function combineStatistics(input: StatisticsInput): Statistics {
  const sum = input.workers.reduce<WorkerStatistics>(
    (one, other) => ({
      counters: addRecords(one.counters, other.counters),
      refusals: addRecords(one.refusals, other.refusals),
      masks: addRecords(one.masks, other.masks),
    }),
    { counters: {}, refusals: {}, masks: {} },
  );
  const count = (name: string): number => sum.counters[name] ?? 0;
  const lastCreatedSecondsAgo = input.rate.lastCreatedSecondsAgo(input.nowMs);
  return {
    packets: {
      received: count('received'),
      accepted: count('accepted'),
      rewritten: count('rewritten'),
      dropped: count('dropped'),
      held: count('held'),
      kernelDropped: input.kernelDropped,
      injected: count('injected'),
    },
    protocolPackets: {
      tcp: count('smtp-packets') + count('pop3-packets') + count('imap-packets') + count('other-packets'),
      smtp: count('smtp-packets'),
      pop3: count('pop3-packets'),
      imap: count('imap-packets'),
    },
    sessions: {
      established: count('flows-established'),
      halfOpen: count('flows-half-open'),
      terminating: count('flows-terminating'),
      created: count('flows-created'),
      maxEstablished: count('max-established'),
      maxHalfOpen: count('max-half-open'),
      maxTerminating: count('max-terminating'),
      ...(lastCreatedSecondsAgo === undefined ? {} : { lastCreatedSecondsAgo }),
      creationRate: input.rate.rate(),
      maxCreationRate: input.rate.maxRate(),
    },
    reassembly: {
      outOfOrderPackets: count('out-of-order'),
      droppedPackets: count('drop-out-of-order'),
      peakBytes: count('out-of-order-peak-bytes'),
      currentBytes: count('out-of-order-bytes'),
      peakQueueLength: count('out-of-order-peak-queue'),
    },
    refusals: sum.refusals,
    masks: sum.masks,
    netlinkOverruns: count('overruns'),
    aggressive: false,
    workers: input.health,
    startedSecondsAgo: Math.floor((input.nowMs - input.startedAtMs) / 1_000),
    ...(input.clearedAtMs === undefined
      ? {}
      : { clearedSecondsAgo: Math.floor((input.nowMs - input.clearedAtMs) / 1_000) }),
  };
}
