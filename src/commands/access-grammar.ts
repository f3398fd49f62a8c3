import type { Arguments } from '../language/match.ts';
import type { AccessEntry, AddressMatch, PortMatch } from '../policy/configuration.ts';
import { TAIL_WORDS, TCP_PORTS, UDP_PORTS } from './access-ports.ts';
import { type Draft, fail } from './draft.ts';

const PROTOCOLS = 'ahp|eigrp|esp|gre|icmp|igmp|ip|ipinip|nos|ospf|pcp|pim|(0-255)';
const NAMES = [...new Set([...Object.keys(TCP_PORTS), ...Object.keys(UDP_PORTS)])].join('|');

const ADDRESS = (side: string): string =>
  `<any$${side}Any|host A.B.C.D$${side}Host|A.B.C.D$${side} A.B.C.D$${side}Wildcard>`;
const MARKS = 'dscp WORD$dscp|tos WORD$tos|precedence WORD$precedence';
const TAIL = `[{established|log|<${TAIL_WORDS.join('|')}>$rest|${MARKS}}]`;

/** One entry of a list, without its sequence number. */
export const STANDARD_ENTRY =
  '<remark LINE|<permit|deny>$action ' +
  '<any$sourceAny|host A.B.C.D$sourceHost|A.B.C.D$source [A.B.C.D$sourceWildcard]> [log]>';
export const EXTENDED_ENTRY =
  `<remark LINE|<permit|deny>$action <<tcp|udp>$protocol ${ADDRESS('source')} ${optionalPorts('source')} ` +
  `${ADDRESS('destination')} ${optionalPorts('destination')} ${TAIL}|` +
  `<${PROTOCOLS}>$protocol ${ADDRESS('source')} ${ADDRESS('destination')} ${TAIL}>>`;

function optionalPorts(side: string): string {
  const port = (name: string): string => `<(0-65535)|${NAMES}>$${name}`;
  return (
    `[<<eq|neq|gt|lt>$${side}Operator ${port(`${side}Port`)}|` +
    `range$${side}Operator ${port(`${side}Port`)} ${port(`${side}Last`)}>]`
  );
}

const ANY: AddressMatch = { address: '0.0.0.0', wildcard: '255.255.255.255' };
const HOST_WILDCARD = '0.0.0.0';

/** The entry that a line describes, or undefined after a message when its values do not fit together. */
export function readEntry(draft: Draft, args: Arguments): AccessEntry | undefined {
  const sequence = args.has('sequence') ? { sequence: args.number('sequence') } : {};
  if (args.has('remark')) return { kind: 'remark', ...sequence, text: args.text('LINE') };
  const protocol = args.has('protocol') ? args.text('protocol') : 'ip';
  const sourcePort = readPort(draft, args, 'source');
  const destinationPort = readPort(draft, args, 'destination');
  if (sourcePort === 'bad' || destinationPort === 'bad') return undefined;
  return {
    kind: 'rule',
    ...sequence,
    action: args.text('action') === 'permit' ? 'permit' : 'deny',
    protocol,
    source: readAddress(args, 'source'),
    ...(sourcePort === undefined ? {} : { sourcePort }),
    destination: readAddress(args, 'destination'),
    ...(destinationPort === undefined ? {} : { destinationPort }),
    ...(args.has('established') ? { established: true } : {}),
    ...(args.has('log') ? { log: true } : {}),
    ...readRest(args),
  };
}

/** An entry as it is saved; standard lists have a source only. */
export function printEntry(kind: 'standard' | 'extended', entry: AccessEntry): string {
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
  if (address === ANY.address && wildcard === ANY.wildcard) return 'any';
  return wildcard === HOST_WILDCARD ? `host ${address}` : `${address} ${wildcard}`;
}

function readAddress(args: Arguments, side: string): AddressMatch {
  if (args.has(`${side}Host`)) return { address: plainAddress(args.text(`${side}Host`)), wildcard: HOST_WILDCARD };
  if (!args.has(side)) return ANY;
  const wildcard = args.has(`${side}Wildcard`) ? plainAddress(args.text(`${side}Wildcard`)) : HOST_WILDCARD;
  return { address: maskAddress(args.text(side), wildcard), wildcard };
}

/** The ignored bits are kept as zeros, as IOS does, so that two spellings of one rule are one. */
function maskAddress(address: string, wildcard: string): string {
  const ignored = wildcard.split('.').map(Number);
  const octets = address.split('.').map((octet, index) => Number(octet) & ~(ignored[index] ?? 0) & 0xff);
  return octets.join('.');
}

function plainAddress(address: string): string {
  return address.split('.').map(Number).join('.');
}

function readPort(draft: Draft, args: Arguments, side: string): PortMatch | undefined | 'bad' {
  if (!args.has(`${side}Operator`)) return undefined;
  const names = args.text('protocol') === 'udp' ? UDP_PORTS : TCP_PORTS;
  const read = (name: string): number => {
    const typed = args.text(name);
    const port = names[typed] ?? Number(typed);
    if (Number.isNaN(port)) fail(draft, "% Invalid input detected at '^' marker.", args.column(name));
    return port;
  };
  const operator = args.text(`${side}Operator`) as PortMatch['operator'];
  const from = read(`${side}Port`);
  if (Number.isNaN(from)) return 'bad';
  if (operator !== 'range') return { operator, from };
  const to = read(`${side}Last`);
  return Number.isNaN(to) ? 'bad' : { operator, from: Math.min(from, to), to: Math.max(from, to) };
}

function printPort(match: PortMatch | undefined, protocol: string): readonly string[] {
  if (match === undefined) return [];
  const names = Object.entries(protocol === 'udp' ? UDP_PORTS : TCP_PORTS);
  const name = (port: number): string => names.find(([, number]) => number === port)?.[0] ?? String(port);
  return [match.operator, name(match.from), ...(match.to === undefined ? [] : [name(match.to)])];
}

function readRest(args: Arguments): { readonly rest?: string } {
  const words = args.has('rest') ? [args.text('rest')] : [];
  for (const option of ['dscp', 'tos', 'precedence']) {
    if (args.has(option)) words.push(args.text(option));
  }
  return words.length === 0 ? {} : { rest: words.join(' ') };
}
