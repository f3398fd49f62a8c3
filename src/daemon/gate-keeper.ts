import { formatAddress, parseAddress } from '../engine/address.ts';
import { isZoneDrop, setCounterNames } from '../engine/endings.ts';
import { countedSince } from '../engine/tally.ts';
import { type HostState, type HostStep, NO_HOSTS, stepHosts, unblockHosts } from '../firewall/host-blocks.ts';
import type { BlockedHost } from '../firewall/snapshot.ts';
import { calmSynsASecond } from '../firewall/syn-proxy.ts';
import {
  initialThresholds,
  publishedRate,
  stepThresholds,
  type ThresholdDecision,
  type ThresholdState,
} from '../firewall/thresholds.ts';
import type { Logger, LogMessage } from '../log/log-message.ts';
import type { Addon, GateDrop, GateLimits, GateOptions, GateSample } from '../native/addon.ts';
import { MARKS } from '../netfilter/marks.ts';
import type { Configuration } from '../policy/configuration.ts';
import { type EffectiveGlobals, effectivePostern } from '../policy/defaults.ts';
import { usesOpenings } from '../policy/openings.ts';
import { gateGlobals } from './gate-limits.ts';
import { gateDropMessage, hostMessage, thresholdMessage } from './gate-messages.ts';
import { floodedHosts } from './half-open-sessions.ts';
import type { SynProxy } from './syn-proxy.ts';
import { zoneMessage } from './zone-told.ts';

/** Twenty times a second: a flood is noticed before it has done harm, and a sample costs some microseconds. */
const SAMPLE_MS = 50;
/** How often aggressive mode is asked whose flood it is. */
const LOOK_MS = 2_000;

export interface GateKeeperOptions {
  readonly addon: Addon;
  readonly logger: Logger;
  /** Mark of accepted SYNs where sessions are openings. */
  readonly markSession: number;
  /** Milliseconds of a clock that is never set back. */
  now(): number;
  /** Aggressive mode began or ended; `hosts` are the servers with most of the half-open sessions. */
  onAggressive?(on: boolean, hosts: readonly string[]): void;
  /** Who may answer in the place of a flooded server; such a one is not blocked. */
  readonly synProxy?: Pick<SynProxy, 'takes' | 'flooded' | 'hosts'>;
  /** The gate cannot be watched any more: the daemon must end, or a flood would meet no decision. */
  onHopeless(detail: string): void;
}

export interface GateCounts {
  /** By native name, of the gate's own queue. */
  readonly counters: Readonly<Record<string, number>>;
  readonly kernelDropped: number;
  readonly halfOpen: number;
  readonly maxHalfOpen: number;
  /** Sessions of any kind that were begun. */
  readonly attempts: number;
  readonly aggressive: boolean;
  readonly oneMinuteRate: number;
  readonly blockedHosts: number;
  /** Servers that the kernel answers for. */
  readonly synProxyHosts: readonly string[];
}

/**
 * Looks after the gate: sets its limits, samples it, asks the rules of src/firewall/ what follows, and carries that
 * out. The gate itself works without it; what it would miss are the decisions.
 */
export class GateKeeper {
  readonly #options: GateKeeperOptions;
  #gate: number | undefined;
  #queue = 0;
  #configuration: Configuration;
  #globals: EffectiveGlobals;
  #thresholds: ThresholdState;
  #hosts: HostState = NO_HOSTS;
  #timer: NodeJS.Timeout | undefined;
  #sample: Pick<GateSample, 'halfOpen'> = { halfOpen: 0 };
  #maxHalfOpen = 0;
  #attempts = 0;
  #looked = { atMs: 0, attempts: 0 };
  #baseline: Readonly<Record<string, number>> = {};

  constructor(options: GateKeeperOptions, configuration: Configuration) {
    this.#options = options;
    this.#configuration = configuration;
    this.#globals = gateGlobals(configuration);
    this.#thresholds = initialThresholds(options.now());
  }

  /** Binds the gate's queue and sets its limits; answers the handle that the workers' queues are opened with. */
  open(options: GateOptions): number {
    const { addon } = this.#options;
    setCounterNames(addon.counterNames());
    const zones = { zoneDropMark: MARKS.zoneDrop, zonePassMark: MARKS.zonePass, zoneMarkMask: MARKS.all };
    const gate = addon.openGate({ ...options, ...zones });
    this.#gate = gate;
    this.#queue = options.queue;
    this.#thresholds = initialThresholds(this.#options.now());
    addon.configureGate(gate, this.#limits());
    return gate;
  }

  /** Begins to sample; the timer keeps no process alive. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), SAMPLE_MS);
    this.#timer.unref();
  }

  /** After the workers: until then they ask the gate about handshakes. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#gate === undefined) return;
    this.#options.addon.closeGate(this.#gate);
    this.#gate = undefined;
  }

  /** New limits hold at once. Without its line the limit of a host blocks nobody any longer (D-23). */
  configure(configuration: Configuration): void {
    this.#configuration = configuration;
    this.#globals = gateGlobals(configuration);
    const { tcpMaxIncompleteHost } = configuration.inspect;
    if (tcpMaxIncompleteHost === undefined && this.#globals.tcpBlockTimeMinutes === 0) this.unblock('all');
    if (this.#gate !== undefined) this.#options.addon.configureGate(this.#gate, this.#limits());
  }

  /** Samples the gate now and carries out what follows. Throws when the gate does. */
  sample(): void {
    if (this.#gate === undefined) return;
    const sample = this.#options.addon.sampleGate(this.#gate);
    const nowMs = this.#options.now();
    this.#sample = { halfOpen: sample.halfOpen };
    this.#maxHalfOpen = Math.max(this.#maxHalfOpen, sample.halfOpenPeak);
    this.#attempts += sample.attempts;
    const { state, decision } = stepThresholds(this.#thresholds, this.#globals, sample, nowMs);
    this.#thresholds = state;
    if (decision !== undefined) this.#turn(decision);
    else this.#lookForFloods(nowMs);
    const reports = sample.hosts.map(({ address }) => formatAddress(address));
    this.#stepHosts(reports, nowMs);
    for (const message of sample.drops.map((drop) => this.#message(drop))) {
      if (message !== undefined) this.#options.logger.log(message);
    }
  }

  #message(drop: GateDrop): LogMessage | undefined {
    if (!drop.passed && !isZoneDrop(drop.counter)) return gateDropMessage(drop);
    const { addon } = this.#options;
    return zoneMessage(this.#configuration, drop, (index) => (index === 0 ? '' : (addon.interfaceName(index) ?? '')));
  }

  counts(): GateCounts {
    const { addon } = this.#options;
    return {
      counters: countedSince(this.#counters(), this.#baseline),
      kernelDropped: addon.kernelDrops(this.#queue) ?? 0,
      halfOpen: this.#sample.halfOpen,
      maxHalfOpen: this.#maxHalfOpen,
      attempts: this.#attempts,
      aggressive: this.#thresholds.aggressive,
      oneMinuteRate: publishedRate(this.#thresholds),
      blockedHosts: this.#hosts.blocks.size,
      synProxyHosts: this.#options.synProxy?.hosts() ?? [],
    };
  }

  /** Half-open TCP sessions in the gate's table at this moment. */
  entries(): number {
    return this.#counters()['flows-half-open'] ?? 0;
  }

  /** `clear ip inspect statistics`: counts begin again, gauges are what they are. */
  clearCounts(): void {
    this.#baseline = this.#counters();
    this.#attempts = 0;
  }

  /** How long the gate's thread has not come round. */
  heartbeatAgeMs(): number {
    return this.#gate === undefined ? Number.NaN : this.#options.addon.gateHeartbeatAgeMs(this.#gate);
  }

  /** The gate's handle, for listing and clearing (half-open-sessions.ts). */
  get gate(): number | undefined {
    return this.#gate;
  }

  blockedHosts(): readonly BlockedHost[] {
    const nowMs = this.#options.now();
    return [...this.#hosts.blocks].map(([address, { sinceMs, untilMs }]) => ({
      address,
      blockedSeconds: Math.floor((nowMs - sinceMs) / 1_000),
      remainingSeconds: Math.max(0, Math.ceil((untilMs - nowMs) / 1_000)),
    }));
  }

  /** Ends the block of a host, in whatever spelling, or all blocks; answers how many there were. */
  unblock(host: string | 'all'): number {
    const octets = parseAddress(host);
    const named = octets === undefined ? [] : [formatAddress(octets)];
    const step = unblockHosts(this.#hosts, host === 'all' ? this.#hosts.blocks.keys() : named);
    this.#carryOut(step);
    return step.decisions.length;
  }

  #tick(): void {
    try {
      this.sample();
    } catch (error) {
      clearInterval(this.#timer);
      const detail = error instanceof Error ? error.message : String(error);
      this.#options.onHopeless(`the gate of queue ${this.#queue} cannot be watched: ${detail}`);
    }
  }

  #counters(): Record<string, number> {
    const { addon } = this.#options;
    const values = this.#gate === undefined ? [] : addon.gateCounters(this.#gate);
    return Object.fromEntries(addon.counterNames().map((name, index) => [name, values[index] ?? 0]));
  }

  #limits(): GateLimits {
    const globals = this.#globals;
    return {
      halfOpenMax: globals.maxIncompleteHigh,
      hostHalfOpenMax: globals.tcpMaxIncompleteHost,
      aggressive: this.#thresholds.aggressive,
      synwaitMs: globals.tcpSynwaitTimeSeconds * 1_000,
      // Failing open, a late ACK would be adopted as a session under way: the server must not be left waiting for one.
      resetOnExpiry: globals.tcpHalfOpenReset || effectivePostern(this.#configuration).fail === 'open',
      windowScaleLoose: globals.windowScaleLoose,
      reportDrops: globals.logDropPackets,
      markSession: usesOpenings(this.#configuration) ? this.#options.markSession : 0,
    };
  }

  /** Where the kernel answers for a server nobody needs to be kept from it: it is told about, and not blocked. */
  #stepHosts(reports: readonly string[], nowMs: number): void {
    const { synProxy } = this.#options;
    const limit = { halfOpenMax: this.#globals.tcpMaxIncompleteHost, blockMinutes: this.#globals.tcpBlockTimeMinutes };
    const taken = reports.filter((host) => synProxy?.takes(host) === true);
    const others = reports.filter((host) => !taken.includes(host));
    this.#carryOut(stepHosts(this.#hosts, limit, others, nowMs));
    if (taken.length === 0) return;
    this.#carryOut(stepHosts(this.#hosts, { ...limit, blockMinutes: 0 }, taken, nowMs));
    synProxy?.flooded(taken);
  }

  #turn(decision: ThresholdDecision): void {
    const { addon, logger, onAggressive } = this.#options;
    const on = decision.kind === 'aggressive';
    if (this.#gate !== undefined) addon.configureGate(this.#gate, this.#limits());
    if (this.#globals.alert) logger.log(thresholdMessage(decision));
    const hosts = on && this.#gate !== undefined ? floodedHosts(addon, this.#gate) : [];
    onAggressive?.(on, hosts);
    if (on) this.#options.synProxy?.flooded(hosts);
    this.#looked = { atMs: this.#options.now(), attempts: this.#attempts };
  }

  /** Aggressive mode may outlast the flood it began with; the flood of another server shows by new sessions. */
  #lookForFloods(nowMs: number): void {
    const { addon, synProxy } = this.#options;
    const elapsedMs = nowMs - this.#looked.atMs;
    if (synProxy === undefined || !this.#thresholds.aggressive || elapsedMs < LOOK_MS) return;
    const attempts = Math.max(0, this.#attempts - this.#looked.attempts);
    this.#looked = { atMs: nowMs, attempts: this.#attempts };
    const isFlood = (attempts * 1_000) / elapsedMs >= calmSynsASecond(this.#globals.oneMinuteLow);
    if (isFlood && this.#gate !== undefined) synProxy.flooded(floodedHosts(addon, this.#gate));
  }

  #carryOut({ state, decisions }: HostStep): void {
    this.#hosts = state;
    for (const decision of decisions) {
      const octets = parseAddress(decision.host);
      if (this.#gate !== undefined && octets !== undefined) {
        if (decision.kind === 'block') this.#options.addon.blockHost(this.#gate, octets);
        if (decision.kind === 'unblock') this.#options.addon.unblockHost(this.#gate, octets);
      }
      if (this.#globals.alert) this.#options.logger.log(hostMessage(decision));
    }
  }
}
