import { type AccessConditions, conditionsOf, type PortSet } from '../policy/access-conditions.ts';
import { type AccessRule, effectiveList, entryLabel, listLabel, numberedRules } from '../policy/access-entry.ts';
import type { AccessList, AddressMatch, Configuration, InterfaceConfiguration } from '../policy/configuration.ts';
import { type MarkBits, setBit } from './marks.ts';
import { type Hook, isLinuxInterfaceName } from './steering.ts';

/** Where a list stands: packets of the hook that enter or leave by the interface go through its chain first. */
export interface AccessBinding {
  readonly hook: Hook;
  readonly via?: { readonly direction: 'in' | 'out'; readonly name: string };
  readonly chain: string;
}

export interface AccessRules {
  readonly chains: readonly { readonly name: string; readonly lines: readonly string[] }[];
  readonly bindings: readonly AccessBinding[];
}

/** Ten messages a second a rule, after a burst of twenty: a flood of refused packets is not also one of messages. */
const LOG_LIMIT = '-m limit --limit 10/second --limit-burst 20';
/** xt_LOG: a prefix has 29 characters. */
const LOG_PREFIX_CHARACTERS_MAX = 29;
const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
]);

/**
 * The access lists that interfaces name, each a chain: entries in order, the first that fits decides, nothing left is
 * denied (cisco-ios 3.1). IPv4 only, as the lists are. With `sessions`, what belongs to one passes by the entries: the
 * session is its permit. A SYN never does: what opens a session needs a permit of its own.
 */
export function accessRules(configuration: Configuration, bits: MarkBits, sessions: boolean): AccessRules {
  const bound = boundLists(configuration);
  const chainOf = (list: string): string => `POSTERN-ACL-${bound.findIndex(({ name }) => name === list) + 1}`;
  const opening = `-m connmark --mark ${setBit(bits.session)} -m comment --comment`;
  const chains = bound.map((list) => {
    const name = chainOf(list.name);
    const label = listLabel(list.name);
    return {
      name,
      lines: [
        ...(sessions
          ? [
              `-A ${name} -p tcp ! --syn ${opening} "${label} tcp sessions" -j RETURN`,
              `-A ${name} ! -p tcp ${opening} "${label} other sessions" -j RETURN`,
            ]
          : []),
        ...numberedRules(list).flatMap(({ sequence, rule }) => entryLines(name, list, sequence, rule)),
        `-A ${name} -m comment --comment "${label} the end" -j DROP`,
      ],
    };
  });
  const bindings = configuration.interfaces.flatMap((entry) => bindingsOf(configuration, entry, chainOf));
  return { chains, bindings };
}

/** `in` judges what enters, also for the router itself; `out` what is forwarded: IOS leaves its own packets alone. */
function bindingsOf(
  configuration: Configuration,
  entry: InterfaceConfiguration,
  chainOf: (list: string) => string,
): readonly AccessBinding[] {
  const { name, accessGroupIn, accessGroupOut } = entry;
  if (!isLinuxInterfaceName(name)) return [];
  const binding = (hook: Hook, direction: 'in' | 'out', list: string): AccessBinding => ({
    hook,
    ...(name === 'any' ? {} : { via: { direction, name } }),
    chain: chainOf(list),
  });
  const lists: AccessBinding[] = [];
  if (accessGroupIn !== undefined && effectiveList(configuration, accessGroupIn) !== undefined) {
    lists.push(binding('FORWARD', 'in', accessGroupIn), binding('INPUT', 'in', accessGroupIn));
  }
  if (accessGroupOut !== undefined && effectiveList(configuration, accessGroupOut) !== undefined) {
    lists.push(binding('FORWARD', 'out', accessGroupOut));
  }
  return lists;
}

/** The lists that interfaces name and that judge anything, in the order of the configuration. */
function boundLists(configuration: Configuration): readonly AccessList[] {
  const used = new Set(
    configuration.interfaces
      .filter(({ name }) => isLinuxInterfaceName(name))
      .flatMap(({ accessGroupIn, accessGroupOut }) => [accessGroupIn, accessGroupOut]),
  );
  return configuration.accessLists.filter(
    ({ name }) => used.has(name) && effectiveList(configuration, name) !== undefined,
  );
}

function entryLines(chain: string, list: AccessList, sequence: number, rule: AccessRule): readonly string[] {
  const conditions = conditionsOf(rule);
  // The configuration refuses such an entry when it is typed. Left out it would let packets pass to the next one.
  if (typeof conditions === 'string') throw new Error(`list ${list.name} ${sequence}: ${conditions}`);
  const { protocol, words } = matchOf(conditions);
  const match = [...addressWords(rule), ...(protocol === undefined ? [] : [`-p ${protocol}`]), ...words];
  const line = (rest: string): string => [`-A ${chain}`, ...match, rest].join(' ');
  const decision = rule.action === 'permit' ? 'RETURN' : 'DROP';
  const log = `${LOG_LIMIT} -j LOG --log-prefix "${logPrefix(list.name, rule.action)}" --log-level info`;
  return [
    ...(conditions.log ? [line(log)] : []),
    line(`-m comment --comment "${entryLabel(list, sequence, rule)}" -j ${decision}`),
  ];
}

/** `postern: 102 denied `; a long name is cut. */
function logPrefix(list: string, action: 'permit' | 'deny'): string {
  const tail = action === 'permit' ? ' permitted ' : ' denied ';
  const room = LOG_PREFIX_CHARACTERS_MAX - 'postern: '.length - tail.length;
  return `postern: ${list.replace(/[^A-Za-z0-9_.-]/g, '?').slice(0, room)}${tail}`;
}

/** iptables knows masks with holes too; a wildcard is a mask turned round. */
function addressMatch(option: '-s' | '-d', { address, wildcard }: AddressMatch): readonly string[] {
  const mask = wildcard
    .split('.')
    .map((octet) => 255 - Number(octet))
    .join('.');
  if (mask === '0.0.0.0') return [];
  return [option, mask === '255.255.255.255' ? address : `${address}/${mask}`];
}

/** Hosts that a list of `ip port-map … list` permits, as matches that lead to `target`; the others return. */
export function hostLines(chain: string, list: AccessList, side: '-s' | '-d', target: string): readonly string[] {
  return numberedRules(list).map(({ rule }) => {
    const decision = rule.action === 'permit' ? target : 'RETURN';
    return [`-A ${chain}`, ...addressMatch(side, rule.source), `-j ${decision}`].join(' ');
  });
}

/** What one rule asks of a packet. */
export interface EntryMatch {
  /** As `-p` takes it; absent: every protocol. */
  readonly protocol?: string;
  readonly words: readonly string[];
}

/** ICMP queries and their answers (RFC 792). */
const ICMP_ANSWERS: ReadonlyMap<number, number> = new Map([
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
]);

/**
 * An entry as a match of packets that the initiator sends, or `mirrored` of those that answer them; undefined where no
 * packet can be such an answer.
 */
export function entryMatch(rule: AccessRule, mirrored: boolean): EntryMatch | undefined {
  const conditions = conditionsOf(rule);
  // The configuration refuses such an entry when it is typed.
  if (typeof conditions === 'string') throw new Error(conditions);
  if (!mirrored) {
    const { words, ...match } = matchOf(conditions);
    return { ...match, words: [...addressWords(rule), ...words] };
  }
  const { sourcePorts, destinationPorts, icmp, ...others } = conditions;
  const answer = icmp === undefined ? undefined : ICMP_ANSWERS.get(icmp.type);
  if (icmp !== undefined && answer === undefined) return undefined;
  const { words, ...match } = matchOf({
    ...others,
    ...(destinationPorts === undefined ? {} : { sourcePorts: destinationPorts }),
    ...(sourcePorts === undefined ? {} : { destinationPorts: sourcePorts }),
    ...(answer === undefined ? {} : { icmp: { type: answer } }),
  });
  return { ...match, words: [...addressMatch('-s', rule.destination), ...addressMatch('-d', rule.source), ...words] };
}

function addressWords({ source, destination }: AccessRule): readonly string[] {
  return [...addressMatch('-s', source), ...addressMatch('-d', destination)];
}

function matchOf(conditions: AccessConditions): EntryMatch {
  const { protocol, sourcePorts, destinationPorts, anyFlag, icmp, dscp } = conditions;
  const found: string[] = [];
  if (conditions.fragments) found.push('-f');
  if (sourcePorts !== undefined) found.push(portMatch('--sport', sourcePorts));
  if (destinationPorts !== undefined) found.push(portMatch('--dport', destinationPorts));
  if (anyFlag !== undefined) found.push(`! --tcp-flags ${anyFlag.join(',').toUpperCase()} NONE`);
  if (icmp !== undefined)
    found.push(`--icmp-type ${icmp.code === undefined ? icmp.type : `${icmp.type}/${icmp.code}`}`);
  if (dscp !== undefined) found.push(`-m dscp --dscp ${dscp}`);
  const words = [...found, ...tosMatch(conditions)];
  return protocol === undefined ? { words } : { protocol: PROTOCOL_NAMES.get(protocol) ?? String(protocol), words };
}

function portMatch(option: '--sport' | '--dport', { from, to, except }: PortSet): string {
  return `${except ? '! ' : ''}${option} ${from === to ? from : `${from}:${to}`}`;
}

/** Precedence is the upper three bits of the octet, TOS the four behind them (RFC 791, RFC 1349). */
function tosMatch({ tos, precedence }: AccessConditions): readonly string[] {
  if (tos === undefined && precedence === undefined) return [];
  const value = ((precedence ?? 0) << 5) | ((tos ?? 0) << 1);
  const mask = (precedence === undefined ? 0 : 0xe0) | (tos === undefined ? 0 : 0x1e);
  return [`-m tos --tos 0x${value.toString(16)}/0x${mask.toString(16)}`];
}
