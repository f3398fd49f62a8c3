import type { PolicyStatistics, SessionSnapshot } from '../firewall/snapshot.ts';
import type { PolicyHit } from '../inspect/policy-hit.ts';
import type { LogMessage } from '../log/log-message.ts';
import { hitMessage } from '../log/policy-messages.ts';
import type { Addon, FlowRecord, LoopOptions } from '../native/addon.ts';
import { allocateBuffers, OrderWriter } from '../native/event-batch.ts';
import { type LearnedView, NOTHING_LEARNED } from '../policy/application/environment.ts';
import { effectiveGlobals } from '../policy/defaults.ts';
import type { Learning } from '../policy/learned.ts';
import { Applications, type PatternUser } from './application.ts';
import { refusalsOf, setCounterNames } from './endings.ts';
import { InspectedSession } from './inspected-session.ts';
import { Judge, type JudgedEvent } from './judge.ts';
import { logsDrops, loopOptions } from './loop-options.ts';
import type { OpenedFlow } from './opening.ts';
import { Places } from './places.ts';
import { PolicyCounters } from './policy-counters.ts';
import { isSessionId, type Session, sessionContext } from './session.ts';
import type { SessionLimits } from './session-limits.ts';
import { snapshotOf } from './session-snapshot.ts';
import { StarttlsMemory, type StarttlsOffer, serverKey } from './starttls-memory.ts';
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
  /** Matches the patterns of the settings; absent: the settings have none. */
  readonly patterns?: PatternUser;
  /** What the action `learn` recorded, as it changes; absent: nothing. */
  readonly learned?: LearnedView;
  /** The action `learn`; absent: nobody records it. */
  learn?(learned: Learning): void;
}

const FLOWS_A_CALL = 1_024;
const CLEAR_WORDS = 3;

/** A packet loop with its judge: what one worker, or a replay, runs. */
export class PacketEngine {
  /** True when sessions of an earlier worker were given up. */
  readonly tookOver: boolean;
  readonly #options: EngineOptions;
  readonly #judge: Judge;
  readonly #applications: Applications;
  readonly #starttls = new StarttlsMemory(Date.now);
  readonly #counters = new PolicyCounters();
  #places: Places;
  #settings: WorkerSettings;
  /** Asked for each dropped packet of a flood. */
  #logsDrops: boolean;
  #alerts: boolean;
  #baseline: WorkerStatistics | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#logsDrops = logsDrops(options.settings.configuration);
    this.#alerts = effectiveGlobals(options.settings.configuration).alert;
    const { addon, host, patterns, learned = NOTHING_LEARNED } = options;
    this.#applications = new Applications({ addon, host, patterns, learned, starttls: this.#starttls });
    this.#takePolicies(options.settings);
    this.#places = new Places(addon, options.settings, this.#applications);
    setCounterNames(addon.counterNames());
    const buffers = allocateBuffers();
    this.#judge = new Judge(buffers, new OrderWriter(buffers), {
      open: (flow) => this.#open(flow),
      closed: (session) => this.#closed(session),
      log: options.log,
      matched: (session, hit) => this.#matched(session, hit),
      starttls: (session, offer) => this.#starttlsSeen(session, offer),
      learn: (session, sender, minutes) => this.#learn(session, sender, minutes),
      logsDrops: () => this.#logsDrops,
      alerts: () => this.#alerts,
      ...(options.observe === undefined ? {} : { observe: options.observe }),
    });
    addon.configure(host, this.#loopOptions(options.settings));
    this.tookOver = addon.serve(host, buffers, (events) => this.#judge.judge(events));
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

  /** New policy for sessions that begin from now on; those under way keep theirs, with its programs and plans. */
  configure(settings: WorkerSettings): void {
    this.#settings = settings;
    this.#logsDrops = logsDrops(settings.configuration);
    this.#alerts = effectiveGlobals(settings.configuration).alert;
    this.#takePolicies(settings);
    this.#places = new Places(this.#options.addon, settings, this.#applications);
    this.#options.addon.configure(this.#options.host, this.#loopOptions(settings));
  }

  sessions(): SessionSnapshot[] {
    const interfaceName = (index: number): string => this.#places.interfaceName(index);
    return this.#flows().map((flow) =>
      snapshotOf(this.#options.worker, flow, this.#judge.session(flow.flow, flow.generation), interfaceName),
    );
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

  /** What the classes of zone policies met; cleared apart from the rest, because IOS clears it by zone-pair. */
  policyStatistics(): PolicyStatistics {
    return this.#counters.toRecord(Date.now());
  }

  clearPolicyStatistics(zonePair?: string): void {
    this.#counters.clear(Date.now(), zonePair);
  }

  /** Resets the session with this id, or all; answers how many there were. */
  clearSessions(id: string): number {
    const { worker } = this.#options;
    return this.#clear(({ flow, generation }) => id === 'all' || isSessionId(id, worker, flow, generation));
  }

  /** Resets the sessions that this zone-pair inspects, or any; answers how many there were. */
  clearZoneSessions(zonePair?: string): number {
    return this.#clear(({ flow, generation }) => {
      const place = this.#judge.session(flow, generation)?.zonePlace;
      return place !== undefined && (zonePair === undefined || place.zonePair === zonePair);
    });
  }

  #clear(isMeant: (flow: FlowRecord) => boolean): number {
    const { addon, host } = this.#options;
    const chosen = this.#flows().filter((flow) => flow.stage < 3 && isMeant(flow));
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

  #takePolicies(settings: WorkerSettings): void {
    for (const error of this.#applications.configure(settings)) {
      this.#options.log({ id: 'ERROR', fields: { detail: `messages of a policy cannot be looked through: ${error}` } });
    }
  }

  #open(flow: OpenedFlow): Session | undefined {
    const place = this.#places.at(flow);
    if (place === undefined) return undefined;
    const session = new InspectedSession(this.#options.worker, place, flow);
    if (place.refused !== undefined) {
      session.refusedFor = place.refused.reason;
      if (place.refused.logged) this.#tellDropped(session, place.refused.reason);
    } else if (this.#options.limits?.open(place.countedAs) === false) session.refusedFor = 'session-limit';
    if (session.refusedFor !== undefined) return session;
    place.content?.hold();
    if (place.zonePlace !== undefined) this.#counters.opened(place.zonePlace, Date.now());
    return session;
  }

  /** `drop log`. The packet itself is gone: its flow was made of it, so its identification is not known. */
  #tellDropped(session: InspectedSession, reason: NonNullable<Session['refusedFor']>): void {
    this.#judge.tell({ id: 'DROP_PKT', fields: { ...sessionContext(session), reason, ipIdent: 0 } });
  }

  #matched(session: Session, hit: PolicyHit): void {
    if (session.zonePlace !== undefined) this.#counters.add(session.zonePlace, hit);
    // What a class with `shadow` would have done is of use only where it can be read.
    if (hit.log || hit.shadow) this.#judge.tell(hitMessage(hit, sessionContext(session)));
  }

  /** Told whatever the policy is, alerts off or not: somebody may be reading the mail of a server. */
  #starttlsSeen(session: Session, offer: StarttlsOffer): void {
    if (!this.#starttls.note(serverKey(session.responder), offer)) return;
    this.#judge.tell({ id: 'STARTTLS_WITHDRAWN', fields: { ...sessionContext(session), offer } });
  }

  #learn(session: Session, sender: string, minutes: number | undefined): void {
    const client = session.initiator.address;
    this.#options.learn?.({ sender, client, ...(minutes === undefined ? {} : { minutes }) });
  }

  #closed(session: Session): void {
    if (!(session instanceof InspectedSession) || session.wasNeverOpen) return;
    const { place } = session;
    this.#options.limits?.close(place.countedAs);
    place.content?.letGo();
    if (place.zonePlace !== undefined) this.#counters.closed(place.zonePlace, place.protocol, this.#packetsOf(session));
  }

  /** Of both sides, as long as the packet loop still knows the flow. */
  #packetsOf({ flow, generation }: Session): number {
    const { addon, host } = this.#options;
    const [record] = addon.flows(host, flow, 1);
    if (record?.flow !== flow || record.generation !== generation) return 0;
    return record.initiatorPackets + record.responderPackets;
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
