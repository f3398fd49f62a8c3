import type { Side } from '../inspect/inspector.ts';
import type { SharedBuffers } from './addon.ts';

/**
 * The flat layout of events and orders (native/engine/event_batch.h has the same numbers and says what each word
 * means). Reading and writing makes no objects but the text of a line.
 */
export const EVENT = {
  opened: 1,
  line: 2,
  partial: 3,
  countedEnd: 4,
  dataEnd: 5,
  lookAlike: 6,
  tlsStart: 7,
  overBudget: 8,
  closed: 9,
  dropped: 10,
  reassembly: 11,
  content: 12,
} as const;

export const EVENT_FLAG = { bareLf: 1, wellFormed: 2, midstream: 4, finished: 8, tlsAlert: 16 } as const;

/** Operations of orders: the first octet of an order's first word. */
export const ORDER = {
  forward: 1,
  mask: 2,
  pause: 3,
  resume: 4,
  frame: 5,
  refuse: 6,
  stop: 7,
  again: 8,
  idle: 9,
  end: 10,
  content: 11,
} as const;
export const CONTENT = { beginData: 1, beginChunks: 2, finish: 3, drop: 4 } as const;
export const STOP = { tls: 1, authenticated: 2, notOurs: 3 } as const;
export const FRAMING = { lines: 0, counted: 1, mailData: 2, tls: 3, opaque: 4 } as const;

/** Port protocols by their native number. */
export const PORT_PROTOCOLS = [
  'none',
  'smtp',
  'pop3',
  'imap',
  'smtps',
  'pop3s',
  'imaps',
  'tcp',
  'udp',
  'icmp',
] as const;

/** What a reassembly event tells, by its native number (native/engine/event_batch.h, ReassemblyAlarm). */
export const REASSEMBLY_ALARMS = ['queue-full', 'memory-limit', 'released', 'expired', 'deleted', 'altered'] as const;

/** Ends of flows by their native number (native/engine/flow.h, EndReason). */
export const END_REASONS = [
  'closed',
  'reset-by-initiator',
  'reset-by-responder',
  'refused',
  'synwait-timeout',
  'finwait-timeout',
  'idle-timeout',
  'reassembly-timeout',
  'held-too-long',
  'cleared',
  'engine-error',
  'worker-restarted',
  'port-reused',
  'shutdown',
] as const;
export type EndReason = (typeof END_REASONS)[number];

const EVENT_WORDS = 8;
const EVENT_HEADER_WORDS = 4;
const EVENTS_MAX = 256;
const ARENA_BYTES = 1 << 20;
const ORDER_WORDS_MAX = 16_384;
const ORDER_ARENA_BYTES = 1 << 18;
const ENDPOINT_BYTES = 19;
const TWO_TO_32 = 4_294_967_296;

export function allocateBuffers(): SharedBuffers {
  return {
    events: new ArrayBuffer((EVENT_HEADER_WORDS + EVENTS_MAX * EVENT_WORDS) * 4),
    arena: new ArrayBuffer(ARENA_BYTES),
    orders: new ArrayBuffer(ORDER_WORDS_MAX * 4),
    orderArena: new ArrayBuffer(ORDER_ARENA_BYTES),
  };
}

/** Reads one event of the batch at a time: `select` it, then ask. */
export class EventReader {
  readonly #words: Uint32Array;
  readonly #arena: Buffer;
  #at = 0;

  constructor(buffers: SharedBuffers) {
    this.#words = new Uint32Array(buffers.events);
    this.#arena = Buffer.from(buffers.arena);
  }

  /** The batch's time in milliseconds: of the capture in a replay, of the monotonic clock else. */
  get timeMs(): number {
    return this.#word64(0);
  }

  select(index: number): void {
    this.#at = EVENT_HEADER_WORDS + index * EVENT_WORDS;
  }

  get kind(): number {
    return this.#word(0) & 0xff;
  }

  get side(): Side {
    return (this.#word(0) & 0xff00) === 0 ? 'initiator' : 'responder';
  }

  has(flag: number): boolean {
    return ((this.#word(0) >>> 16) & flag) !== 0;
  }

  get flags(): number {
    return this.#word(0) >>> 16;
  }

  get flow(): number {
    return this.#word(1);
  }

  get generation(): number {
    return this.#word(2);
  }

  /** The text, one latin-1 character an octet. */
  get text(): string {
    const start = this.#word(3);
    return this.#arena.toString('latin1', start, start + this.#word(4));
  }

  /** The octets of the text, valid until the next batch. */
  get octets(): Buffer {
    const start = this.#word(3);
    return this.#arena.subarray(start, start + this.#word(4));
  }

  /** Words 3 and 4 as one number (`closed`: the responder's bytes). */
  get secondNumber(): number {
    return this.#word64(this.#at + 3);
  }

  get number(): number {
    return this.#word64(this.#at + 5);
  }

  get numberLow(): number {
    return this.#word(5);
  }

  get numberHigh(): number {
    return this.#word(6);
  }

  get extra(): number {
    return this.#word(7);
  }

  #word(offset: number): number {
    return this.#words[this.#at + offset] ?? 0;
  }

  #word64(at: number): number {
    return (this.#words[at] ?? 0) + (this.#words[at + 1] ?? 0) * TWO_TO_32;
  }
}

/** Writes orders. What does not fit is counted in `lost` and makes the batch fail: nothing passes by accident. */
export class OrderWriter {
  readonly #words: Uint32Array;
  readonly #arena: Buffer;
  #length = 0;
  #arenaUsed = 0;
  lost = 0;

  constructor(buffers: Pick<SharedBuffers, 'orders' | 'orderArena'>) {
    this.#words = new Uint32Array(buffers.orders);
    this.#arena = Buffer.from(buffers.orderArena);
  }

  start(): void {
    this.#length = 0;
    this.#arenaUsed = 0;
    this.lost = 0;
  }

  get length(): number {
    return this.#length;
  }

  forward(flow: number, side: Side): void {
    this.#put(head(ORDER.forward, side), flow);
  }

  mask(flow: number, start: number, length: number, octet: number): void {
    this.#put(ORDER.mask | (octet << 16), flow, 2, start, length);
  }

  pause(flow: number, side: Side): void {
    this.#put(head(ORDER.pause, side), flow);
  }

  resume(flow: number, side: Side): void {
    this.#put(head(ORDER.resume, side), flow);
  }

  /** `mode` is one of FRAMING; `bytes` up to 2^53. */
  frame(flow: number, side: Side, mode: number, bytes: number, tolerant = false): void {
    const flags = mode | (tolerant ? 0x10 : 0);
    this.#put(head(ORDER.frame, side) | (flags << 16), flow, 2, bytes % TWO_TO_32, Math.floor(bytes / TWO_TO_32));
  }

  refuseWithReset(flow: number): void {
    this.#put(ORDER.refuse | (1 << 16), flow, 2);
  }

  refuseWithWords(flow: number, words: string): void {
    const start = this.#arenaUsed;
    if (words.length > this.#arena.length - start) {
      this.lost += 1;
      return;
    }
    const length = this.#arena.write(words, start, 'latin1');
    this.#arenaUsed += length;
    this.#put(ORDER.refuse, flow, 2, start, length);
  }

  stop(flow: number, what: number): void {
    this.#put(ORDER.stop | (what << 16), flow);
  }

  again(flow: number): void {
    this.#put(ORDER.again, flow);
  }

  idle(flow: number, seconds: number): void {
    this.#put(ORDER.idle, flow, 1, seconds);
  }

  end(flow: number, reason: EndReason): void {
    this.#put(ORDER.end, flow, 1, END_REASONS.indexOf(reason));
  }

  /** `what` is one of CONTENT; `plan` of definePlan, only with a beginning. */
  content(flow: number, what: number, plan: number): void {
    this.#put(ORDER.content | (what << 16), flow, 1, plan);
  }

  #put(word: number, flow: number, extra = 0, first = 0, second = 0): void {
    const at = this.#length;
    if (at + 2 + extra > this.#words.length) {
      this.lost += 1;
      return;
    }
    this.#words[at] = word;
    this.#words[at + 1] = flow;
    if (extra > 0) this.#words[at + 2] = first;
    if (extra > 1) this.#words[at + 3] = second;
    this.#length = at + 2 + extra;
  }
}

/** The two endpoints of an `opened` or `dropped` event. */
export function readEndpoints(octets: Buffer): [initiator: RawEndpoint, responder: RawEndpoint] {
  return [readEndpoint(octets, 0), readEndpoint(octets, ENDPOINT_BYTES)];
}

export interface RawEndpoint {
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly port: number;
}

function readEndpoint(octets: Buffer, at: number): RawEndpoint {
  const length = octets[at] === 4 ? 4 : 16;
  return { address: octets.subarray(at + 1, at + 1 + length), port: octets.readUInt16BE(at + 17) };
}

/** What follows the endpoints in a `dropped` event. */
export function readDropDetail(octets: Buffer): {
  readonly ipIdent: number;
  readonly tcpFlags: number;
  readonly sequence: number;
  readonly acknowledgement: number;
} {
  const at = 2 * ENDPOINT_BYTES;
  return {
    ipIdent: octets.readUInt32BE(at),
    tcpFlags: octets.readUInt32BE(at + 4),
    sequence: octets.readUInt32BE(at + 8),
    acknowledgement: octets.readUInt32BE(at + 12),
  };
}

function head(op: number, side: Side): number {
  return op | (side === 'responder' ? 0x100 : 0);
}
