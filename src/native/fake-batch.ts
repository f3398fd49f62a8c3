import type { ContentFact } from '../inspect/facts.ts';
import type { Side } from '../inspect/inspector.ts';
import type { SharedBuffers } from './addon.ts';
import { CONTENT_FACT } from './content-facts.ts';
import { END_REASONS, type EndReason, EVENT, EVENT_FLAG, ORDER, PORT_PROTOCOLS } from './event-batch.ts';

/** Where the packet loop would stand in tests: it writes events as words and reads orders as words, nothing shared. */

export interface FakeEndpoint {
  /** 4 or 16 octets. */
  readonly address: readonly number[];
  readonly port: number;
}

export interface FakeFlow {
  readonly flow: number;
  readonly generation: number;
  readonly protocol: (typeof PORT_PROTOCOLS)[number];
  readonly initiator: FakeEndpoint;
  readonly responder: FakeEndpoint;
  readonly inInterface?: number;
  readonly outInterface?: number;
  readonly midstream?: boolean;
  readonly packet?: number;
}

/** An order as the packet loop reads it. */
export interface FakeOrder {
  readonly op: keyof typeof ORDER;
  readonly side: Side;
  readonly flags: number;
  readonly flow: number;
  readonly arguments: readonly number[];
}

type FrameKind = 'line' | 'partial' | 'countedEnd' | 'dataEnd' | 'lookAlike' | 'tlsStart' | 'overBudget';

const WORDS = { header: 4, event: 8 } as const;
const ARGUMENTS: Readonly<Record<keyof typeof ORDER, number>> = {
  ...{ forward: 0, pause: 0, resume: 0, stop: 0, again: 0, idle: 1, end: 1, content: 1, mask: 2, frame: 2, refuse: 2 },
};

/** Writes a batch as native/engine/event_batch.h lays it out. */
export class FakeBatch {
  readonly #words: Uint32Array;
  readonly #arena: Buffer;
  #arenaUsed = 0;
  count = 0;

  constructor(buffers: Pick<SharedBuffers, 'events' | 'arena'>, timeMs = 0) {
    this.#words = new Uint32Array(buffers.events);
    this.#arena = Buffer.from(buffers.arena);
    this.#words[0] = timeMs % 2 ** 32;
    this.#words[1] = Math.floor(timeMs / 2 ** 32);
  }

  opened(flow: FakeFlow): this {
    const protocol = PORT_PROTOCOLS.indexOf(flow.protocol);
    const text = Buffer.concat([endpointOctets(flow.initiator), endpointOctets(flow.responder)]);
    return this.add({
      head: EVENT.opened | ((flow.midstream === true ? EVENT_FLAG.midstream : 0) << 16),
      flow,
      text,
      low: flow.inInterface ?? 0,
      high: flow.outInterface ?? 0,
      extra: protocol | ((flow.packet ?? 0) << 8),
    });
  }

  frame(
    flow: Pick<FakeFlow, 'flow' | 'generation'>,
    kind: FrameKind,
    from: Side,
    more: { readonly text?: string; readonly flag?: number; readonly bytes?: number; readonly packet?: number } = {},
  ): this {
    return this.add({
      head: EVENT[kind] | (from === 'responder' ? 0x100 : 0) | ((more.flag ?? 0) << 16),
      flow,
      text: Buffer.from(more.text ?? '', 'latin1'),
      low: (more.bytes ?? 0) % 2 ** 32,
      high: Math.floor((more.bytes ?? 0) / 2 ** 32),
      extra: more.packet ?? 0,
    });
  }

  content(
    flow: Pick<FakeFlow, 'flow' | 'generation'>,
    facts: readonly ContentFact[],
    more: { readonly finished?: boolean; readonly packet?: number } = {},
  ): this {
    const flags = more.finished === true ? EVENT_FLAG.finished : 0;
    const text = contentRecords(facts);
    return this.add({ head: EVENT.content | (flags << 16), flow, text, low: 0, high: 0, extra: more.packet ?? 0 });
  }

  closed(
    flow: Pick<FakeFlow, 'flow' | 'generation'>,
    end: EndReason,
    bytes: readonly [number, number],
    packet = 0,
  ): this {
    const at = this.#begin(EVENT.closed, flow);
    this.#words.set([bytes[1] % 2 ** 32, Math.floor(bytes[1] / 2 ** 32)], at + 3);
    this.#words.set([bytes[0] % 2 ** 32, Math.floor(bytes[0] / 2 ** 32)], at + 5);
    this.#words[at + 7] = END_REASONS.indexOf(end) | (packet << 8);
    return this;
  }

  /** `detail`: identification, flags, sequence and acknowledgement. */
  dropped(
    [source, destination]: readonly [FakeEndpoint, FakeEndpoint],
    counter: number,
    detail: readonly number[],
    packet = 0,
  ): this {
    const record = Buffer.alloc(16);
    for (const [index, word] of detail.entries()) record.writeUInt32BE(word, index * 4);
    const text = Buffer.concat([endpointOctets(source), endpointOctets(destination), record]);
    const flow = { flow: 0, generation: packet };
    return this.add({ head: EVENT.dropped, flow, text, low: 0, high: 0, extra: counter });
  }

  /** Any words: events that the loop would not write belong in tests too. */
  add(event: {
    readonly head: number;
    readonly flow: Pick<FakeFlow, 'flow' | 'generation'>;
    readonly text: Buffer;
    readonly low: number;
    readonly high: number;
    readonly extra: number;
  }): this {
    const at = this.#begin(event.head, event.flow);
    this.#arena.set(event.text, this.#arenaUsed);
    this.#words.set([this.#arenaUsed, event.text.length, event.low, event.high, event.extra], at + 3);
    this.#arenaUsed += event.text.length;
    return this;
  }

  #begin(head: number, { flow, generation }: Pick<FakeFlow, 'flow' | 'generation'>): number {
    const at = WORDS.header + this.count * WORDS.event;
    this.count += 1;
    this.#words.fill(0, at, at + WORDS.event);
    this.#words.set([head, flow, generation], at);
    return at;
  }
}

/** Facts as native/engine/content_scan.h lays them out. */
export function contentRecords(facts: readonly ContentFact[]): Buffer {
  return Buffer.concat(facts.map(recordOf));
}

function recordOf(fact: ContentFact): Buffer {
  const kind = fact.kind === 'body' && fact.decoded ? CONTENT_FACT.decoded : CONTENT_FACT[fact.kind];
  const text = Buffer.from(textOf(fact), 'latin1');
  const head = Buffer.alloc(12);
  head[0] = kind;
  head.writeUInt16BE(text.length, 2);
  const number = numberOf(fact);
  head.writeUInt32BE(Math.floor(number / 2 ** 32), 4);
  head.writeUInt32BE(number % 2 ** 32, 8);
  return Buffer.concat([head, text]);
}

function textOf(fact: ContentFact): string {
  switch (fact.kind) {
    case 'header':
      return fact.field;
    case 'contentType':
      return fact.type;
    case 'encoding':
      return fact.token;
    case 'limit':
      return fact.name;
    default:
      return '';
  }
}

function numberOf(fact: ContentFact): number {
  if ('map' in fact) return fact.map;
  return 'over' in fact ? fact.over : 0;
}

/** Version, 16 octets of address, port: 19 octets (native/engine/framing.cc). */
function endpointOctets({ address, port }: FakeEndpoint): Buffer {
  const octets = Buffer.alloc(19);
  octets[0] = address.length === 4 ? 4 : 6;
  octets.set(address, 1);
  octets.writeUInt16BE(port, 17);
  return octets;
}

/** Reads orders. Throws at the first word that is none, where the packet loop would stop believing. */
export function readOrders(words: Uint32Array): FakeOrder[] {
  const orders: FakeOrder[] = [];
  for (let at = 0; at < words.length; ) {
    const head = words[at] ?? 0;
    const op = OPERATIONS.get(head & 0xff);
    const sideNumber = (head >>> 8) & 0xff;
    if (op === undefined || sideNumber > 1) throw new Error(`word ${at} is no order`);
    const end = at + 2 + ARGUMENTS[op];
    if (end > words.length) throw new Error(`the order at word ${at} is cut off`);
    orders.push({
      op,
      side: sideNumber === 0 ? 'initiator' : 'responder',
      flags: head >>> 16,
      flow: words[at + 1] ?? 0,
      arguments: [...words.subarray(at + 2, end)],
    });
    at = end;
  }
  return orders;
}

const OPERATIONS = new Map<number, keyof typeof ORDER>(
  Object.entries(ORDER).map(([name, number]) => [number, name as keyof typeof ORDER]),
);
