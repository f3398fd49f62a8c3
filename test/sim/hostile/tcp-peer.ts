import type { Side } from '../../../src/inspect/inspector.ts';
import type { Random } from '../random.ts';
import { FLAG, type ReadSegment, type Segment, WINDOW_BYTES } from './packets.ts';

const IN_FLIGHT_SEGMENTS = 8;
const RTO_MS = 300;
const RTO_MS_MAX = 2_400;
/** More than any link takes: a stack hands such on, and what lies below cuts them (GSO). */
const LINK_BYTES = 1_460;
const STALL_PERCENT = 4;
const STALL_MS_MAX = 1_500;

/** What a stack may do at its handshake beside the plain one; another of its segments may be plain again. */
export type Opening = 'plain' | 'octets' | 'simultaneous';

export interface PeerOptions {
  readonly side: Side;
  readonly initial: number;
  /** Octets a segment; 0: any number. */
  readonly segmentBytes: number;
  readonly timestamps: boolean;
  /** Which copy of an octet counts that came twice before it was in order. */
  readonly overlap: 'first' | 'last';
  readonly random: Random;
  /** How much may wait for the program, which at times reads nothing (a zero window); 0: all there is. */
  readonly bufferBytes: number;
  readonly opening: Opening;
  /** All its segments behind a Destination Options header. */
  readonly padded: boolean;
  emit(segment: Segment): void;
  /** Tells of something that does not happen in every run. */
  happened(what: string): void;
}

/** A small TCP, strict in what it takes: an endpoint of the simulation, and the reference for what a receiver reads. */
export class TcpPeer {
  /** What it has read, in order. */
  text = '';
  state: 'listen' | 'synSent' | 'synReceived' | 'open' | 'reset' = 'listen';
  peerFinished = false;
  finished = false;
  readonly options: PeerOptions;
  #written = '';
  #acknowledged = 0;
  #sentTo = 0;
  #flying: number[] = [];
  #finSent = false;
  #closing = false;
  #peerInitial = 0;
  #finAt: number | undefined;
  readonly #early = new Map<number, string>();
  #stampRecent = 0;
  #timer: number | undefined;
  #rto = RTO_MS;
  #now = 0;
  /** Offsets from which on nothing is taken here, and there. */
  #edge: number;
  #peerEdge = 0;
  #stalledUntil: number | undefined;

  constructor(options: PeerOptions) {
    this.options = options;
    this.#edge = options.bufferBytes === 0 ? WINDOW_BYTES : options.bufferBytes;
  }

  get written(): string {
    return this.#written;
  }

  connect(now: number): void {
    this.#now = now;
    this.state = 'synSent';
    this.#timer = now + this.#rto;
    const isEager = this.options.opening === 'octets';
    if (isEager) this.options.happened('octets in a SYN');
    this.#emit(FLAG.syn, -1, isEager ? 'EHLO syn.example\r\n' : '');
  }

  write(text: string): void {
    this.#written += text;
    this.#send();
  }

  close(): void {
    this.#closing = true;
    this.#send();
  }

  /** RST at the exact place; nothing more is said or heard. */
  abort(): void {
    if (this.state === 'open') this.#emit(FLAG.rst | FLAG.ack, this.#sentTo, '');
    this.state = 'reset';
    this.#timer = undefined;
  }

  get over(): boolean {
    return this.state === 'reset' || (this.finished && this.peerFinished);
  }

  nextTimer(): number | undefined {
    if (this.#stalledUntil === undefined || this.state !== 'open') return this.#timer;
    return Math.min(this.#stalledUntil, this.#timer ?? this.#stalledUntil);
  }

  tick(now: number): void {
    this.#now = now;
    if (this.#stalledUntil !== undefined && now >= this.#stalledUntil) {
      this.#stalledUntil = undefined;
      if (this.state === 'open') this.#acknowledge();
    }
    if (this.#timer === undefined || now < this.#timer) return;
    this.#rto = Math.min(RTO_MS_MAX, this.#rto * 2);
    this.#timer = now + this.#rto;
    if (this.state === 'synSent') this.#emit(FLAG.syn, -1, '');
    else if (this.state === 'synReceived') this.#emit(FLAG.syn | FLAG.ack, -1, '');
    else {
      this.#sentTo = this.#acknowledged;
      this.#flying = [];
      this.#finSent = false;
      this.#send();
    }
  }

  receive(segment: ReadSegment, now: number): void {
    this.#now = now;
    if (this.state === 'reset') return;
    if ((segment.flags & FLAG.syn) !== 0) this.#shake(segment);
    else if (this.state === 'listen' || this.state === 'synSent') this.#refusedAtOnce(segment);
    else this.#receiveOpen(segment, (segment.sequence - this.#peerInitial - 1) | 0);
  }

  #refusedAtOnce({ flags }: ReadSegment): void {
    if ((flags & FLAG.rst) !== 0 && this.state === 'synSent') this.state = 'reset';
  }

  #receiveOpen(segment: ReadSegment, offset: number): void {
    if ((segment.flags & FLAG.rst) !== 0) {
      this.#reset(offset);
      return;
    }
    const next = this.text.length + (this.peerFinished ? 1 : 0);
    const isNear = offset + segment.payload.length >= next - WINDOW_BYTES && offset <= next + WINDOW_BYTES;
    const acknowledged = (segment.acknowledgement - this.options.initial - 1) | 0;
    if (this.#isOld(segment) || !isNear || !this.#takeAcknowledgement(acknowledged)) {
      this.#acknowledge();
      return;
    }
    this.state = 'open';
    this.#peerEdge = Math.max(this.#peerEdge, acknowledged + segment.windowBytes);
    if (segment.timestamps !== undefined && offset <= this.text.length) this.#stampRecent = segment.timestamps[0];
    this.#take(offset, segment);
    this.#send();
  }

  #shake(segment: ReadSegment): void {
    const isAnswer = (segment.flags & FLAG.ack) !== 0;
    if (this.state === 'listen' && !isAnswer) {
      this.#peerInitial = segment.sequence;
      this.#stampRecent = segment.timestamps?.[0] ?? 0;
      this.state = 'synReceived';
      this.#timer = this.#now + this.#rto;
      this.#answerSyn();
    } else if (this.state === 'synReceived' && !isAnswer) {
      this.#emit(FLAG.syn | FLAG.ack, -1, '');
    } else if (this.state === 'synSent' && isAnswer) {
      this.#peerInitial = segment.sequence;
      this.#stampRecent = segment.timestamps?.[0] ?? 0;
      this.state = 'open';
      this.#peerEdge = segment.windowBytes;
      this.#timer = undefined;
      this.#rto = RTO_MS;
      this.#acknowledge();
      this.#send();
    } else this.#acknowledge();
  }

  /** The first answer may be odd; it is plain when it comes again. */
  #answerSyn(): void {
    const { opening, happened } = this.options;
    if (opening === 'simultaneous') {
      happened('simultaneous open');
      this.#emit(FLAG.syn, -1, '');
    } else {
      if (opening === 'octets') happened('octets in a SYN-ACK');
      this.#emit(FLAG.syn | FLAG.ack, -1, opening === 'octets' ? '220 syn.example\r\n' : '');
    }
  }

  /** Exact, or asked about (RFC 5961 3.2). */
  #reset(offset: number): void {
    if (offset === this.text.length + (this.peerFinished ? 1 : 0)) {
      this.state = 'reset';
      this.#timer = undefined;
    } else this.#acknowledge();
  }

  #isOld({ timestamps }: ReadSegment): boolean {
    return timestamps !== undefined && ((timestamps[0] - this.#stampRecent) | 0) < 0;
  }

  #takeAcknowledgement(offset: number): boolean {
    const end = this.#written.length + (this.#closing ? 1 : 0);
    if (offset > end) return false;
    if (offset <= this.#acknowledged) return true;
    this.#acknowledged = Math.min(offset, this.#written.length);
    this.#sentTo = Math.max(this.#sentTo, this.#acknowledged);
    this.#flying = this.#flying.filter((flown) => flown > offset);
    if (this.#closing && offset > this.#written.length) this.finished = true;
    this.#rto = RTO_MS;
    this.#timer = this.#isAllAcknowledged() ? undefined : this.#now + this.#rto;
    return true;
  }

  #isAllAcknowledged(): boolean {
    return this.#acknowledged === this.#written.length && (this.finished || !this.#closing);
  }

  #take(offset: number, { payload, flags }: ReadSegment): void {
    if (payload === '' && (flags & FLAG.fin) === 0) return;
    this.#maybeStall();
    const from = Math.max(0, this.text.length - offset);
    for (let index = from; index < payload.length; index += 1) {
      const place = offset + index;
      if (place >= this.#edge) break;
      if (this.options.overlap === 'last' || !this.#early.has(place)) this.#early.set(place, payload[index] ?? '');
    }
    const isWhole = offset + payload.length <= this.#edge;
    if ((flags & FLAG.fin) !== 0 && isWhole) this.#finAt ??= offset + payload.length;
    let more = '';
    let place = this.text.length;
    for (let octet = this.#early.get(place); octet !== undefined; octet = this.#early.get(place)) {
      if (this.#finAt !== undefined && place >= this.#finAt) break;
      more += octet;
      this.#early.delete(place);
      place += 1;
    }
    this.text += more;
    if (this.text.length === this.#finAt) this.peerFinished = true;
    this.#acknowledge();
  }

  /** The program reads nothing for a while: the window closes as it fills, and is not taken back. */
  #maybeStall(): void {
    const { bufferBytes, random, happened } = this.options;
    if (bufferBytes === 0 || this.#stalledUntil !== undefined || !random.chance(STALL_PERCENT)) return;
    this.#stalledUntil = this.#now + 100 + random.below(STALL_MS_MAX);
    happened('program that does not read');
  }

  #send(): void {
    if (this.state !== 'open') return;
    if (this.#acknowledged >= this.#peerEdge && this.#acknowledged < this.#written.length) this.#probe();
    while (this.#sentTo < this.#written.length && this.#flying.length < IN_FLIGHT_SEGMENTS) {
      const { segmentBytes, random } = this.options;
      const length = segmentBytes > 0 ? segmentBytes : 1 + random.below(40);
      const to = Math.min(this.#sentTo + length, this.#peerEdge);
      if (to <= this.#sentTo) break;
      const payload = this.#written.slice(this.#sentTo, to);
      if (payload.length > LINK_BYTES) this.options.happened('segment larger than a link takes');
      this.#emit(FLAG.ack | FLAG.psh, this.#sentTo, payload);
      this.#sentTo += payload.length;
      this.#flying.push(this.#sentTo);
    }
    if (this.#closing && !this.#finSent && this.#sentTo === this.#written.length) {
      this.#finSent = true;
      this.#emit(FLAG.ack | FLAG.fin, this.#sentTo, '');
    }
    if (!this.#isAllAcknowledged()) this.#timer ??= this.#now + this.#rto;
  }

  /** Into a window that is closed: an octet that is new (RFC 9293 3.8.6.1), or none at a place gone by. */
  #probe(): void {
    const { random, happened } = this.options;
    if (this.#timer !== undefined && this.#timer !== this.#now + this.#rto) return;
    happened('window probe');
    if (random.chance(50)) this.#emit(FLAG.ack, this.#acknowledged - 1, '');
    else this.#emit(FLAG.ack, this.#acknowledged, this.#written.charAt(this.#acknowledged));
  }

  #acknowledge(): void {
    this.#emit(FLAG.ack, this.#sentTo + (this.#finSent ? 1 : 0), '');
  }

  #emit(flags: number, offset: number, payload: string): void {
    const { side, initial, timestamps, padded, emit } = this.options;
    if (this.#stalledUntil === undefined) this.#edge = this.text.length + (this.options.bufferBytes || WINDOW_BYTES);
    const windowBytes = Math.min(WINDOW_BYTES, Math.max(0, this.#edge - this.text.length));
    if (windowBytes === 0) this.options.happened('zero window');
    const heard = this.#peerInitial + 1 + this.text.length + (this.peerFinished ? 1 : 0);
    emit({
      from: side,
      sequence: (initial + 1 + offset) >>> 0,
      acknowledgement: (flags & FLAG.ack) === 0 ? 0 : heard >>> 0,
      ...{ flags, payload, padded, windowBytes },
      timestamps: timestamps ? [(initial + this.#now) >>> 0, this.#stampRecent] : undefined,
    });
  }
}
