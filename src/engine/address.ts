import type { Endpoint } from '../firewall/snapshot.ts';
import { type RawEndpoint, readEndpoints } from '../native/event-batch.ts';

/**
 * The two endpoints of a flow as the event brought them, one latin-1 character an octet: a session keeps them so, in a
 * fraction of what four objects of text take, and reads them when somebody asks.
 */
export type PackedEnds = string;

export function unpackEnds(ends: PackedEnds): readonly [initiator: Endpoint, responder: Endpoint] {
  const [initiator, responder] = readEndpoints(Buffer.from(ends, 'latin1'));
  return [endpointOf(initiator), endpointOf(responder)];
}

export function endpointOf({ address, port }: RawEndpoint): Endpoint {
  return { address: formatAddress(address), port };
}

/** An address of 4 or 16 octets as text; IPv6 in the form of RFC 5952 4. */
export function formatAddress(octets: Uint8Array): string {
  return octets.length === 4 ? octets.join('.') : formatIpv6(octets);
}

function formatIpv6(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0));
  const gap = longestZeroRun(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (gap.length < 2) return text(groups);
  return `${text(groups.slice(0, gap.start))}::${text(groups.slice(gap.start + gap.length))}`;
}

/** RFC 5952 4.2: the longest run of zero groups is shortened, the first of equals. */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end += 1;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

/** The octets of an address as text, in any spelling; undefined when it is none. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const [left = '', right, rest] = text.split('::');
  if (rest !== undefined) return undefined;
  const whole = right === undefined;
  const [head, tail] = [groupsOf(left, whole), whole ? [] : groupsOf(right, true)];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (whole ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const octets = parts.map(Number);
  return octets.every((octet) => octet < 256) ? Uint8Array.from(octets) : undefined;
}

/** The 16-bit groups of a part of an IPv6 address; the last 32 bits of its end may stand as IPv4 (RFC 4291 2.2). */
function groupsOf(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const words = text.split(':');
  for (const [index, word] of words.entries()) {
    const four = isEnd && index === words.length - 1 ? parseIpv4(word) : undefined;
    if (four !== undefined) groups.push(((four[0] ?? 0) << 8) | (four[1] ?? 0), ((four[2] ?? 0) << 8) | (four[3] ?? 0));
    else if (/^[0-9a-f]{1,4}$/i.test(word)) groups.push(Number.parseInt(word, 16));
    else return undefined;
  }
  return groups;
}
