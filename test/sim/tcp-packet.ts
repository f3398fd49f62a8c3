import type { Side } from '../../src/inspect/inspector.ts';

/** Control bits (RFC 9293 3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

const WINDOW_BYTES = 65_535;
const TCP_HEADER_BYTES = 20;
const PROTOCOL_TCP = 6;
const INITIATOR_PORT = 40_001;

/** The two ends of the one connection of a capture. */
export interface Ends {
  readonly version: 4 | 6;
  /** The responder's. */
  readonly port: number;
}

export interface SegmentFields {
  readonly from: Side;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly payload: Buffer;
}

/** An IP packet with right checksums (RFC 791, RFC 8200, RFC 9293 3.1). */
export function buildPacket(ends: Ends, segment: SegmentFields): Buffer {
  const source = addressOf(ends, segment.from);
  const destination = addressOf(ends, segment.from === 'initiator' ? 'responder' : 'initiator');
  const tcp = buildTcp(ends, segment);
  const pseudo = Buffer.alloc(4);
  pseudo.writeUInt16BE(PROTOCOL_TCP, 0);
  pseudo.writeUInt16BE(tcp.length, 2);
  tcp.writeUInt16BE(checksum(Buffer.concat([source, destination, pseudo, tcp])), 16);
  return Buffer.concat([buildIp(ends, tcp.length, source, destination), tcp]);
}

function addressOf({ version }: Ends, side: Side): Buffer {
  const last = side === 'initiator' ? 1 : 2;
  if (version === 4) return Buffer.from([192, 0, 2, last]);
  return Buffer.from([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
}

function buildTcp({ port }: Ends, { from, sequence, acknowledgement, flags, payload }: SegmentFields): Buffer {
  const header = Buffer.alloc(TCP_HEADER_BYTES);
  header.writeUInt16BE(from === 'initiator' ? INITIATOR_PORT : port, 0);
  header.writeUInt16BE(from === 'initiator' ? port : INITIATOR_PORT, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE(acknowledgement >>> 0, 8);
  header[12] = (TCP_HEADER_BYTES / 4) << 4;
  header[13] = flags;
  header.writeUInt16BE(WINDOW_BYTES, 14);
  return Buffer.concat([header, payload]);
}

function buildIp({ version }: Ends, length: number, source: Buffer, destination: Buffer): Buffer {
  if (version === 6) {
    const header = Buffer.alloc(8);
    header[0] = 0x60;
    header.writeUInt16BE(length, 4);
    header[6] = PROTOCOL_TCP;
    header[7] = 64;
    return Buffer.concat([header, source, destination]);
  }
  const header = Buffer.alloc(12);
  header[0] = 0x45;
  header.writeUInt16BE(20 + length, 2);
  header[8] = 64;
  header[9] = PROTOCOL_TCP;
  const whole = Buffer.concat([header, source, destination]);
  whole.writeUInt16BE(checksum(whole), 10);
  return whole;
}

/** The Internet checksum (RFC 1071). */
export function checksum(octets: Buffer): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
