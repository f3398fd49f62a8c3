import type { Side } from '../../../src/inspect/inspector.ts';
import type { Random } from '../random.ts';
import { FLAG, type ReadSegment, type Segment } from './packets.ts';

const IN_FLIGHT_SEGMENTS = 8;
const WINDOW_BYTES = 65_535;
const RTO_MS = 300;
const RTO_MS_MAX = 2_400;

export interface PeerOptions {
  readonly side: Side;
  readonly initial: number;
  /** Octets a segment; 0: any number. */
  readonly segmentBytes: number;
  readonly timestamps: boolean;
  /** Which copy of an octet counts that came twice before it was in order. */
  readonly overlap: 'first' | 'last';
  readonly random: Random;
  emit(segment: Segment): void;
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

  constructor(options: PeerOptions) {
    this.options = options;
  }

  get written(): string {
    return this.#written;
  }

  connect(now: number): void {
    this.#now = now;
    this.state = 'synSent';
    this.#timer = now + this.#rto;
    this.#emit(FLAG.syn, -1, '');
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
    return this.#timer;
  }

  tick(now: number): void {
    this.#now = now;
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
      this.#emit(FLAG.syn | FLAG.ack, -1, '');
    } else if (this.state === 'synReceived' && !isAnswer) {
      this.#emit(FLAG.syn | FLAG.ack, -1, '');
    } else if (this.state === 'synSent' && isAnswer) {
      this.#peerInitial = segment.sequence;
      this.#stampRecent = segment.timestamps?.[0] ?? 0;
      this.state = 'open';
      this.#timer = undefined;
      this.#rto = RTO_MS;
      this.#acknowledge();
      this.#send();
    } else this.#acknowledge();
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
    const from = Math.max(0, this.text.length - offset);
    for (let index = from; index < payload.length; index += 1) {
      const place = offset + index;
      if (this.options.overlap === 'last' || !this.#early.has(place)) this.#early.set(place, payload[index] ?? '');
    }
    if ((flags & FLAG.fin) !== 0) this.#finAt ??= offset + payload.length;
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

  #send(): void {
    if (this.state !== 'open') return;
    while (this.#sentTo < this.#written.length && this.#flying.length < IN_FLIGHT_SEGMENTS) {
      const { segmentBytes, random } = this.options;
      const length = segmentBytes > 0 ? segmentBytes : 1 + random.below(40);
      const payload = this.#written.slice(this.#sentTo, this.#sentTo + length);
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

  #acknowledge(): void {
    this.#emit(FLAG.ack, this.#sentTo + (this.#finSent ? 1 : 0), '');
  }

  #emit(flags: number, offset: number, payload: string): void {
    const { side, initial, timestamps, emit } = this.options;
    const heard = this.#peerInitial + 1 + this.text.length + (this.peerFinished ? 1 : 0);
    emit({
      from: side,
      sequence: (initial + 1 + offset) >>> 0,
      acknowledgement: (flags & FLAG.ack) === 0 ? 0 : heard >>> 0,
      flags,
      payload,
      timestamps: timestamps ? [(initial + this.#now) >>> 0, this.#stampRecent] : undefined,
    });
  }
}
