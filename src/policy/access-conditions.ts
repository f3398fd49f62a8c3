import type { AccessRule } from './access-entry.ts';
import {
  DSCP_VALUES,
  ICMP_MESSAGES,
  IP_PROTOCOLS,
  PRECEDENCE_VALUES,
  TCP_FLAG_WORDS,
  TOS_VALUES,
} from './access-names.ts';
import type { PortMatch } from './configuration.ts';

/** What an entry asks of a packet beside its addresses, as numbers. Absent: anything. */
export interface AccessConditions {
  /** IP protocol number. */
  readonly protocol?: number;
  readonly sourcePorts?: PortSet;
  readonly destinationPorts?: PortSet;
  /** TCP flags of which at least one is set. */
  readonly anyFlag?: readonly string[];
  readonly icmp?: { readonly type: number; readonly code?: number };
  readonly dscp?: number;
  /** The four bits of RFC 1349. */
  readonly tos?: number;
  readonly precedence?: number;
  /** Only second and later fragments. */
  readonly fragments: boolean;
  readonly log: boolean;
}

/** Inclusive; with `except`, every port but these. */
export interface PortSet {
  readonly from: number;
  readonly to: number;
  readonly except: boolean;
}

const PORT_MAX = 65_535;
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ESTABLISHED_FLAGS = ['ack', 'rst'];

/** What an entry means, or why it can mean nothing, in IOS's form of a message. */
export function conditionsOf(rule: AccessRule): AccessConditions | string {
  const protocol = protocolNumber(rule.protocol);
  const sourcePorts = rule.sourcePort === undefined ? undefined : portSet(rule.sourcePort);
  const destinationPorts = rule.destinationPort === undefined ? undefined : portSet(rule.destinationPort);
  if (typeof sourcePorts === 'string') return sourcePorts;
  if (typeof destinationPorts === 'string') return destinationPorts;
  const hasPorts = sourcePorts !== undefined || destinationPorts !== undefined;
  if (hasPorts && protocol !== TCP && protocol !== UDP) return '% Only tcp and udp have ports';
  const words = readWords(rule.rest ?? '');
  if (typeof words === 'string') return words;
  if (rule.established === true && words.flags.length > 0) {
    return "% 'established' cannot be combined with single TCP flags";
  }
  const anyFlag = rule.established === true ? ESTABLISHED_FLAGS : words.flags;
  if (anyFlag.length > 0 && protocol !== TCP) return '% Only tcp has flags';
  if (words.icmp !== undefined && protocol !== ICMP) return '% Only icmp has messages';
  if (words.fragments && (hasPorts || anyFlag.length > 0 || words.icmp !== undefined)) {
    return "% 'fragments' cannot be combined with what only the first fragment has";
  }
  const { flags: _flags, ...others } = words;
  return {
    ...others,
    log: rule.log === true || words.log,
    ...(protocol === undefined ? {} : { protocol }),
    ...(sourcePorts === undefined ? {} : { sourcePorts }),
    ...(destinationPorts === undefined ? {} : { destinationPorts }),
    ...(anyFlag.length === 0 ? {} : { anyFlag }),
  };
}

/** Undefined: every protocol. IOS takes 0 for `ip`. */
function protocolNumber(name: string): number | undefined {
  const number = IP_PROTOCOLS[name] ?? (name === 'ip' ? 0 : Number(name));
  return number === 0 ? undefined : number;
}

function portSet({ operator, from, to = from }: PortMatch): PortSet | string {
  switch (operator) {
    case 'eq':
      return { from, to: from, except: false };
    case 'neq':
      return { from, to: from, except: true };
    case 'gt':
      return from < PORT_MAX ? { from: from + 1, to: PORT_MAX, except: false } : `% No port is above ${PORT_MAX}`;
    case 'lt':
      return from > 0 ? { from: 0, to: from - 1, except: false } : '% No port is below 0';
    case 'range':
      return { from, to, except: false };
  }
}

interface Words {
  readonly flags: readonly string[];
  readonly icmp?: { readonly type: number; readonly code?: number };
  readonly dscp?: number;
  readonly tos?: number;
  readonly precedence?: number;
  readonly fragments: boolean;
  readonly log: boolean;
}

/** The words behind the addresses: the ICMP message first, then single words and names with a value. */
function readWords(rest: string): Words | string {
  const words = rest.split(' ').filter((word) => word !== '');
  let read: Words = { flags: [], fragments: false, log: false };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const next = words[at + 1] ?? '';
    const named = ICMP_MESSAGES[word];
    if (TCP_FLAG_WORDS.includes(word)) read = { ...read, flags: [...read.flags, word] };
    else if (word === 'fragments') read = { ...read, fragments: true };
    else if (word === 'log-input') read = { ...read, log: true };
    else if (named !== undefined) read = { ...read, icmp: icmpMessage(...named) };
    else if (isNumber(word)) {
      read = { ...read, icmp: icmpMessage(Number(word), isNumber(next) ? Number(next) : undefined) };
      if (isNumber(next)) at += 1;
    } else {
      const value = fieldValue(word, next);
      if (value === undefined) return `% Unknown word ${word}`;
      read = { ...read, [word]: value };
      at += 1;
    }
  }
  return read;
}

function icmpMessage(type: number, code?: number): { readonly type: number; readonly code?: number } {
  return code === undefined ? { type } : { type, code };
}

function fieldValue(field: string, word: string): number | undefined {
  if (field === 'dscp') return DSCP_VALUES[word] ?? numberUpTo(63, word);
  if (field === 'tos') return TOS_VALUES[word] ?? numberUpTo(15, word);
  return field === 'precedence' ? (PRECEDENCE_VALUES[word] ?? numberUpTo(7, word)) : undefined;
}

function numberUpTo(most: number, word: string): number | undefined {
  return isNumber(word) && Number(word) <= most ? Number(word) : undefined;
}

function isNumber(word: string): boolean {
  return /^\d+$/.test(word);
}
