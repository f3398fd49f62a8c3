import { effectiveList, numberedRules } from '../policy/access-entry.ts';
import type { Configuration } from '../policy/configuration.ts';
import { isTransport } from '../policy/openings.ts';
import { portProtocols } from '../policy/ports.ts';
import { protocolPorts } from '../policy/protocol-ports.ts';
import { type EntryMatch, entryMatch } from './access-rules.ts';
import type { PortRange } from './mail-ports.ts';
import { type FamilyWords, portLists } from './steer-matches.ts';

/** What one rule can ask for. Two that stem from lists cannot stand in one rule: each has addresses of its own. */
export interface Primitive extends EntryMatch {
  readonly fromList: boolean;
}

/** What a class asks of a packet. */
export type Condition =
  | { readonly kind: 'either'; readonly primitives: readonly Primitive[] }
  /** The first entry that fits decides, nothing left is no match. */
  | { readonly kind: 'list'; readonly entries: readonly { readonly permit: boolean; readonly match: Primitive }[] }
  | { readonly kind: 'any' | 'all'; readonly of: readonly Condition[] };

export interface Side {
  readonly family: FamilyWords;
  /** The packets that answer those of the class. */
  readonly mirrored: boolean;
}

/** Of a match-all class: as many rules at most, instead of chains. */
const PRODUCT_MAX = 32;
const NEVER: Condition = { kind: 'either', primitives: [] };

/**
 * A layer 3/4 class as `decideZone` (policy/zone-classify.ts) reads it: mail by its ports, other protocols by those
 * that are known, lists for IPv4 only. `within`: the classes around it, for maps that name each other.
 */
export function classCondition(
  configuration: Configuration,
  name: string,
  side: Side,
  within: readonly string[] = [],
): Condition {
  const map = configuration.classMaps.find((one) => one.name === name && one.protocol === undefined);
  if (map === undefined || map.matches.length === 0 || within.includes(name)) return NEVER;
  const of = map.matches.map(({ words: [kind, value = '', list = ''] }): Condition => {
    if (kind === 'protocol') return protocolCondition(configuration, value, side);
    if (kind === 'access-group') return listCondition(configuration, value === 'name' ? list : value, side);
    return kind === 'class-map' ? classCondition(configuration, value, side, [...within, name]) : NEVER;
  });
  return { kind: map.combine === 'match-all' ? 'all' : 'any', of };
}

/** As rules side by side, where no entry of a list takes something out and there are not too many; else undefined. */
export function primitivesOf(condition: Condition): readonly Primitive[] | undefined {
  switch (condition.kind) {
    case 'either':
      return condition.primitives;
    case 'list': {
      const permits = withoutLastDenials(condition.entries);
      return permits.every(({ permit }) => permit) ? permits.map(({ match }) => match) : undefined;
    }
    case 'any': {
      const parts = condition.of.map(primitivesOf);
      return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    }
    case 'all':
      return product(condition.of.map(primitivesOf));
  }
}

/** The match of a rule, with the blank behind it. */
export function matchText({ protocol, words }: EntryMatch, { icmp }: FamilyWords): string {
  const transport = protocol === undefined ? [] : [`-p ${protocol === 'icmp' ? icmp : protocol}`];
  return [...transport, ...words].map((word) => `${word} `).join('');
}

function product(parts: readonly (readonly Primitive[] | undefined)[]): readonly Primitive[] | undefined {
  // What is never true makes the whole class so, whatever stands beside it.
  if (parts.some((part) => part?.length === 0)) return [];
  let found: readonly Primitive[] = [{ words: [], fromList: false }];
  for (const part of parts) {
    if (part === undefined || found.length * part.length > PRODUCT_MAX) return undefined;
    if (found.some((one) => one.fromList) && part.some((one) => one.fromList)) return undefined;
    found = found.flatMap((one) => part.flatMap((other) => both(one, other)));
  }
  return found;
}

function both(one: Primitive, other: Primitive): readonly Primitive[] {
  if (one.protocol !== undefined && other.protocol !== undefined && one.protocol !== other.protocol) return [];
  const protocol = one.protocol ?? other.protocol;
  const words = [...one.words, ...other.words];
  return [{ ...(protocol === undefined ? {} : { protocol }), words, fromList: one.fromList || other.fromList }];
}

/** A flow on a mail port is of no other protocol but its transport, as the sessions see it. */
function protocolCondition(configuration: Configuration, keyword: string, { mirrored }: Side): Condition {
  const mail = portProtocols(configuration);
  const isMail = [...mail.values()].includes(keyword === 'esmtp' ? 'smtp' : (keyword as 'smtp'));
  const option = mirrored ? '--sports' : '--dports';
  const primitives = protocolPorts(configuration, keyword).flatMap(({ transport, ports }): readonly Primitive[] => {
    if (ports === undefined) return [{ protocol: transport, words: [], fromList: false }];
    const own = isMail || isTransport(keyword) || transport !== 'tcp' ? ports : without(ports, mail);
    return portLists(own).map((list) => ({
      protocol: transport,
      words: [`-m multiport ${option} ${list}`],
      fromList: false,
    }));
  });
  return { kind: 'either', primitives };
}

function without(ranges: readonly PortRange[], taken: ReadonlyMap<number, unknown>): readonly PortRange[] {
  const gaps = [...taken.keys()].sort((one, other) => one - other);
  return gaps.reduce<readonly PortRange[]>((left, gap) => left.flatMap((range) => cut(range, gap)), ranges);
}

function cut({ from, to }: PortRange, gap: number): readonly PortRange[] {
  if (gap < from || gap > to) return [{ from, to }];
  const parts = [
    { from, to: gap - 1 },
    { from: gap + 1, to },
  ];
  return parts.filter((part) => part.from <= part.to);
}

/** A list that is not there permits nothing here: a class is what somebody described. */
function listCondition(configuration: Configuration, name: string, { family, mirrored }: Side): Condition {
  const list = effectiveList(configuration, name);
  if (list === undefined || family.ipv6) return NEVER;
  const entries = numberedRules(list).flatMap(({ rule }) => {
    const match = entryMatch(rule, mirrored);
    return match === undefined ? [] : [{ permit: rule.action === 'permit', match: { ...match, fromList: true } }];
  });
  return { kind: 'list', entries };
}

function withoutLastDenials<Entry extends { readonly permit: boolean }>(entries: readonly Entry[]): readonly Entry[] {
  const last = entries.findLastIndex(({ permit }) => permit);
  return entries.slice(0, last + 1);
}
