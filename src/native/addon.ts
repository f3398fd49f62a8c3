import { createRequire } from 'node:module';
import type { ContentPlan } from '../policy/application/content-plan.ts';
import type { PatternText } from '../policy/application/pattern-sets.ts';

/** How a queue is opened (native/addon/options.cc). */
export interface HostOptions {
  readonly queue: number;
  readonly lengthMaxPackets: number;
  readonly failOpen: boolean;
  readonly socketBufferBytes?: number;
  readonly injectMark: number;
  readonly flowsMax?: number;
  readonly chunksMax?: number;
  /** The gate whose half-open table the loop shares; absent: one of its own. */
  readonly gate?: number;
}

/** How the gate's queue is opened. */
export interface GateOptions {
  readonly queue: number;
  readonly lengthMaxPackets: number;
  readonly failOpen: boolean;
  readonly socketBufferBytes?: number;
  readonly injectMark: number;
  /** Of packets that come only to be told of (src/netfilter/marks.ts), within the mask; absent: none come. */
  readonly zoneDropMark?: number;
  readonly zonePassMark?: number;
  readonly zoneMarkMask?: number;
  readonly entriesMax?: number;
  readonly hostsMax?: number;
}

/** What the gate carries out (native/engine/gate.h, GateLimits). `Infinity` is unlimited. */
export interface GateLimits {
  readonly halfOpenMax: number;
  readonly hostHalfOpenMax: number;
  readonly aggressive: boolean;
  readonly synwaitMs: number;
  readonly resetOnExpiry: boolean;
  readonly windowScaleLoose: boolean;
  readonly reportDrops: boolean;
  readonly markSession: number;
}

/** What the gate saw since the last sample. Addresses are 4 or 16 octets. */
export interface GateSample {
  readonly halfOpen: number;
  readonly halfOpenPeak: number;
  readonly attempts: number;
  readonly hosts: readonly { readonly address: Uint8Array; readonly halfOpen: number }[];
  readonly drops: readonly GateDrop[];
}

export interface GateDrop {
  /** IP's number; 0: none that could be read. */
  readonly protocol: number;
  /** Accepted and told of (`pass log`). */
  readonly passed: boolean;
  /** Interface indexes; 0 where there is none. */
  readonly inInterface: number;
  readonly outInterface: number;
  readonly sourceAddress: Uint8Array;
  readonly sourcePort: number;
  readonly destinationAddress: Uint8Array;
  readonly destinationPort: number;
  readonly ipIdent: number;
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  /** Index of the counter that names the reason. */
  readonly counter: number;
}

/** A half-open connection as the gate knows it. */
export interface HalfOpenRecord {
  readonly entry: number;
  readonly generation: number;
  readonly initiatorAddress: Uint8Array;
  readonly initiatorPort: number;
  readonly responderAddress: Uint8Array;
  readonly responderPort: number;
  /** The responder has answered with SYN-ACK. */
  readonly answered: boolean;
  readonly createdMsAgo: number;
}

/** What the configuration sets in a packet loop. Times in milliseconds. */
export interface LoopOptions {
  readonly outOfOrderMax: number;
  readonly outOfOrderBytesMax: number;
  readonly reassemblyTimeoutMs: number;
  readonly synwaitMs: number;
  readonly finwaitMs: number;
  readonly idleMs: number;
  readonly heldMs?: number;
  readonly failOpen: boolean;
  readonly offload: boolean;
  readonly windowScaleLoose: boolean;
  readonly reportDrops: boolean;
  /** Connections to ports without a protocol are sessions of `tcp`. */
  readonly genericTcp: boolean;
  /** RST to both ends when the idle time, or finwait, ends a session (cisco-ios 3.5). */
  readonly idleReset: boolean;
  readonly halfCloseReset: boolean;
  readonly blockNonSession: boolean;
  readonly reassemblyAlarm: boolean;
  /** Whether a rule inspects all of UDP, of ICMP. Where none does, what a replay has of it passes unjudged. */
  readonly genericUdp: boolean;
  readonly genericIcmp: boolean;
  readonly udpIdleMs: number;
  readonly icmpIdleMs: number;
  readonly dnsTimeoutMs: number;
  /** Packet mark that becomes a session's opening; 0 where no interface filters. */
  readonly markSession: number;
  readonly markOffloadBoth: number;
  readonly markOffloadResponder: number;
  readonly markClear: number;
  /** By TCP port: the number of its protocol (event-batch.ts, PORT_PROTOCOLS). 65,536 of them. */
  readonly ports: Uint8Array;
}

/** Memory that a worker and its packet loop own together; layout in event-batch.ts. */
export interface SharedBuffers {
  readonly events: ArrayBuffer;
  readonly arena: ArrayBuffer;
  readonly orders: ArrayBuffer;
  readonly orderArena: ArrayBuffer;
}

/** A flow as the packet loop knows it. Addresses are 4 or 16 octets. */
export interface FlowRecord {
  readonly flow: number;
  readonly generation: number;
  readonly protocol: number;
  /** 0 half-open, 1 open, 2 closing, 3 refusing, 4 dead. */
  readonly stage: number;
  readonly initiatorAddress: Uint8Array;
  readonly initiatorPort: number;
  readonly responderAddress: Uint8Array;
  readonly responderPort: number;
  readonly initiatorBytes: number;
  readonly responderBytes: number;
  readonly createdMsAgo: number;
  readonly lastHeardMsAgo: number;
  readonly offloaded: boolean;
  readonly midstream: boolean;
  /** Packets of each side that came to the queue and went on. */
  readonly initiatorPackets: number;
  readonly responderPackets: number;
  /** Segments of TCP whose octets differed from those seen first, and were overwritten or dropped. */
  readonly altered?: number;
  /** Where the first packet came in and went out; 0: the router itself. */
  readonly inInterface: number;
  readonly outInterface: number;
}

/**
 * The binary's surface. A host is a packet loop with its source; it belongs to the process and outlives the worker that
 * serves it. Every function but those marked is for the thread that serves the host. All throw an Error that says why.
 */
export type { ContentPlan, PatternText };

export interface Addon {
  /**
   * Makes a content plan known to the host's packet loop; its number, never 0 and never given again, goes into
   * orders. Throws when a set is unknown or not of its place, and when there are too many plans.
   */
  definePlan(host: number, plan: ContentPlan): number;
  /**
   * Messages under way keep the plan; a session that begins one with it is reset. So: when no session is left that has
   * its number.
   */
  releasePlan(host: number, plan: number): void;
  /** Main thread: binds a queue. Throws when another process owns it (named) or a capability is missing (named). */
  openQueue(options: HostOptions): number;
  /** Opens a capture for replay; with `outPath`, what would have been forwarded is written there. */
  openCapture(path: string, outPath: string | null): number;
  configure(host: number, options: LoopOptions): void;
  /**
   * Main thread, all gate calls: binds the queue of the initial SYNs and starts its thread. Throws as openQueue does.
   */
  openGate(options: GateOptions): number;
  configureGate(gate: number, limits: GateLimits): void;
  sampleGate(gate: number): GateSample;
  /** In the order of counterNames. */
  gateCounters(gate: number): Float64Array;
  /** Drops every SYN toward the address from now on and gives up its half-open connections. */
  blockHost(gate: number, address: Uint8Array): void;
  unblockHost(gate: number, address: Uint8Array): void;
  halfOpen(gate: number, from: number, most: number): readonly HalfOpenRecord[];
  /** Gives up one half-open connection, or with entry -1 all; answers how many there were. */
  clearHalfOpen(gate: number, entry: number, generation: number): number;
  /** What rank its thread was granted. */
  gateRank(gate: number): 'real-time' | 'nice' | 'none';
  /** How long its thread has not come round, less what it waited for the processor. */
  gateHeartbeatAgeMs(gate: number): number;
  closeGate(gate: number): void;
  /** Makes this environment the host's judge. True when sessions of an earlier worker were given up for it. */
  serve(host: number, buffers: SharedBuffers, judge: (events: number) => number): boolean;
  /** Serves until somebody wakes it or the capture ends. Throws when the source or the judge failed for good. */
  run(host: number): 'woken' | 'ended';
  /** Orders outside a batch; false when they were not well formed. */
  applyOrders(host: number, words: Uint32Array): boolean;
  /** Any thread: makes `run` return soon. */
  wake(host: number): void;
  /** Any thread: how long ago `run` last came round. */
  heartbeatAgeMs(host: number): number;
  /** Gives every held packet its verdict and closes the source. Not while another thread serves it. */
  close(host: number): void;
  counterNames(): readonly string[];
  counters(host: number): Float64Array;
  /** At most `most` flows, from flow index `from` on. */
  flows(host: number, from: number, most: number): readonly FlowRecord[];
  /** Packets the kernel lost before they reached us; null when it cannot be read. */
  kernelDrops(queue: number): number | null;
  /** Who serves the queue, in words; null when nobody does. */
  queueOwner(queue: number): string | null;
  /** The name of a network interface of this namespace; null when there is none with this index. */
  interfaceName(index: number): string | null;
  sendDatagram(path: string, text: string): void;
  /** Ranks the calling thread above the rest of the process: what was granted. */
  rankWorkerThread(): 'real-time' | 'nice' | 'none';
}

/** Where the texts come from that patterns are held against (native/core/pattern_set_expression.h). */
export type PatternPlace = 'field' | 'line' | 'body';

/** A set of patterns held by one thread; lives as long as the object does. */
export interface PatternHandle {
  readonly kind: 'patterns';
}

/** Why patterns were refused: which of them, and where in its expression, from 0; null: all, or it is not known. */
export interface PatternRefusal extends Error {
  readonly index: number | null;
  readonly column: number | null;
}

/** Sets of patterns, for any thread. A number stands for a set in all threads of the process. */
export interface PatternAddon {
  /** Compiles off this thread; rejects with a PatternRefusal. */
  compilePatterns(patterns: readonly PatternText[], place: PatternPlace): Promise<number>;
  /** Ids of the patterns that a text of octets has, rising, each once. For checks and shows, not for traffic. */
  matchOnce(set: number, text: string): readonly number[];
  /** Forgets the number. What still scans with the set goes on. */
  releasePatterns(set: number): void;
  /**
   * The set for this thread, with scratch memory. Throws when there is no such set, when it is one for bodies, or
   * without memory.
   */
  usePatterns(set: number): PatternHandle;
  /** Ids of the patterns that a text of octets has, rising, each once. For traffic: fields and lines, not bodies. */
  matchText(patterns: PatternHandle, text: string): readonly number[];
}

const BINARY = '../../build/native/Release/postern.node';

/** Loads the binary that `npm run build:native` made. Throws when it is missing or was built for another Node. */
export function loadAddon(): Addon {
  return createRequire(import.meta.url)(BINARY) as Addon;
}

/** The same binary, for patterns. Throws as loadAddon does. */
export function loadPatterns(): PatternAddon {
  return createRequire(import.meta.url)(BINARY) as PatternAddon;
}
