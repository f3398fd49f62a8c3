import type { PolicyHit } from '../inspect/policy-hit.ts';
import type { Reason } from '../inspect/reasons.ts';
import { refuseTlsVersion } from '../inspect/tls-start.ts';
import type { LogMessage } from '../log/log-message.ts';
import { reasonMessage } from '../log/reason-messages.ts';
import type { SharedBuffers } from '../native/addon.ts';
import { END_REASONS, EVENT, EventReader, type OrderWriter, STOP } from '../native/event-batch.ts';
import { type DroppedPacket, dropMessage, windowScaleAlert } from './drop-message.ts';
import { dropName, refusalReason } from './endings.ts';
import { frameOf } from './frames.ts';
import { type OpenedFlow, readDrop, readOpened } from './opening.ts';
import { begin, type Outcome, type PerformContext, perform, refuseBroken } from './perform.ts';
import { reassemblyMessage } from './reassembly-alarm.ts';
import { type Session, SIDES, sessionContext } from './session.ts';
import { SessionTable } from './session-table.ts';
import type { StarttlsOffer } from './starttls-memory.ts';
import { Tally } from './tally.ts';
import { noteHello } from './tls-session.ts';

/** What the judge needs to know of the outside, and whom it tells. */
export interface JudgeContext {
  /**
   * The session for a flow that was established; undefined: the flow is not ours. One that is `refusedFor` something
   * already is ended at once.
   */
  open(flow: OpenedFlow): Session | undefined;
  /** A session that `open` made has ended. */
  closed?(session: Session): void;
  log(message: LogMessage): void;
  /** A class of the session's application policy matched; its message is the context's to write. */
  matched?(session: Session, hit: PolicyHit): void;
  /** A list of the server's extensions is complete. */
  starttls?(session: Session, offer: StarttlsOffer): void;
  /** The action `learn`. */
  learn?(session: Session, sender: string, minutes: number | undefined): void;
  /** Whether dropped packets are logged; without it they are. */
  logsDrops?(): boolean;
  /** Whether alerts of no session are logged; without it they are. */
  alerts?(): boolean;
  /** Called after each judged frame; replay and debug listen. */
  observe?(event: JudgedEvent): void;
}

/** What happened at one event, for those who watch. Carries no text of the stream. */
export interface JudgedEvent {
  readonly kind: 'open' | 'frame' | 'close' | 'drop';
  /** The packet that brought it about. */
  readonly packet: number;
  readonly timeMs: number;
  readonly session?: Session;
  readonly flow?: OpenedFlow;
  /** The frame's kind for `frame`, the end's name for `close`, the reason for `drop`. */
  readonly what: string;
  readonly outcome?: Outcome;
  /** Only for `drop`. */
  readonly drop?: DroppedPacket;
  readonly messages: readonly LogMessage[];
}

const REFUSAL_LABELS_MAX = 256;
const MASK_LABELS_MAX = 64;

/** Turns a batch of events into orders: one worker's part that knows sessions. Holds their states and nothing else. */
export class Judge {
  readonly refusals = new Tally(REFUSAL_LABELS_MAX);
  readonly masks = new Tally(MASK_LABELS_MAX);
  /** Whether the context's `observe` is called. */
  watching: boolean;
  readonly #sessions = new SessionTable();
  readonly #reader: EventReader;
  readonly #context: JudgeContext;
  readonly #perform: PerformContext;
  #messages: LogMessage[] = [];

  constructor(buffers: SharedBuffers, orders: OrderWriter, context: JudgeContext) {
    this.#reader = new EventReader(buffers);
    this.#context = context;
    this.watching = context.observe !== undefined;
    this.#perform = {
      orders,
      log: (message) => this.#log(message),
      countMask: (what) => this.masks.add(what),
      matched: (session, hit) => this.#context.matched?.(session, hit),
      learn: (session, sender, minutes) => this.#context.learn?.(session, sender, minutes),
    };
  }

  /** The native loop's callback: how many order words were written. Throws when they did not all fit. */
  judge(events: number): number {
    const { orders } = this.#perform;
    orders.start();
    for (let index = 0; index < events; index += 1) {
      this.#reader.select(index);
      this.#one();
    }
    if (orders.lost > 0) throw new Error(`${orders.lost} orders did not fit`);
    return orders.length;
  }

  /** The session of a flow, one that has ended too, unless the index has been given to another flow since. */
  session(flow: number, generation: number): Session | undefined {
    return this.#sessions.get(flow, generation);
  }

  /** Logs what belongs to the event that is being judged, so that those who watch see it there too. */
  tell(message: LogMessage): void {
    this.#log(message);
  }

  /** Forgets every session: the loop has given them up. */
  clear(): void {
    this.#sessions.clear();
  }

  #living(flow: number, generation: number): Session | undefined {
    const session = this.#sessions.get(flow, generation);
    return session?.ended === true ? undefined : session;
  }

  #one(): void {
    this.#messages = [];
    switch (this.#reader.kind) {
      case EVENT.opened:
        this.#opened();
        break;
      case EVENT.closed:
        this.#closed();
        break;
      case EVENT.dropped:
        this.#dropped();
        break;
      case EVENT.reassembly:
        this.#reassembly();
        break;
      default:
        this.#frame();
    }
  }

  #opened(): void {
    const flow = readOpened(this.#reader);
    const session = this.#context.open(flow);
    this.#sessions.set(flow.flow, session);
    const { orders } = this.#perform;
    if (session === undefined) {
      orders.stop(flow.flow, STOP.notOurs);
    } else if (session.refusedFor === undefined) {
      this.#begin(session);
    } else {
      orders.end(flow.flow, 'refused');
      this.#tellRefusal(session, session.refusedFor);
    }
    if (this.watching) this.#watch('open', flow.midstream ? 'midstream' : 'established', session, flow);
  }

  #begin(session: Session): void {
    this.#perform.orders.idle(session.flow, session.idleSeconds);
    this.#startFraming(session);
    if (session.auditTrail) this.#log({ id: 'SESS_AUDIT_TRAIL_START', fields: sessionContext(session) });
  }

  #tellRefusal(session: Session, reason: Reason): void {
    this.refusals.add(reason);
    // `reassembly alarm` decides whether that is told, and the packet loop has done so.
    if (session.alert && reason !== 'reassembly-timeout') this.#log(reasonMessage(reason, sessionContext(session)));
  }

  /**
   * A session without a dialogue stays in our hands but unread; the rest begins with lines (inspector.ts). The first
   * datagram of a session waits until it is let go: `stop` would mean that nobody inspects it.
   */
  #startFraming(session: Session): void {
    const { orders } = this.#perform;
    if (session.dialogue === undefined) {
      if (session.protocol === 'udp' || session.protocol === 'icmp') orders.forward(session.flow, 'initiator');
      else orders.stop(session.flow, STOP.notOurs);
      return;
    }
    for (const side of SIDES) orders.frame(session.flow, side, 0, session.dialogue.lineBytesMax[side]);
    begin(orders, session, session.dialogue.begin ?? []);
  }

  #frame(): void {
    const session = this.#living(this.#reader.flow, this.#reader.generation);
    // No order for it: the loop ends a flow whose frame nobody judged.
    if (session?.dialogue === undefined) return;
    const frame = frameOf(this.#reader);
    let outcome: Outcome;
    try {
      const actions = refuseTlsVersion(frame, session.tlsMinimumVersion) ?? session.dialogue.step(frame);
      outcome = perform(this.#perform, session, frame, actions);
      const { starttls } = session.dialogue;
      if (starttls !== undefined && frame.kind === 'line') this.#context.starttls?.(session, starttls);
    } catch (error) {
      outcome = refuseBroken(this.#perform, session, error);
    }
    if (outcome.reason !== undefined) {
      session.refusedFor = outcome.reason;
      this.refusals.add(outcome.reason);
    } else {
      const told = noteHello(session, frame);
      if (told !== undefined) this.#log(told);
    }
    if (this.watching) this.#watch('frame', `${frame.from} ${frame.kind}`, session, undefined, outcome);
  }

  #closed(): void {
    const { flow, generation, number: initiatorBytes, secondNumber: responderBytes, extra } = this.#reader;
    const session = this.#living(flow, generation);
    if (session === undefined) return;
    const end = END_REASONS[extra & 0xff] ?? 'closed';
    const reason = refusalReason(end);
    if (reason !== undefined && session.refusedFor === undefined) this.#tellRefusal(session, reason);
    if (session.auditTrail && session.refusedFor !== 'session-limit') {
      const fields = { ...sessionContext(session), initiatorBytes, responderBytes };
      this.#log({ id: 'SESS_AUDIT_TRAIL', fields });
    }
    if (this.watching) this.#watch('close', end, session);
    session.ended = true;
    session.dialogue = undefined;
    this.#context.closed?.(session);
  }

  #dropped(): void {
    const drop = readDrop(this.#reader);
    const told = [
      this.#context.logsDrops?.() === false ? undefined : dropMessage(drop),
      this.#context.alerts?.() === false ? undefined : windowScaleAlert(drop),
    ];
    for (const message of told) if (message !== undefined) this.#log(message);
    if (!this.watching) return;
    this.#context.observe?.({
      kind: 'drop',
      packet: this.#packetOf('drop'),
      timeMs: this.#reader.timeMs,
      what: dropName(this.#reader.extra),
      drop,
      messages: this.#messages,
    });
  }

  #reassembly(): void {
    const session = this.#living(this.#reader.flow, this.#reader.generation);
    const message = session && reassemblyMessage(this.#reader, session);
    if (message !== undefined) this.#log(message);
  }

  #log(message: LogMessage): void {
    this.#messages.push(message);
    this.#context.log(message);
  }

  #watch(
    kind: JudgedEvent['kind'],
    what: string,
    session: Session | undefined,
    flow?: OpenedFlow,
    outcome?: Outcome,
  ): void {
    if (this.#context.observe === undefined) return;
    this.#context.observe({
      kind,
      packet: this.#packetOf(kind),
      timeMs: this.#reader.timeMs,
      what,
      messages: this.#messages,
      ...(session === undefined ? {} : { session }),
      ...(flow === undefined ? {} : { flow }),
      ...(outcome === undefined ? {} : { outcome }),
    });
  }

  #packetOf(kind: JudgedEvent['kind']): number {
    switch (kind) {
      case 'frame':
        return this.#reader.extra;
      case 'open':
      case 'close':
        return this.#reader.extra >>> 8;
      case 'drop':
        return this.#reader.generation;
    }
  }
}
