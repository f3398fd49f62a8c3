import type { Side } from '../../src/inspect/inspector.ts';
import { ACK, checksum, FIN, RST, SYN } from './tcp-packet.ts';

const GLOBAL_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const PROTOCOL_TCP = 6;

/** What one peer got of the other's stream. */
export interface Received {
  readonly text: string;
  readonly finished: boolean;
  readonly reset: boolean;
}

interface Direction {
  initial: number | undefined;
  readonly octets: Map<number, number>;
  acknowledged: number;
  finAt: number | undefined;
  reset: boolean;
}

/**
 * Reads what was forwarded as the strictest receivers would: checksums must be right, an octet that comes again before it
 * was acknowledged must be the same octet, nobody may acknowledge what never arrived, nothing may come behind a FIN, and
 * no gap may stay but before an RST.
 * Throws with the packet's number where that does not hold. Keyed by the sender.
 */
export function readStreams(pcap: Buffer, responderPort: number): Readonly<Record<Side, Received>> {
  const directions = { initiator: newDirection(), responder: newDirection() };
  let number = 0;
  for (let at = GLOBAL_HEADER_BYTES; at < pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8);
    number += 1;
    try {
      readPacket(pcap.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length), responderPort, directions);
    } catch (error) {
      throw new Error(`packet ${number} of the output: ${error instanceof Error ? error.message : String(error)}`);
    }
    at += RECORD_HEADER_BYTES + length;
  }
  return { initiator: received(directions.initiator), responder: received(directions.responder) };
}

function newDirection(): Direction {
  return { initial: undefined, octets: new Map(), acknowledged: 0, finAt: undefined, reset: false };
}

function readPacket(packet: Buffer, responderPort: number, directions: Record<Side, Direction>): void {
  const tcp = tcpOf(packet);
  const from: Side = tcp.readUInt16BE(0) === responderPort ? 'responder' : 'initiator';
  const sender = directions[from];
  const receiver = directions[from === 'responder' ? 'initiator' : 'responder'];
  const flags = tcp[13] ?? 0;
  const sequence = tcp.readUInt32BE(4);
  if ((flags & RST) !== 0) {
    sender.reset = true;
    return;
  }
  if ((flags & SYN) !== 0) sender.initial = sequence + 1;
  else readSegment(sender, tcp, flags);
  if ((flags & ACK) !== 0) readAcknowledgement(receiver, tcp.readUInt32BE(8));
}

function tcpOf(packet: Buffer): Buffer {
  const version = (packet[0] ?? 0) >> 4;
  const [header, addresses, protocol] =
    version === 4 ? [20, packet.subarray(12, 20), packet[9]] : [40, packet.subarray(8, 40), packet[6]];
  const said = version === 4 ? packet.readUInt16BE(2) : 40 + packet.readUInt16BE(4);
  if (protocol !== PROTOCOL_TCP || said !== packet.length) throw new Error('the IP header does not fit the packet');
  if (version === 4 && checksum(packet.subarray(0, 20)) !== 0) throw new Error('IPv4 checksum');
  const tcp = packet.subarray(header);
  const pseudo = Buffer.alloc(4);
  pseudo.writeUInt16BE(PROTOCOL_TCP, 0);
  pseudo.writeUInt16BE(tcp.length, 2);
  if (checksum(Buffer.concat([addresses, pseudo, tcp])) !== 0) throw new Error('TCP checksum');
  return tcp;
}

function readSegment(sender: Direction, tcp: Buffer, flags: number): void {
  if (sender.initial === undefined) throw new Error('a segment before the SYN');
  const offset = (tcp.readUInt32BE(4) - sender.initial) | 0;
  const payload = tcp.subarray(((tcp[12] ?? 0) >> 4) * 4);
  for (const [index, octet] of payload.entries()) {
    const place = offset + index;
    if (place < sender.acknowledged) continue;
    if (sender.finAt !== undefined && place >= sender.finAt) throw new Error(`octet ${place} behind the FIN`);
    const known = sender.octets.get(place);
    if (known !== undefined && known !== octet) throw new Error(`octet ${place} came as ${known} and as ${octet}`);
    sender.octets.set(place, octet);
  }
  if ((flags & FIN) === 0) return;
  const finAt = offset + payload.length;
  if (sender.finAt !== undefined && sender.finAt !== finAt) throw new Error('the FIN has moved');
  sender.finAt = finAt;
}

function readAcknowledgement(direction: Direction, acknowledgement: number): void {
  // Whoever still answers a peer that was reset is the firewall, which heard what it swallowed.
  if (direction.reset) return;
  if (direction.initial === undefined) throw new Error('an acknowledgement before the SYN');
  const offset = (acknowledgement - direction.initial) | 0;
  const end = contiguous(direction);
  const fin = direction.finAt === end ? 1 : 0;
  if (offset > end + fin) throw new Error(`${offset} octets acknowledged of ${end}`);
  direction.acknowledged = Math.max(direction.acknowledged, offset);
}

function contiguous({ octets }: Direction): number {
  let end = 0;
  while (octets.has(end)) end += 1;
  return end;
}

function received(direction: Direction): Received {
  const end = contiguous(direction);
  if (direction.octets.size !== end && !direction.reset)
    throw new Error('octets arrived behind a gap that never closed');
  const text = Buffer.from(Array.from({ length: end }, (_, at) => direction.octets.get(at) ?? 0)).toString('latin1');
  return { text, finished: direction.finAt === end, reset: direction.reset };
}
