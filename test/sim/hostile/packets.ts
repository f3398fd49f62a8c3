import type { Side } from '../../../src/inspect/inspector.ts';

/** Segments of the hostile network as octets, and back. Written apart from the product's own code. */

export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const;
const TCP = 6;
const DESTINATION_OPTIONS = 60;
const PADDING = Buffer.from([TCP, 0, 1, 4, 0, 0, 0, 0]);
export const WINDOW_BYTES = 65_535;
const HOPS = 64;

/** A connection by its ends; the version goes for both. */
export interface Ends {
  readonly version: 4 | 6;
  readonly clientPort: number;
  readonly serverPort: number;
}

export interface Segment {
  readonly from: Side;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly payload: string;
  /** Value and echo (RFC 7323 3.2). */
  readonly timestamps?: readonly [value: number, echo: number] | undefined;
  readonly urgent?: number;
  readonly windowBytes?: number;
  /** Routers on its way before it is gone: TTL, or hop limit. */
  readonly hops?: number;
  /** IPv6: behind a Destination Options header of padding (RFC 8200 4.6). */
  readonly padded?: boolean;
}

export interface ReadSegment extends Segment {
  readonly clientPort: number;
  readonly windowBytes: number;
  readonly hops: number;
}

export function sum(octets: Buffer): number {
  let total = 0;
  for (let at = 0; at < octets.length; at += 2) total += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

const address = (version: 4 | 6, side: Side): Buffer => {
  const last = side === 'initiator' ? 1 : 2;
  return version === 4 ? Buffer.from([203, 0, 113, last]) : Buffer.from(`20010db8${'00'.repeat(11)}0${last}`, 'hex');
};

export function build(ends: Ends, segment: Segment): Buffer {
  const options = Buffer.alloc(segment.timestamps === undefined ? 0 : 12, 1);
  if (segment.timestamps !== undefined) {
    options.writeUInt16BE(0x080a, 2);
    options.writeUInt32BE(segment.timestamps[0] >>> 0, 4);
    options.writeUInt32BE(segment.timestamps[1] >>> 0, 8);
  }
  const toServer = segment.from === 'initiator';
  const header = Buffer.alloc(20);
  header.writeUInt16BE(toServer ? ends.clientPort : ends.serverPort, 0);
  header.writeUInt16BE(toServer ? ends.serverPort : ends.clientPort, 2);
  header.writeUInt32BE(segment.sequence >>> 0, 4);
  header.writeUInt32BE(segment.acknowledgement >>> 0, 8);
  header[12] = (20 + options.length) << 2;
  header[13] = segment.flags;
  header.writeUInt16BE(segment.windowBytes ?? WINDOW_BYTES, 14);
  header.writeUInt16BE(segment.urgent ?? 0, 18);
  const tcp = Buffer.concat([header, options, Buffer.from(segment.payload, 'latin1')]);
  const source = address(ends.version, segment.from);
  const destination = address(ends.version, toServer ? 'responder' : 'initiator');
  const pseudo = Buffer.from([0, TCP, tcp.length >> 8, tcp.length & 0xff]);
  tcp.writeUInt16BE(sum(Buffer.concat([source, destination, pseudo, tcp])), 16);
  const { hops } = segment;
  const between = { version: ends.version, source, destination, hops };
  if (segment.padded !== true || ends.version === 4) return withIp(between, TCP, tcp);
  return withIp(between, DESTINATION_OPTIONS, Buffer.concat([PADDING, tcp]));
}

interface Between {
  readonly version: 4 | 6;
  readonly source: Buffer;
  readonly destination: Buffer;
  readonly hops?: number | undefined;
}

function withIp({ version, source, destination, hops = HOPS }: Between, protocol: number, body: Buffer): Buffer {
  const ip = Buffer.alloc(version === 4 ? 12 : 8);
  if (version === 6) {
    ip[0] = 0x60;
    ip.writeUInt16BE(body.length, 4);
    ip.writeUInt16BE((protocol << 8) | hops, 6);
    return Buffer.concat([ip, source, destination, body]);
  }
  ip[0] = 0x45;
  ip.writeUInt16BE(20 + body.length, 2);
  ip.writeUInt16BE((hops << 8) | protocol, 8);
  const whole = Buffer.concat([ip, source, destination]);
  whole.writeUInt16BE(sum(whole), 10);
  return Buffer.concat([whole, body]);
}

/** A datagram that no rule inspects: it goes through at once, and its size empties the output's buffer. */
export function flusher(): Buffer {
  const body = Buffer.alloc(4_200);
  body.writeUInt16BE(7, 0);
  body.writeUInt16BE(7, 2);
  body.writeUInt16BE(body.length, 4);
  return withIp({ version: 4, source: address(4, 'initiator'), destination: address(4, 'responder') }, 17, body);
}

/** SYN and FIN at once: dropped, and told. */
export function bell(): Buffer {
  const ends: Ends = { version: 4, clientPort: 9, serverPort: 9 };
  const flags = FLAG.syn | FLAG.fin;
  return build(ends, { from: 'initiator', sequence: 1, acknowledgement: 0, flags, payload: '' });
}

/** Reads a TCP segment; nothing for another protocol. Throws where a strict receiver would not take it. */
export function read(packet: Buffer): ReadSegment | undefined {
  const version = (packet[0] ?? 0) >> 4;
  const padded = version === 6 && packet[6] === DESTINATION_OPTIONS;
  const [header, ends, protocol] =
    version === 4
      ? [20, packet.subarray(12, 20), packet[9]]
      : [padded ? 48 : 40, packet.subarray(8, 40), packet[padded ? 40 : 6]];
  if (protocol !== TCP) return undefined;
  const length = version === 4 ? packet.readUInt16BE(2) : 40 + packet.readUInt16BE(4);
  if (length !== packet.length) throw new Error('the IP length does not fit the packet');
  if (version === 4 && sum(packet.subarray(0, 20)) !== 0) throw new Error('IPv4 checksum');
  const tcp = packet.subarray(header);
  const pseudo = Buffer.from([0, TCP, tcp.length >> 8, tcp.length & 0xff]);
  if (sum(Buffer.concat([ends, pseudo, tcp])) !== 0) throw new Error('TCP checksum');
  const from: Side = tcp.readUInt16BE(0) > 1_024 ? 'initiator' : 'responder';
  const dataAt = ((tcp[12] ?? 0) >> 4) * 4;
  const stamped = dataAt >= 32 && tcp.readUInt16BE(22) === 0x080a;
  return {
    from,
    clientPort: tcp.readUInt16BE(from === 'initiator' ? 0 : 2),
    sequence: tcp.readUInt32BE(4),
    acknowledgement: tcp.readUInt32BE(8),
    flags: tcp[13] ?? 0,
    urgent: tcp.readUInt16BE(18),
    windowBytes: tcp.readUInt16BE(14),
    hops: packet[version === 4 ? 8 : 7] ?? 0,
    padded,
    payload: tcp.toString('latin1', dataAt),
    timestamps: stamped ? [tcp.readUInt32BE(24), tcp.readUInt32BE(28)] : undefined,
  };
}
