import type { Side } from '../../src/inspect/inspector.ts';

/** An IPv4 packet of a capture. */
export type Packet = Buffer;

const INITIATOR_PORT = 40_001;
const ADDRESSES: Readonly<Record<Side, readonly number[]>> = { initiator: [192, 0, 2, 1], responder: [192, 0, 2, 2] };
const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17 } as const;
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINK_TYPE_RAW = 101;

export interface Segment {
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgement?: number;
  readonly payload?: string;
  readonly windowScale?: number;
}

/** A TCP segment between the initiator and this port of the responder. */
export function segment(from: Side, port: number, fields: Segment): Packet {
  const options = fields.windowScale === undefined ? [] : [3, 3, fields.windowScale, 0];
  const header = Buffer.alloc(20 + options.length);
  writePorts(header, from, port);
  header.writeUInt32BE(fields.sequence, 4);
  header.writeUInt32BE(fields.acknowledgement ?? 0, 8);
  header[12] = (header.length / 4) << 4;
  header[13] = fields.flags;
  header.writeUInt16BE(65_535, 14);
  header.set(options, 20);
  return withIp(from, 'tcp', Buffer.concat([header, Buffer.from(fields.payload ?? '', 'latin1')]), 16);
}

export function datagramPacket(from: Side, port: number, payload: string): Packet {
  const datagram = Buffer.concat([Buffer.alloc(8), Buffer.from(payload, 'latin1')]);
  writePorts(datagram, from, port);
  datagram.writeUInt16BE(datagram.length, 4);
  return withIp(from, 'udp', datagram, 6);
}

/** Echo (8) or its reply (0), with the one identifier. */
export function icmpEcho(from: Side, type: 8 | 0): Packet {
  const message = Buffer.from([type, 0, 0, 0, 0x12, 0x34, 0, 1]);
  message.writeUInt16BE(checksum(message), 2);
  return withIp(from, 'icmp', message);
}

/** The packets a millisecond apart, as pcap. */
export function fileOf(packets: readonly Packet[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(MAGIC_MICROSECONDS, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(LINK_TYPE_RAW, 20);
  const records = packets.flatMap((packet, index) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1_000_000, 0);
    record.writeUInt32LE(index * 1_000, 4);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    return [record, packet];
  });
  return Buffer.concat([header, ...records]);
}

function writePorts(header: Buffer, from: Side, port: number): void {
  header.writeUInt16BE(from === 'initiator' ? INITIATOR_PORT : port, 0);
  header.writeUInt16BE(from === 'initiator' ? port : INITIATOR_PORT, 2);
}

/** `checksumAt`: where the transport's checksum over the pseudo header goes. */
function withIp(from: Side, protocol: keyof typeof PROTOCOLS, body: Buffer, checksumAt?: number): Packet {
  const ends = [...ADDRESSES[from], ...ADDRESSES[from === 'initiator' ? 'responder' : 'initiator']];
  if (checksumAt !== undefined) {
    const pseudo = Buffer.from([...ends, 0, PROTOCOLS[protocol], body.length >> 8, body.length & 0xff]);
    body.writeUInt16BE(checksum(Buffer.concat([pseudo, body])), checksumAt);
  }
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(20 + body.length, 2);
  ip.writeUInt16BE(7, 4);
  ip[8] = 64;
  ip[9] = PROTOCOLS[protocol];
  ip.set(ends, 12);
  ip.writeUInt16BE(checksum(ip), 10);
  return Buffer.concat([ip, body]);
}

function checksum(octets: Buffer): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
