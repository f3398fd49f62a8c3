import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONTENT_LIMITS } from '../inspect/content-limits.ts';
import { CONTENT_FACT, readContentFacts } from './content-facts.ts';
import {
  allocateBuffers,
  CONTENT,
  END_REASONS,
  EVENT,
  EVENT_FLAG,
  EventReader,
  FRAMING,
  ORDER,
  OrderWriter,
  PORT_PROTOCOLS,
  REASSEMBLY_ALARMS,
  readDropDetail,
  readEndpoints,
  STOP,
} from './event-batch.ts';
import { FakeBatch, readOrders } from './fake-batch.ts';

const native = (file: string): string =>
  readFileSync(new URL(`../../native/${file}`, import.meta.url), 'utf8').replace(/\/\/.*$/gm, '');

/** The members of a C++ enum with their numbers. */
function enumOf(code: string, name: string): Readonly<Record<string, number>> {
  const body = new RegExp(`enum (?:class )?${name}\\b[^{]*\\{([^}]*)\\}`).exec(code)?.[1];
  if (body === undefined) throw new Error(`no enum ${name}`);
  let next = 0;
  return Object.fromEntries(
    body
      .split(',')
      .map((member) => member.trim())
      .filter((member) => member !== '')
      .map((member) => {
        const [label = '', value] = member.split('=').map((part) => part.trim());
        const number = value === undefined ? next : Number(value);
        next = number + 1;
        return [label, number];
      }),
  );
}

function constantOf(code: string, name: string): number {
  const value = new RegExp(`\\b${name} =([^;]+);`).exec(code)?.[1] ?? '';
  const [base = '', shift = '0'] = value.replace(/['Uu\s]/g, '').split('<<');
  return Number(base) * 2 ** Number(shift);
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const inSnake = (numbers: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(numbers).map(([name, number]) => [snake(name), number]));

describe('the numbers of both sides of the boundary', () => {
  const batch = native('engine/event_batch.h');
  const flow = native('engine/flow.h');
  const limits = native('core/limits.h');

  test('reassembly alarms', () => {
    const names = Object.keys(enumOf(batch, 'ReassemblyAlarm')).map((name) => name.replaceAll('_', '-'));
    expect(names).toEqual(REASSEMBLY_ALARMS);
  });

  test('events', () => {
    expect(enumOf(batch, 'EventKind')).toEqual(inSnake(EVENT));
    const flags = enumOf(batch, 'EventFlag');
    const { kBareLf: bareLf, kWellFormed: wellFormed, kMidstream: midstream, kFinished: finished } = flags;
    expect(EVENT_FLAG).toEqual({ bareLf, wellFormed, midstream, finished, tlsAlert: flags.kTlsAlert });
  });

  test('limits of the walk, each with words', () => {
    const names = /kLimitNames = \{([^}]*)\}/.exec(native('engine/content_facts.cc'))?.[1] ?? '';
    const written = [...names.matchAll(/"(\w*)"/g)].map(([, name]) => name);
    expect(written).toEqual(['', ...Object.keys(CONTENT_LIMITS)]);
    const { none, ...limits } = enumOf(native('engine/content_facts.h'), 'ContentLimit');
    expect(none).toBe(0);
    expect(Object.keys(limits)).toEqual(Object.keys(CONTENT_LIMITS));
  });

  test('orders', () => {
    expect(enumOf(batch, 'OrderOp')).toEqual(inSnake(ORDER));
    expect(enumOf(batch, 'ContentOrder')).toEqual(inSnake(CONTENT));
    expect(enumOf(native('core/framer.h'), 'FramingMode')).toEqual(inSnake(FRAMING));
    const orders = native('engine/orders.cc');
    expect(STOP.tls).toBe(constantOf(orders, 'kStopTls'));
    expect(STOP.authenticated).toBe(constantOf(orders, 'kStopAuthenticated'));
    expect(STOP.notOurs).toBeGreaterThan(STOP.authenticated);
  });

  test('facts of content', () => {
    expect(enumOf(native('engine/content_scan.h'), 'ContentFactKind')).toEqual(inSnake(CONTENT_FACT));
  });

  test('protocols and ends', () => {
    expect(Object.keys(enumOf(flow, 'PortProtocol'))).toEqual(PORT_PROTOCOLS);
    expect(Object.keys(enumOf(flow, 'EndReason')).map((name) => name.replaceAll('_', '-'))).toEqual(END_REASONS);
  });

  test('sizes', () => {
    const buffers = allocateBuffers();
    const header = constantOf(batch, 'kEventHeaderWords');
    const event = constantOf(batch, 'kEventWords');
    expect(buffers.events.byteLength / 4).toBe(header + constantOf(limits, 'kEventsPerBatchMax') * event);
    expect(buffers.arena.byteLength).toBe(constantOf(limits, 'kArenaBytes'));
    expect(buffers.orders.byteLength / 4).toBe(constantOf(limits, 'kOrderWordsMax'));
    // A refusal for every event of a batch finds room for its words.
    const refusals = constantOf(limits, 'kRefusalBytesMax') * constantOf(limits, 'kEventsPerBatchMax');
    expect(buffers.orderArena.byteLength).toBeGreaterThanOrEqual(refusals);
  });
});

describe('EventReader', () => {
  const buffers = allocateBuffers();
  const flow = {
    flow: 131_071,
    generation: 4_294_967_295,
    protocol: 'imap' as const,
    initiator: { address: [192, 0, 2, 1], port: 40_112 },
    responder: { address: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], port: 65_535 },
    inInterface: 3,
    outInterface: 4_000_000_000,
  };

  test('reads what stands in the words', () => {
    new FakeBatch(buffers, 1_763_752_000_123)
      .opened({ ...flow, packet: 9, midstream: true })
      .frame(flow, 'line', 'responder', { text: '+OK \xe9', flag: EVENT_FLAG.bareLf, packet: 7 })
      .frame(flow, 'dataEnd', 'initiator', { bytes: 5_000_000_000 })
      .closed(flow, 'held-too-long', [6_000_000_000, 7_000_000_000])
      .content(flow, [{ kind: 'limit', name: 'parts' }], { finished: true, packet: 11 });
    const reader = new EventReader(buffers);
    expect(reader.timeMs).toBe(1_763_752_000_123);

    reader.select(0);
    expect([reader.kind, reader.flow, reader.generation]).toEqual([EVENT.opened, 131_071, 4_294_967_295]);
    expect([reader.numberLow, reader.numberHigh, reader.extra]).toEqual([3, 4_000_000_000, 3 | (9 << 8)]);
    expect([reader.has(EVENT_FLAG.midstream), reader.has(EVENT_FLAG.wellFormed)]).toEqual([true, false]);
    const [initiator, responder] = readEndpoints(reader.octets);
    expect([[...initiator.address], initiator.port]).toEqual([[192, 0, 2, 1], 40_112]);
    expect([[...responder.address], responder.port]).toEqual([flow.responder.address, 65_535]);

    reader.select(1);
    expect([reader.kind, reader.side, reader.text, reader.extra]).toEqual([EVENT.line, 'responder', '+OK \xe9', 7]);
    expect(reader.has(EVENT_FLAG.bareLf)).toBe(true);

    reader.select(2);
    expect([reader.side, reader.number, reader.text]).toEqual(['initiator', 5_000_000_000, '']);

    reader.select(3);
    expect([reader.number, reader.secondNumber]).toEqual([6_000_000_000, 7_000_000_000]);
    expect(END_REASONS[reader.extra]).toBe('held-too-long');

    reader.select(4);
    expect([reader.kind, reader.side, reader.extra]).toEqual([EVENT.content, 'initiator', 11]);
    expect(reader.has(EVENT_FLAG.finished)).toBe(true);
    expect(readContentFacts(reader.octets)).toEqual([{ kind: 'limit', name: 'parts' }]);
  });

  test('reads the detail of a dropped packet', () => {
    const { initiator, responder } = flow;
    new FakeBatch(buffers).dropped([initiator, responder], 41, [7, 0x18, 4_294_967_290, 6]);
    const reader = new EventReader(buffers);
    reader.select(0);
    expect(reader.extra).toBe(41);
    expect(readDropDetail(reader.octets)).toEqual({
      ...{ ipIdent: 7, tcpFlags: 0x18, sequence: 4_294_967_290, acknowledgement: 6 },
    });
  });
});

describe('OrderWriter', () => {
  const sized = (words: number, arenaBytes = 64) => {
    const buffers = { orders: new ArrayBuffer(words * 4), orderArena: new ArrayBuffer(arenaBytes) };
    const writer = new OrderWriter(buffers);
    const read = () => readOrders(new Uint32Array(buffers.orders, 0, writer.length));
    return { writer, read, buffers };
  };

  test('writes each operation with its arguments', () => {
    const { writer, read } = sized(64);
    writer.forward(1, 'responder');
    writer.mask(1, 2, 3, 0x58);
    writer.pause(1, 'initiator');
    writer.resume(1, 'responder');
    writer.frame(1, 'initiator', FRAMING.counted, 2 ** 32 + 5);
    writer.frame(1, 'responder', FRAMING.lines, 512, true);
    writer.refuseWithReset(1);
    writer.stop(1, STOP.authenticated);
    writer.again(1);
    writer.idle(1, 3_600);
    writer.end(1, 'cleared');
    writer.content(1, CONTENT.beginChunks, 7);
    writer.content(1, CONTENT.finish, 0);
    expect(read().map(({ op, side, flags, arguments: rest }) => [op, side, flags, ...rest])).toEqual([
      ['forward', 'responder', 0],
      ['mask', 'initiator', 0x58, 2, 3],
      ['pause', 'initiator', 0],
      ['resume', 'responder', 0],
      ['frame', 'initiator', 1, 5, 1],
      ['frame', 'responder', 0x10, 512, 0],
      ['refuse', 'initiator', 1, 0, 0],
      ['stop', 'initiator', 2],
      ['again', 'initiator', 0],
      ['idle', 'initiator', 0, 3_600],
      ['end', 'initiator', 0, END_REASONS.indexOf('cleared')],
      ['content', 'initiator', 2, 7],
      ['content', 'initiator', 3, 0],
    ]);
  });

  test('puts the words of refusals one behind the other', () => {
    const { writer, read, buffers } = sized(64);
    writer.refuseWithWords(1, '554 no\r\n');
    writer.refuseWithWords(2, '-ERR\r\n');
    expect(read().map((order) => order.arguments)).toEqual([
      [0, 8],
      [8, 6],
    ]);
    expect(Buffer.from(buffers.orderArena).toString('latin1', 0, 14)).toBe('554 no\r\n-ERR\r\n');
  });

  test('counts what does not fit, writes no half of it, and begins again', () => {
    const { writer, read } = sized(5);
    writer.forward(1, 'initiator');
    writer.mask(1, 0, 1, 0x58);
    expect([writer.lost, writer.length]).toEqual([1, 2]);
    expect(read()).toHaveLength(1);
    writer.start();
    expect([writer.lost, writer.length]).toEqual([0, 0]);
    writer.mask(1, 0, 1, 0x58);
    expect([writer.lost, writer.length]).toEqual([0, 4]);
  });

  test('words of a refusal that find no room are lost, not cut', () => {
    const { writer, read } = sized(64, 8);
    writer.refuseWithWords(1, '554 5.7.1 refused\r\n');
    expect(writer.lost).toBe(1);
    expect(read()).toEqual([]);
  });
});
