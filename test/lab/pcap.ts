/** As much of the pcap format, IPv4, IPv6 and TCP as it takes to say what bytes went over a wire. */

const GLOBAL_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const LINK_TYPE_AT = 20;
const LINK_TYPE_ETHERNET = 1;
const ETHERNET_HEADER_BYTES = 14;
const PROTOCOL_TCP = 6;

export interface Segment {
  readonly from: string;
  readonly to: string;
  readonly sequence: number;
  readonly flags: { readonly syn: boolean; readonly fin: boolean; readonly rst: boolean };
  readonly payload: Buffer;
}

function ipv6Text(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16)).join(':');
}

function parseTcp(packet: Buffer, offset: number, ends: { from: string; to: string }): Segment {
  const dataOffset = ((packet[offset + 12] ?? 0) >> 4) * 4;
  const flags = packet[offset + 13] ?? 0;
  return {
    from: `${ends.from}.${packet.readUInt16BE(offset)}`,
    to: `${ends.to}.${packet.readUInt16BE(offset + 2)}`,
    sequence: packet.readUInt32BE(offset + 4),
    flags: { fin: (flags & 1) !== 0, syn: (flags & 2) !== 0, rst: (flags & 4) !== 0 },
    payload: packet.subarray(offset + dataOffset),
  };
}

function parseIp(ip: Buffer): Segment | undefined {
  const version = (ip[0] ?? 0) >> 4;
  if (version === 4 && ip[9] === PROTOCOL_TCP) {
    const ends = { from: ip.subarray(12, 16).join('.'), to: ip.subarray(16, 20).join('.') };
    // A length of 0 is a super-packet beyond 65,535 bytes.
    const length = ip.readUInt16BE(2) || ip.length;
    return parseTcp(ip.subarray(0, length), ((ip[0] ?? 0) & 15) * 4, ends);
  }
  if (version === 6 && ip[6] === PROTOCOL_TCP) {
    const ends = { from: ipv6Text(ip.subarray(8, 24)), to: ipv6Text(ip.subarray(24, 40)) };
    const length = ip.readUInt16BE(4) === 0 ? ip.length : 40 + ip.readUInt16BE(4);
    return parseTcp(ip.subarray(0, length), 40, ends);
  }
  return undefined;
}

/** The TCP segments of a little-endian pcap file of Ethernet frames or bare IP packets, in the order of the file. */
export function segmentsOf(pcap: Buffer): Segment[] {
  const segments: Segment[] = [];
  const skipped = pcap.readUInt32LE(LINK_TYPE_AT) === LINK_TYPE_ETHERNET ? ETHERNET_HEADER_BYTES : 0;
  let at = GLOBAL_HEADER_BYTES;
  while (at + RECORD_HEADER_BYTES <= pcap.length) {
    const length = pcap.readUInt32LE(at + 8);
    const packet = pcap.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    const segment = parseIp(packet.subarray(skipped));
    if (segment !== undefined) segments.push(segment);
    at += RECORD_HEADER_BYTES + length;
  }
  return segments;
}

interface Direction {
  first: number;
  readonly bytes: Map<number, number>;
}

/**
 * What each peer sent, as the receiver would read it: keyed `from>to`, bytes in the order of sequence numbers, the first
 * copy of a byte counts, and the text ends at the first hole.
 */
export function streamsOf(segments: readonly Segment[]): Map<string, string> {
  const directions = new Map<string, Direction>();
  for (const segment of segments) {
    const key = `${segment.from}>${segment.to}`;
    let direction = directions.get(key);
    // A port that is used again starts a new stream; the capture of one test keeps the last.
    if (direction === undefined || segment.flags.syn) {
      const isRepeated = direction !== undefined && direction.first === segment.sequence + 1;
      if (!isRepeated) direction = { first: segment.sequence + (segment.flags.syn ? 1 : 0), bytes: new Map() };
      directions.set(key, direction as Direction);
    }
    const offset = (segment.sequence + (segment.flags.syn ? 1 : 0) - (direction as Direction).first) | 0;
    segment.payload.forEach((byte, index) => {
      const bytes = (direction as Direction).bytes;
      if (!bytes.has(offset + index)) bytes.set(offset + index, byte);
    });
  }
  return new Map([...directions].map(([key, { bytes }]) => [key, readInOrder(bytes)]));
}

function readInOrder(bytes: ReadonlyMap<number, number>): string {
  const read: number[] = [];
  for (let at = 0; bytes.has(at); at++) read.push(bytes.get(at) as number);
  return Buffer.from(read).toString('latin1');
}
