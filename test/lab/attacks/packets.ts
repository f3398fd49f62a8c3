/** IPv4 and TCP as octets, with everything wrong that a case asks for. */

const FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 };
const ETHERTYPE_IPV4 = Buffer.from([0x08, 0x00]);
const TIMESTAMPS_OPTION = Buffer.from([1, 1, 8, 10]);

/** What a case can make odd about a segment. */
export interface Oddities {
  readonly csum?: 'bad';
  readonly ttl?: string;
  /** Flag letters; `0` is none. */
  readonly fl?: string;
  /** Octets that the acknowledgement is ahead. */
  readonly ack?: string;
  /** What the timestamp is ahead. */
  readonly ts?: string;
  /** `md5`, `wscaleN`, `endless` (of no length), or the number of an option that nobody knows. */
  readonly opt?: string;
  readonly reserved?: string;
  readonly urg?: string;
  readonly tos?: string;
  /** The window as it stands in the header. */
  readonly window?: string;
  /** Octets behind the IP packet in its frame. */
  readonly padding?: string;
  /** Octets of the IP payload in the first of two fragments, the second of which goes first. */
  readonly fragment?: string;
  /** Octets by which the second fragment, which then goes behind the first, reaches back into it, filled with V. */
  readonly overlap?: string;
  /** The second fragment never comes. */
  readonly unfinished?: string;
  /** The header's length in words of 32 bits, as it says itself. */
  readonly doff?: string;
  /** Without timestamps, although they were agreed to. */
  readonly nots?: string;
  /** Options of the IP header, in hex. */
  readonly ipopt?: string;
  readonly ipcsum?: 'bad';
}

export interface Line {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly macs: { readonly source: string; readonly destination: string };
}

export interface Segment extends Oddities {
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly timestamps: readonly [value: number, echo: number];
  readonly payload: string;
}

const addressOf = (text: string) => Buffer.from(text.split('.').map(Number));
export const macOf = (text: string) => Buffer.from(text.replaceAll(':', ''), 'hex');

export function checksum(...parts: readonly Buffer[]): number {
  const bytes = Buffer.concat(parts);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function optionsOf({ opt, ts, nots, timestamps: [value, echo] }: Segment): Buffer {
  if (nots !== undefined) return Buffer.alloc(0);
  const stamps = Buffer.alloc(8);
  stamps.writeUInt32BE((value + Number(ts ?? 0)) >>> 0, 0);
  stamps.writeUInt32BE(echo >>> 0, 4);
  const known = Buffer.concat([TIMESTAMPS_OPTION, stamps]);
  if (opt === undefined) return known;
  if (opt.startsWith('wscale')) return Buffer.concat([known, Buffer.from([3, 3, Number(opt.slice(6)), 1])]);
  if (opt === 'endless') return Buffer.concat([known, Buffer.from([254, 0, 0, 0])]);
  const other = opt === 'md5' ? [1, 1, 19, 18, ...new Array(16).fill(7)] : [Number(opt), 4, 0, 0];
  return Buffer.concat([known, Buffer.from(other)]);
}

/** The TCP segment, with the pseudo-header of the protocol that carries so many octets of it. */
export function tcpOf(line: Line, segment: Segment, pseudoOf: (octets: number) => Buffer): Buffer {
  const options = optionsOf(segment);
  const header = Buffer.alloc(20);
  const letters = segment.fl ?? 'PA';
  const flags = [...letters].reduce((sum, letter) => sum | (FLAGS[letter] ?? 0), 0);
  header.writeUInt16BE(line.sourcePort, 0);
  header.writeUInt16BE(line.destinationPort, 2);
  header.writeUInt32BE(segment.sequence >>> 0, 4);
  header.writeUInt32BE((segment.acknowledgement + Number(segment.ack ?? 0)) >>> 0, 8);
  const words = Number(segment.doff ?? (20 + options.length) / 4);
  header[12] = (words << 4) | (Number(segment.reserved ?? 0) << 1);
  header[13] = flags;
  header.writeUInt16BE(Number(segment.window ?? 0xffff), 14);
  header.writeUInt16BE(Number(segment.urg ?? 0), 18);
  const tcp = Buffer.concat([header, options, Buffer.from(segment.payload, 'latin1')]);
  tcp.writeUInt16BE(checksum(pseudoOf(tcp.length), tcp) ^ (segment.csum === 'bad' ? 0x5555 : 0), 16);
  return tcp;
}

function pseudo4({ source, destination }: Line): (octets: number) => Buffer {
  return (octets) => {
    const pseudo = Buffer.concat([addressOf(source), addressOf(destination), Buffer.from([0, 6, 0, 0])]);
    pseudo.writeUInt16BE(octets, 10);
    return pseudo;
  };
}

let identification = 1;

function framesOf(line: Line, segment: Segment, tcp: Buffer): Buffer[] {
  const cut = segment.fragment === undefined ? tcp.length : Number(segment.fragment);
  const id = identification++;
  const options = Buffer.from(segment.ipopt ?? '', 'hex');
  const frame = (from: number, body: Buffer, more: boolean) => {
    const ip = Buffer.concat([Buffer.alloc(20), options]);
    ip[0] = 0x40 | (ip.length / 4);
    ip[1] = Number(segment.tos ?? 0);
    ip.writeUInt16BE(ip.length + body.length, 2);
    ip.writeUInt16BE(id & 0xffff, 4);
    ip.writeUInt16BE((more ? 0x2000 : 0) | (from >> 3), 6);
    ip[8] = Number(segment.ttl ?? 64);
    ip[9] = 6;
    addressOf(line.source).copy(ip, 12);
    addressOf(line.destination).copy(ip, 16);
    ip.writeUInt16BE(checksum(ip) ^ (segment.ipcsum === 'bad' ? 0x5555 : 0), 10);
    const padding = Buffer.from(segment.padding ?? '', 'latin1');
    const ethernet = [macOf(line.macs.destination), macOf(line.macs.source), ETHERTYPE_IPV4];
    return Buffer.concat([...ethernet, ip, body, padding]);
  };
  if (cut >= tcp.length) return [frame(0, tcp, false)];
  const first = frame(0, tcp.subarray(0, cut), true);
  if (segment.unfinished !== undefined) return [first];
  const back = Number(segment.overlap ?? 0);
  const second = frame(cut - back, Buffer.concat([Buffer.alloc(back, 'V'), tcp.subarray(cut)]), false);
  return back > 0 ? [first, second] : [second, first];
}

/** The Ethernet frames of a segment, in the order in which they are to be sent. */
export function encode(line: Line, segment: Segment): Buffer[] {
  return framesOf(line, segment, tcpOf(line, segment, pseudo4(line)));
}

/** A segment as it came. */
export interface Heard {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly timestamp: number;
  readonly payload: Buffer;
}

/** Reads a TCP segment out of a frame; nothing when it holds something else. */
export function decode(frame: Buffer): Heard | undefined {
  if (frame.length < 54 || frame.readUInt16BE(12) !== 0x0800 || frame[23] !== 6) return undefined;
  // A fragment: its other half is elsewhere.
  if ((frame.readUInt16BE(20) & 0x3fff) !== 0) return undefined;
  const ip = frame.subarray(14, 14 + frame.readUInt16BE(16));
  const ends = { source: ip.subarray(12, 16).join('.'), destination: ip.subarray(16, 20).join('.') };
  return { ...ends, ...decodeTcp(ip.subarray(20)) };
}

/** What stands in the TCP segment itself. */
export function decodeTcp(tcp: Buffer): Omit<Heard, 'source' | 'destination'> {
  const dataAt = ((tcp[12] ?? 0) >> 4) * 4;
  const stamps = tcp.subarray(20, dataAt - 8).indexOf(TIMESTAMPS_OPTION.subarray(2));
  return {
    sourcePort: tcp.readUInt16BE(0),
    destinationPort: tcp.readUInt16BE(2),
    sequence: tcp.readUInt32BE(4),
    acknowledgement: tcp.readUInt32BE(8),
    flags: tcp[13] ?? 0,
    timestamp: stamps < 0 ? 0 : tcp.readUInt32BE(20 + stamps + 2),
    payload: tcp.subarray(dataAt),
  };
}
