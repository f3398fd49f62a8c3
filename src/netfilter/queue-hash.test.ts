import { describe, expect, test } from 'vitest';
import { ipv4QueueProgram, ipv6QueueProgram, type QueueChoice } from './queue-hash.ts';

/**
 * Classic BPF as linux/filter.h defines it, for the instructions a queue program uses; a read beyond the packet ends
 * it.
 */
function runBpf(bytecode: string, packet: Uint8Array): number {
  const [count, ...lines] = bytecode.split(',');
  const program = lines.map((line) => line.split(' ').map(Number) as [number, number, number, number]);
  expect(program).toHaveLength(Number(count));
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const scratch = new Uint32Array(16);
  let a = 0;
  let x = 0;
  for (let pc = 0; pc < program.length; pc += 1) {
    const [operation, whenTrue, whenFalse, k] = program[pc] ?? [0x06, 0, 0, 0];
    try {
      switch (operation) {
        case 0x00:
          a = k;
          break;
        case 0x01:
          x = k;
          break;
        case 0x20:
          a = view.getUint32(k);
          break;
        case 0x30:
          a = view.getUint8(k);
          break;
        case 0x48:
          a = view.getUint16(x + k);
          break;
        case 0x50:
          a = view.getUint8(x + k);
          break;
        case 0xb1:
          x = 4 * (view.getUint8(k) & 0xf);
          break;
        case 0x61:
          x = scratch[k] ?? 0;
          break;
        case 0x02:
          scratch[k] = a;
          break;
        case 0x07:
          x = a;
          break;
        case 0xac:
          a = (a ^ x) >>> 0;
          break;
        case 0x24:
          a = Math.imul(a, k) >>> 0;
          break;
        case 0x64:
          a = (a << k) >>> 0;
          break;
        case 0x04:
          a = (a + k) >>> 0;
          break;
        case 0x0c:
          a = (a + x) >>> 0;
          break;
        case 0x74:
          a >>>= k;
          break;
        case 0x94:
          a %= k;
          break;
        case 0x05:
          pc += k;
          break;
        case 0x15:
          pc += a === k ? whenTrue : whenFalse;
          break;
        case 0x06:
          return k;
        default:
          throw new Error(`unknown operation ${operation}`);
      }
    } catch (error) {
      if (error instanceof RangeError) return 0;
      throw error;
    }
  }
  throw new Error('ran off the end');
}

interface Tuple {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly fromPort: number;
  readonly toPort: number;
}

function ipv4Packet(tuple: Tuple, optionBytes = 0, protocol = 6): Uint8Array {
  const header = 20 + optionBytes;
  const packet = new Uint8Array(header + 20);
  packet[0] = 0x40 | (header / 4);
  packet[9] = protocol;
  packet.set(tuple.from, 12);
  packet.set(tuple.to, 16);
  new DataView(packet.buffer).setUint16(header, tuple.fromPort);
  new DataView(packet.buffer).setUint16(header + 2, tuple.toPort);
  return packet;
}

/** `chain` has the extension headers, each with its type and the octets that it takes. */
function ipv6Packet(tuple: Tuple, protocol = 6, chain: readonly (readonly [number, number])[] = []): Uint8Array {
  const ports = 40 + chain.reduce((sum, [, octets]) => sum + octets, 0);
  const packet = new Uint8Array(ports + 20);
  packet[0] = 0x60;
  let [typeAt, at] = [6, 40];
  for (const [type, octets] of chain) {
    packet.fill(0x06, at, at + octets);
    packet[typeAt] = type;
    packet[at + 1] = octets / 8 - 1;
    [typeAt, at] = [at, at + octets];
  }
  packet[typeAt] = protocol;
  packet.set(tuple.from, 8);
  packet.set(tuple.to, 24);
  new DataView(packet.buffer).setUint16(ports, tuple.fromPort);
  new DataView(packet.buffer).setUint16(ports + 2, tuple.toPort);
  return packet;
}

const reverse = (tuple: Tuple): Tuple => ({
  from: tuple.to,
  to: tuple.from,
  fromPort: tuple.toPort,
  toPort: tuple.fromPort,
});

const KEY = 0x1234_5678;

function queueOf(program: (choice: QueueChoice) => string, packet: Uint8Array, queues: number, key = KEY): number {
  const matching = Array.from({ length: queues }, (_, index) => index).filter(
    (index) => runBpf(program({ queues, index, key }), packet) !== 0,
  );
  expect(matching).toHaveLength(1);
  return matching[0] ?? -1;
}

/** One relay with many connections: only its port changes. */
const connections: readonly Tuple[] = Array.from({ length: 2000 }, (_, index) => ({
  from: [203, 0, 113, 7],
  to: [192, 0, 2, 25],
  fromPort: 32_768 + 2 * index,
  toPort: 25,
}));
const address6 = (last: number): readonly number[] => [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, last];
const connections6 = connections.map((tuple) => ({ ...tuple, from: address6(1), to: address6(2) }));

describe.each([
  ['IPv4', ipv4QueueProgram, (tuple: Tuple) => ipv4Packet(tuple), connections],
  ['IPv6', ipv6QueueProgram, (tuple: Tuple) => ipv6Packet(tuple), connections6],
] as const)('%s', (_name, program, packetOf, tuples) => {
  test.each([2, 3, 4, 7])('with %i queues both directions get the same one, and exactly one', (queues) => {
    for (const tuple of tuples.slice(0, 200)) {
      expect(queueOf(program, packetOf(tuple), queues)).toBe(queueOf(program, packetOf(reverse(tuple)), queues));
    }
  });

  test('the connections of one relay spread over all queues', () => {
    const counts = [0, 0, 0, 0];
    for (const tuple of tuples) {
      const queue = queueOf(program, packetOf(tuple), 4);
      counts[queue] = (counts[queue] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(tuples.length / 8);
  });

  test('another key spreads them another way', () => {
    const differing = tuples.filter(
      (tuple) => queueOf(program, packetOf(tuple), 4) !== queueOf(program, packetOf(tuple), 4, 99),
    );
    expect(differing.length).toBeGreaterThan(tuples.length / 2);
  });
});

test('IPv4 options do not move the ports away', () => {
  for (const tuple of connections.slice(0, 100)) {
    expect(queueOf(ipv4QueueProgram, ipv4Packet(tuple, 12), 4)).toBe(queueOf(ipv4QueueProgram, ipv4Packet(tuple), 4));
  }
});

test('UDP is chosen by its ports as TCP is, in both families', () => {
  for (const tuple of connections.slice(0, 100)) {
    expect(queueOf(ipv4QueueProgram, ipv4Packet(tuple, 0, 17), 4)).toBe(
      queueOf(ipv4QueueProgram, ipv4Packet(tuple), 4),
    );
  }
  const udp6 = connections6.slice(0, 200).map((tuple) => queueOf(ipv6QueueProgram, ipv6Packet(tuple, 17), 4));
  expect(new Set(udp6).size).toBe(4);
  const back = connections6.slice(0, 200).map((tuple) => queueOf(ipv6QueueProgram, ipv6Packet(reverse(tuple), 17), 4));
  expect(back).toEqual(udp6);
});

const [HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS] = [0, 43, 60] as const;
const queue6 = (packet: Uint8Array) => queueOf(ipv6QueueProgram, packet, 4);

describe.each([
  ['destination options', [[DESTINATION_OPTIONS, 8]]],
  ['long hop-by-hop options', [[HOP_BY_HOP, 2048]]],
  ['a routing header', [[ROUTING, 24]]],
  [
    'hop-by-hop and destination options',
    [
      [HOP_BY_HOP, 16],
      [DESTINATION_OPTIONS, 40],
    ],
  ],
  [
    'destination options and a routing header',
    [
      [DESTINATION_OPTIONS, 2048],
      [ROUTING, 8],
    ],
  ],
] as const)('behind %s', (_name, chain) => {
  test('TCP and UDP go where the connection goes without, in both directions', () => {
    for (const tuple of connections6.slice(0, 100)) {
      const plain = queue6(ipv6Packet(tuple));
      for (const protocol of [6, 17]) {
        expect(queue6(ipv6Packet(tuple, protocol, chain))).toBe(plain);
        expect(queue6(ipv6Packet(reverse(tuple), protocol, chain))).toBe(plain);
      }
    }
  });
});

test.each([
  ['ICMPv6', 58, []],
  ['ICMPv6 behind destination options', 58, [[DESTINATION_OPTIONS, 8]]],
  [
    'TCP behind three extension headers',
    6,
    [
      [HOP_BY_HOP, 8],
      [DESTINATION_OPTIONS, 8],
      [ROUTING, 8],
    ],
  ],
  [
    'hop-by-hop options that do not stand first (RFC 8200 4.1)',
    6,
    [
      [DESTINATION_OPTIONS, 8],
      [HOP_BY_HOP, 8],
    ],
  ],
  ['what is no extension header', 50, []],
] as const)('for %s the addresses decide alone, in both directions', (_name, protocol, chain) => {
  const queues = connections6
    .slice(0, 100)
    .flatMap((tuple) => [ipv6Packet(tuple, protocol, chain), ipv6Packet(reverse(tuple), protocol, chain)])
    .map(queue6);
  expect(new Set(queues).size).toBe(1);
});

test.each([ipv4QueueProgram, ipv6QueueProgram])('xt_bpf takes the program: 64 instructions at most', (program) => {
  const lines = program({ queues: 8, index: 7, key: KEY }).split(',').slice(1);
  expect(lines.length).toBeLessThanOrEqual(64);
  for (const line of lines) expect(line).toMatch(/^\d+ \d+ \d+ \d+$/);
});

test('a packet cut off before its ports matches no program and falls through to the last queue', () => {
  for (const index of [0, 1]) {
    expect(
      runBpf(ipv4QueueProgram({ queues: 2, index, key: KEY }), ipv4Packet(connections[0] as Tuple).slice(0, 21)),
    ).toBe(0);
    const behind = ipv6Packet(connections6[0] as Tuple, 6, [[DESTINATION_OPTIONS, 64]]);
    for (const octets of [41, 60, 106])
      expect(runBpf(ipv6QueueProgram({ queues: 2, index, key: KEY }), behind.slice(0, octets))).toBe(0);
  }
});
