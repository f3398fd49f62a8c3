import { TCP_PORTS, UDP_PORTS } from './access-names.ts';
import type { AccessEntry, AccessList, AddressMatch, Configuration, PortMatch } from './configuration.ts';

export type AccessRule = AccessEntry & { readonly kind: 'rule' };

/** IOS numbers entries in steps of ten. */
export const SEQUENCE_STEP = 10;

const ANY_WILDCARD = '255.255.255.255';
const HOST_WILDCARD = '0.0.0.0';

/** The number of each entry: its own, or ten more than the one before. */
export function sequenceNumbers(entries: readonly AccessEntry[]): readonly number[] {
  let last = 0;
  return entries.map((entry) => {
    last = entry.sequence ?? last + SEQUENCE_STEP;
    return last;
  });
}

/** The entries that judge packets, with their numbers. */
export function numberedRules(list: AccessList): readonly { readonly sequence: number; readonly rule: AccessRule }[] {
  const numbers = sequenceNumbers(list.entries);
  return list.entries.flatMap((rule, index) =>
    rule.kind === 'remark' ? [] : [{ sequence: numbers[index] ?? 0, rule }],
  );
}

/** The list of this name if it judges anything: one that is not there, or has no entries, permits all as in IOS. */
export function effectiveList(configuration: Configuration, name: string): AccessList | undefined {
  const list = configuration.accessLists.find((candidate) => candidate.name === name);
  return list?.entries.some((entry) => entry.kind === 'rule') === true ? list : undefined;
}

/** An entry as it is saved, without its number; standard lists have a source only. */
export function printEntry(kind: AccessList['kind'], entry: AccessEntry): string {
  if (entry.kind === 'remark') return `remark ${entry.text}`;
  const log = entry.log === true ? ['log'] : [];
  if (kind === 'standard') return [entry.action, printAddress(entry.source), ...log].join(' ');
  return [
    entry.action,
    entry.protocol,
    printAddress(entry.source),
    ...printPort(entry.sourcePort, entry.protocol),
    printAddress(entry.destination),
    ...printPort(entry.destinationPort, entry.protocol),
    ...(entry.established === true ? ['established'] : []),
    ...(entry.rest === undefined ? [] : [entry.rest]),
    ...log,
  ].join(' ');
}

export function printAddress({ address, wildcard }: AddressMatch): string {
  if (address === '0.0.0.0' && wildcard === ANY_WILDCARD) return 'any';
  return wildcard === HOST_WILDCARD ? `host ${address}` : `${address} ${wildcard}`;
}

/**
 * The name under which the kernel counts what an entry matched: the comment of its rule. It holds the whole entry, so
 * that a changed one begins to count anew, and is short enough for a comment.
 */
export function entryLabel(list: AccessList, sequence: number, rule: AccessRule): string {
  const place = `${listLabel(list.name)} ${sequence}`;
  const label = `${place} ${printEntry(list.kind, rule)}`;
  return label.length <= COMMENT_CHARACTERS_MAX ? label : place;
}

/** How the comments of all rules of a list begin. Nothing in it means anything to a shell or to iptables-restore. */
export function listLabel(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  return `${LIST_LABEL_PREFIX}${plain}:`;
}

/** How the comments of all lists' rules begin. */
export const LIST_LABEL_PREFIX = 'list ';
/** xt_comment takes 256 octets with the final zero. */
const COMMENT_CHARACTERS_MAX = 255;

function printPort(match: PortMatch | undefined, protocol: string): readonly string[] {
  if (match === undefined) return [];
  const names = Object.entries(protocol === 'udp' ? UDP_PORTS : TCP_PORTS);
  const name = (port: number): string => names.find(([, number]) => number === port)?.[0] ?? String(port);
  return [match.operator, name(match.from), ...(match.to === undefined ? [] : [name(match.to)])];
}
