import type { SessionSnapshot, SessionState } from '../firewall/snapshot.ts';
import type { LogMessage } from '../log/log-message.ts';
import type { Addon, FlowRecord, LoopOptions } from '../native/addon.ts';
import { allocateBuffers, OrderWriter, PORT_PROTOCOLS } from '../native/event-batch.ts';
import { type EffectiveGlobals, effectiveGlobals } from '../policy/defaults.ts';
import { formatAddress } from './address.ts';
import { refusalsOf, setCounterNames } from './endings.ts';
import { InspectedSession } from './inspected-session.ts';
import { Judge, type JudgedEvent } from './judge.ts';
import { loopOptions } from './loop-options.ts';
import type { OpenedFlow } from './opening.ts';
import { Places } from './places.ts';
import { transportOf } from './selection.ts';
import { isSessionId, type Session, sessionId } from './session.ts';
import type { SessionLimits } from './session-limits.ts';
import { addRecords, countedSince } from './tally.ts';
import type { WorkerSettings, WorkerStatistics } from './worker-protocol.ts';

export interface EngineOptions {
  readonly addon: Addon;
  readonly host: number;
  readonly worker: number;
  readonly settings: WorkerSettings;
  log(message: LogMessage): void;
  observe?(event: JudgedEvent): void;
  /** Asked before a session opens, told when it is over (`sessions maximum`); absent: none is too many. */
  readonly limits?: SessionLimits;
}

const FLOWS_A_CALL = 1_024;
const CLEAR_WORDS = 3;
/** What `show` says of a flow whose dialogue is over, by the loop's number. */
const ENDED_STAGES: ReadonlyMap<number, string> = new Map([
  [3, 'refused'],
  [4, 'closed'],
]);
const SESSION_STATES: readonly SessionState[] = ['SIS_OPENING', 'SIS_OPEN', 'SIS_CLOSING', 'SIS_CLOSED', 'SIS_CLOSED'];

/** A packet loop with its judge: what one worker, or a replay, runs. */
export class PacketEngine {
  /** True when sessions of an earlier worker were given up. */
  readonly tookOver: boolean;
  readonly #options: EngineOptions;
  readonly #judge: Judge;
  #places: Places;
  #settings: WorkerSettings;
  #baseline: WorkerStatistics | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#places = new Places(options.addon, options.settings);
    setCounterNames(options.addon.counterNames());
    const buffers = allocateBuffers();
    this.#judge = new Judge(buffers, new OrderWriter(buffers), {
      open: (flow) => this.#open(flow),
      closed: (session) => this.#closed(session),
      log: options.log,
      logsDrops: () => this.#globals().logDropPackets,
      alerts: () => this.#globals().alert,
      ...(options.observe === undefined ? {} : { observe: options.observe }),
    });
    options.addon.configure(options.host, this.#loopOptions(options.settings));
    this.tookOver = options.addon.serve(options.host, buffers, (events) => this.#judge.judge(events));
  }

  /** Whether `observe` is called. Nobody listens most of the time, and telling costs. */
  watch(on: boolean): void {
    if (on === this.#judge.watching) return;
    this.#judge.watching = on;
    this.#options.addon.configure(this.#options.host, this.#loopOptions(this.#settings));
  }

  run(): 'woken' | 'ended' {
    return this.#options.addon.run(this.#options.host);
  }

  /** New policy for sessions that begin from now on; those under way keep theirs. */
  configure(settings: WorkerSettings): void {
    this.#settings = settings;
    this.#places = new Places(this.#options.addon, settings);
    this.#options.addon.configure(this.#options.host, this.#loopOptions(settings));
  }

  sessions(): SessionSnapshot[] {
    return this.#flows().map((flow) => this.#snapshot(flow));
  }

  statistics(): WorkerStatistics {
    const now = this.#totals();
    if (this.#baseline === undefined) return now;
    return subtract(now, this.#baseline);
  }

  /** Counts begin again; gauges and the native counters go on underneath. */
  clearStatistics(): void {
    this.#baseline = this.#totals();
  }

  /** Resets the session with this id, or all; answers how many there were. */
  clearSessions(id: string): number {
    const { addon, host, worker } = this.#options;
    const chosen = this.#flows().filter(
      (flow) => flow.stage < 3 && (id === 'all' || isSessionId(id, worker, flow.flow, flow.generation)),
    );
    for (const flow of chosen) {
      const orders = new ArrayBuffer(CLEAR_WORDS * Uint32Array.BYTES_PER_ELEMENT);
      new OrderWriter({ orders, orderArena: new ArrayBuffer(0) }).end(flow.flow, 'cleared');
      addon.applyOrders(host, new Uint32Array(orders));
    }
    return chosen.length;
  }

  close(): void {
    this.#options.addon.close(this.#options.host);
  }

  #open(flow: OpenedFlow): Session | undefined {
    const place = this.#places.at(flow);
    if (place === undefined) return undefined;
    const session = new InspectedSession(this.#options.worker, place, flow);
    if (this.#options.limits?.open(place.rule) === false) session.refusedFor = 'session-limit';
    return session;
  }

  #globals(): EffectiveGlobals {
    return effectiveGlobals(this.#settings.configuration);
  }

  #closed(session: Session): void {
    // One that the limit refused was never counted.
    if (session.refusedFor !== 'session-limit') this.#options.limits?.close(session.rule);
  }

  #flows(): FlowRecord[] {
    const { addon, host } = this.#options;
    const all: FlowRecord[] = [];
    for (let from = 0; ; from = (all.at(-1)?.flow ?? 0) + 1) {
      const part = addon.flows(host, from, FLOWS_A_CALL);
      all.push(...part);
      if (part.length < FLOWS_A_CALL) return all;
    }
  }

  #loopOptions(settings: WorkerSettings): LoopOptions {
    const options = loopOptions(settings);
    // Who watches sees dropped packets, whether they are logged or not.
    return this.#judge.watching ? { ...options, reportDrops: true } : options;
  }

  #snapshot(flow: FlowRecord): SessionSnapshot {
    const session = this.#judge.session(flow.flow, flow.generation);
    const protocol = session?.protocol ?? PORT_PROTOCOLS[flow.protocol] ?? 'none';
    const transport = protocol === 'none' ? 'tcp' : transportOf(protocol);
    const list = session instanceof InspectedSession ? session.place.returnList : undefined;
    return {
      id: sessionId(this.#options.worker, flow.flow, flow.generation),
      protocol,
      state: SESSION_STATES[flow.stage] ?? 'SIS_CLOSED',
      stage: ENDED_STAGES.get(flow.stage) ?? (session?.dialogue?.stage() ?? transport).toLowerCase(),
      initiator: { address: formatAddress(flow.initiatorAddress), port: flow.initiatorPort },
      responder: { address: formatAddress(flow.responderAddress), port: flow.responderPort },
      bytes: { initiator: flow.initiatorBytes, responder: flow.responderBytes },
      createdSecondsAgo: Math.floor(flow.createdMsAgo / 1_000),
      lastHeardSecondsAgo: Math.floor(flow.lastHeardMsAgo / 1_000),
      offloaded: flow.offloaded,
      rule: session?.rule ?? '',
      inInterface: this.#places.interfaceName(flow.inInterface),
      outInterface: this.#places.interfaceName(flow.outInterface),
      ...(list === undefined ? {} : { opening: { list, matches: flow.responderPackets } }),
      ...(flow.midstream ? { midstream: true } : {}),
    };
  }

  #totals(): WorkerStatistics {
    const { addon, host } = this.#options;
    const names = addon.counterNames();
    const values = addon.counters(host);
    const counters = Object.fromEntries(names.map((name, index) => [name, values[index] ?? 0]));
    return {
      counters,
      refusals: addRecords(this.#judge.refusals.toRecord(), refusalsOf(counters)),
      masks: this.#judge.masks.toRecord(),
    };
  }
}

function subtract(now: WorkerStatistics, baseline: WorkerStatistics): WorkerStatistics {
  return {
    counters: countedSince(now.counters, baseline.counters),
    refusals: countedSince(now.refusals, baseline.refusals),
    masks: countedSince(now.masks, baseline.masks),
  };
}
