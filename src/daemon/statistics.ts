import { dropsByMachineName, refusalsOf } from '../engine/endings.ts';
import { addRecords } from '../engine/tally.ts';
import type { WorkerStatistics } from '../engine/worker-protocol.ts';
import type { Statistics, WorkerHealth } from '../firewall/snapshot.ts';
import type { GateCounts } from './gate-keeper.ts';

const SECONDS_A_MINUTE = 60;
const MINUTES_KEPT = 5;

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
    if (this.#totals.length > MINUTES_KEPT * SECONDS_A_MINUTE + 1) this.#totals.shift();
    this.#maxRate = Math.max(this.#maxRate, this.rate());
  }

  /** `clear ip inspect statistics`: counts from nothing again, but still knows when the last session came. */
  clear(): void {
    this.#totals.length = 0;
    this.#maxRate = 0;
  }

  /** Sessions created in the last minute, or since the start if that is shorter. */
  rate(): number {
    return this.#createdIn(SECONDS_A_MINUTE);
  }

  /** Sessions a second, over the last minute and the last five; a time before the start counts as quiet. */
  setupRates(): { readonly oneMinute: number; readonly fiveMinutes: number } {
    const fiveMinutes = MINUTES_KEPT * SECONDS_A_MINUTE;
    return { oneMinute: this.rate() / SECONDS_A_MINUTE, fiveMinutes: this.#createdIn(fiveMinutes) / fiveMinutes };
  }

  maxRate(): number {
    return this.#maxRate;
  }

  lastCreatedSecondsAgo(nowMs: number): number | undefined {
    return this.#lastCreatedAtMs === undefined ? undefined : Math.floor((nowMs - this.#lastCreatedAtMs) / 1_000);
  }

  #createdIn(seconds: number): number {
    const first = this.#totals.length > seconds ? (this.#totals.at(-1 - seconds) ?? 0) : 0;
    return (this.#totals.at(-1) ?? 0) - first;
  }
}

export interface StatisticsInput {
  readonly workers: readonly WorkerStatistics[];
  readonly gate: GateCounts;
  readonly health: readonly WorkerHealth[];
  /** Of the workers' queues. */
  readonly kernelDropped: number;
  readonly rate: CreationRate;
  readonly nowMs: number;
  readonly startedAtMs: number;
  readonly clearedAtMs?: number;
}

/**
 * The workers' counts and the gate's as one (src/firewall/snapshot.ts). Half-open sessions and attempts are the gate's:
 * it knows those of every transport.
 */
export function combineStatistics(input: StatisticsInput): Statistics {
  const { gate } = input;
  const sum = input.workers.reduce<WorkerStatistics>(
    (one, other) => ({
      counters: addRecords(one.counters, other.counters),
      refusals: addRecords(one.refusals, other.refusals),
      masks: addRecords(one.masks, other.masks),
    }),
    { counters: gate.counters, refusals: gateRefusals(gate.counters), masks: {} },
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
      kernelDropped: input.kernelDropped + gate.kernelDropped,
      gateKernelDropped: gate.kernelDropped,
      injected: count('injected'),
    },
    protocolPackets: {
      tcp: count('smtp-packets') + count('pop3-packets') + count('imap-packets') + count('other-packets'),
      smtp: count('smtp-packets'),
      pop3: count('pop3-packets'),
      imap: count('imap-packets'),
      udp: count('udp-packets'),
      icmp: count('icmp-packets'),
    },
    sessions: {
      established: count('flows-established'),
      halfOpen: gate.halfOpen,
      terminating: count('flows-terminating'),
      created: gate.attempts,
      maxEstablished: count('max-established'),
      maxHalfOpen: gate.maxHalfOpen,
      maxTerminating: count('max-terminating'),
      ...(lastCreatedSecondsAgo === undefined ? {} : { lastCreatedSecondsAgo }),
      creationRate: input.rate.rate(),
      maxCreationRate: input.rate.maxRate(),
      setupsAborted: count('half-open-evicted') + count('half-open-expired') + count('half-open-reset'),
      setupRates: input.rate.setupRates(),
      oneMinuteRate: gate.oneMinuteRate,
    },
    reassembly: {
      outOfOrderPackets: count('out-of-order'),
      droppedPackets: count('drop-out-of-order'),
      peakBytes: count('out-of-order-peak-bytes'),
      currentBytes: count('out-of-order-bytes'),
      peakQueueLength: count('out-of-order-peak-queue'),
    },
    refusals: sum.refusals,
    drops: dropsByMachineName(sum.counters),
    masks: sum.masks,
    content: { octets: count('content-octets'), scannedOctets: count('content-scanned-octets') },
    netlinkOverruns: count('overruns'),
    aggressive: gate.aggressive,
    blockedHosts: gate.blockedHosts,
    synProxyHosts: gate.synProxyHosts,
    workers: input.health,
    startedSecondsAgo: Math.floor((input.nowMs - input.startedAtMs) / 1_000),
    ...(input.clearedAtMs === undefined
      ? {}
      : { clearedSecondsAgo: Math.floor((input.nowMs - input.clearedAtMs) / 1_000) }),
  };
}

/** Why the gate refused packets and gave up half-open sessions. */
function gateRefusals(counters: WorkerStatistics['counters']): Record<string, number> {
  const expired = counters['half-open-expired'] ?? 0;
  return addRecords(refusalsOf(counters), expired === 0 ? {} : { 'synwait-timeout': expired });
}
