import type { Arguments } from '../language/match.ts';
import { conditionsOf } from '../policy/access-conditions.ts';
import type { AccessRule } from '../policy/access-entry.ts';
import {
  DSCP_VALUES,
  ICMP_MESSAGES,
  PRECEDENCE_VALUES,
  TCP_FLAG_WORDS,
  TCP_PORTS,
  TOS_VALUES,
  UDP_PORTS,
} from '../policy/access-names.ts';
import type { AccessEntry, AddressMatch, PortMatch } from '../policy/configuration.ts';
import { type Draft, fail } from './draft.ts';

const PROTOCOLS = 'ahp|eigrp|esp|gre|igmp|ip|ipinip|nos|ospf|pcp|pim|(0-255)';
const NAMES = [...new Set([...Object.keys(TCP_PORTS), ...Object.keys(UDP_PORTS)])].join('|');

const ADDRESS = (side: string): string =>
  `<any$${side}Any|host A.B.C.D$${side}Host|A.B.C.D$${side} A.B.C.D$${side}Wildcard>`;
const words = (values: Readonly<Record<string, unknown>>): string => Object.keys(values).join('|');
const FIELDS =
  `dscp <(0-63)|${words(DSCP_VALUES)}>$dscpValue|tos <(0-15)|${words(TOS_VALUES)}>$tosValue|` +
  `precedence <(0-7)|${words(PRECEDENCE_VALUES)}>$precedenceValue`;
const TAIL = `[{<log|log-input>|fragments|${FIELDS}}]`;
const TCP_TAIL = `[{established|<log|log-input>|fragments|${TCP_FLAG_WORDS.join('|')}|${FIELDS}}]`;
const ICMP_MESSAGE = `[<(0-255)$icmpMessage [(0-255)$icmpCode]|<${words(ICMP_MESSAGES)}>$icmpMessage>]`;

/** One entry of a list, without its sequence number. */
export const STANDARD_ENTRY =
  '<remark LINE|<permit|deny>$action ' +
  '<any$sourceAny|host A.B.C.D$sourceHost|A.B.C.D$source [A.B.C.D$sourceWildcard]> [log]>';
export const EXTENDED_ENTRY =
  `<remark LINE|<permit|deny>$action <tcp$protocol ${withPorts()} ${TCP_TAIL}|udp$protocol ${withPorts()} ${TAIL}|` +
  `icmp$protocol ${ADDRESS('source')} ${ADDRESS('destination')} ${ICMP_MESSAGE} ${TAIL}|` +
  `<${PROTOCOLS}>$protocol ${ADDRESS('source')} ${ADDRESS('destination')} ${TAIL}>>`;

function withPorts(): string {
  return `${ADDRESS('source')} ${optionalPorts('source')} ${ADDRESS('destination')} ${optionalPorts('destination')}`;
}

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
  const protocol = args.has('protocol') ? plainNumber(args.text('protocol')) : 'ip';
  const sourcePort = readPort(draft, args, 'source');
  const destinationPort = readPort(draft, args, 'destination');
  if (sourcePort === 'bad' || destinationPort === 'bad') return undefined;
  const rule: AccessRule = {
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
  const conditions = conditionsOf(rule);
  if (typeof conditions !== 'string') return rule;
  fail(draft, conditions, args.column('action'));
  return undefined;
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

/** The words behind the addresses, each in its own place, so that two spellings of one entry are one. */
function readRest(args: Arguments): { readonly rest?: string } {
  const words = args.has('icmpMessage') ? [plainNumber(args.text('icmpMessage'))] : [];
  if (args.has('icmpCode')) words.push(String(args.number('icmpCode')));
  words.push(...[...TCP_FLAG_WORDS, 'fragments'].filter((word) => args.has(word)));
  for (const option of ['dscp', 'tos', 'precedence']) {
    if (args.has(`${option}Value`)) words.push(option, plainNumber(args.text(`${option}Value`)));
  }
  if (args.has('log-input')) words.push('log-input');
  return words.length === 0 ? {} : { rest: words.join(' ') };
}

/** A number without zeros in front; a name as it is. */
function plainNumber(typed: string): string {
  return /^\d+$/.test(typed) ? String(Number(typed)) : typed;
}
