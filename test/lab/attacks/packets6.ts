/** IPv6 with extension headers and fragments (RFC 8200 4), and TCP in it. */
import { decodeTcp, type Heard, type Line, macOf, type Segment, tcpOf } from './packets.ts';

const ETHERTYPE_IPV6 = Buffer.from([0x86, 0xdd]);
const [ROUTING, FRAGMENT, DESTINATION_OPTIONS, TCP] = [43, 44, 60, 6] as const;
/** A routing header of a type for experiments, that has no way to go (RFC 3692). */
const ROUTING_DONE = [253, 0, 0, 0, 0, 0];
const PAD_N = [1, 4, 0, 0, 0, 0];
const HEADER_OCTETS = 40;

/**
 * `options`: Destination Options with PadN. `routing`: type 0, one address, so many of them left (RFC 5095).
 * `chain`: the types of further headers in front of those, with nothing in them.
 */
export interface Extensions {
  readonly chain?: readonly number[];
  readonly options?: boolean;
  readonly routing?: { readonly left: number; readonly address: string };
}

export interface Fragment {
  /** Of the payload, a multiple of eight. */
  readonly from: number;
  readonly to: number;
  readonly more: boolean;
  /** Other octets instead of those of the segment. */
  readonly filler?: string;
}

export function addressOf6(text: string): Buffer {
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [before, behind] = [groups(head), groups(tail)];
  const zeros = new Array<string>(8 - before.length - behind.length).fill('0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...behind].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * index);
  }
  return bytes;
}

function ipHeader(line: Line, next: number, octets: number): Buffer {
  const header = Buffer.alloc(HEADER_OCTETS);
  header[0] = 0x60;
  header.writeUInt16BE(octets, 4);
  header[6] = next;
  header[7] = 64;
  addressOf6(line.source).copy(header, 8);
  addressOf6(line.destination).copy(header, 24);
  return header;
}

/** The extension headers in front of TCP, and the number of the first. */
function chainOf({ options, routing, chain = [] }: Extensions): { first: number; octets: Buffer } {
  let first: number = TCP;
  let octets: Buffer = Buffer.alloc(0);
  if (routing !== undefined) {
    const header = Buffer.concat([Buffer.from([first, 2, 0, routing.left, 0, 0, 0, 0]), addressOf6(routing.address)]);
    octets = Buffer.concat([header, octets]);
    first = ROUTING;
  }
  if (options === true) {
    octets = Buffer.concat([Buffer.from([first, 0, 1, 4, 0, 0, 0, 0]), octets]);
    first = DESTINATION_OPTIONS;
  }
  for (const type of chain.toReversed()) {
    octets = Buffer.concat([Buffer.from([first, 0, ...(type === ROUTING ? ROUTING_DONE : PAD_N)]), octets]);
    first = type;
  }
  return { first, octets };
}

function pseudo6(line: Line): (octets: number) => Buffer {
  return (octets) => {
    const tail = Buffer.alloc(8);
    tail.writeUInt32BE(octets, 0);
    tail[7] = TCP;
    return Buffer.concat([addressOf6(line.source), addressOf6(line.destination), tail]);
  };
}

const ethernet = ({ macs }: Line) => Buffer.concat([macOf(macs.destination), macOf(macs.source), ETHERTYPE_IPV6]);

export function encode6(line: Line, segment: Segment, extensions: Extensions = {}): Buffer {
  const { first, octets } = chainOf(extensions);
  const payload = Buffer.concat([octets, tcpOf(line, segment, pseudo6(line))]);
  return Buffer.concat([ethernet(line), ipHeader(line, first, payload.length), payload]);
}

let identification = 1;

/** The segment in these fragments, overlapping or not, in this order. */
export function encodeFragments6(line: Line, segment: Segment, fragments: readonly Fragment[]): Buffer[] {
  const tcp = tcpOf(line, segment, pseudo6(line));
  const id = identification++;
  return fragments.map(({ from, to, more, filler }) => {
    const header = Buffer.from([TCP, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt16BE(from | (more ? 1 : 0), 2);
    header.writeUInt32BE(id, 4);
    const body = filler === undefined ? tcp.subarray(from, to) : Buffer.from(filler, 'latin1');
    const payload = Buffer.concat([header, body]);
    return Buffer.concat([ethernet(line), ipHeader(line, FRAGMENT, payload.length), payload]);
  });
}

/** Reads a TCP segment that stands right behind its IPv6 header; nothing when the frame holds something else. */
export function decode6(frame: Buffer): Heard | undefined {
  if (frame.length < 74 || frame.readUInt16BE(12) !== 0x86dd || frame[20] !== TCP) return undefined;
  const ip = frame.subarray(14, 14 + HEADER_OCTETS + frame.readUInt16BE(18));
  const ends = { source: ip.subarray(8, 24).toString('hex'), destination: ip.subarray(24, 40).toString('hex') };
  return { ...ends, ...decodeTcp(ip.subarray(HEADER_OCTETS)) };
}
