import type { Configuration, ZonePair } from '../policy/configuration.ts';
import { effectivePostern } from '../policy/defaults.ts';
import { DEFAULT_ZONE, findPair, policyOf, SELF_ZONE, zoneInspection } from '../policy/zone-classify.ts';
import { usesZones } from '../policy/zone-decision.ts';
import { NO_PLACE, NO_ZONE_PAIR, NOT_ZONED } from '../policy/zone-labels.ts';
import { exactly, type MarkBits, setBit } from './marks.ts';
import type { FamilyWords } from './steer-matches.ts';
import { type Hook, isLinuxInterfaceName } from './steering.ts';
import { type Chain, ChainBuilder, type ClassLines, counted } from './zone-chains.ts';
import { policeLines } from './zone-police.ts';

/** Rules of zones for one family, to be put into the chains of the hooks. */
export interface ZoneRules {
  readonly chains: readonly Chain[];
  /** What stands in front of offloaded flows: they keep to their rate too. Lines without their chain. */
  readonly police: readonly string[];
  /** Which packets meet which pair; a hook without any is not concerned. */
  readonly hooks: Readonly<Record<Hook, readonly string[]>>;
  /** There are zones: packets of sessions go on to POSTERN-QUEUE, also of those that began under another policy. */
  readonly active: boolean;
  /** Packets come to the gate to be told of. */
  readonly tells: boolean;
}

export interface ZoneOptions {
  readonly bits: MarkBits;
  readonly firstQueue: number;
  readonly family: FamilyWords;
}

const NONE: ZoneRules = {
  chains: [],
  police: [],
  hooks: { FORWARD: [], INPUT: [], OUTPUT: [] },
  active: false,
  tells: false,
};

/** Where packets of an inspected class go on: sessions there are of TCP, UDP and ICMP queries only. */
export const INSPECT_CHAIN = 'POSTERN-ZONE-INSPECT';
/** Copies for the log go to the gate, which drops the ones and lets the others pass. */
export const DROPPED_CHAIN = 'POSTERN-ZONE-DROPPED';
export const PASSED_CHAIN = 'POSTERN-ZONE-PASSED';

/** Ten packets a second and class are told of, after twenty at once. */
const TELL_LIMIT = '-m limit --limit 10/second --limit-burst 20';
/** TCP that conntrack gives to no connection: only the sessions can tell whether it belongs to one of theirs. */
const ASTRAY = '-p tcp ! --syn -m conntrack --ctstate INVALID,UNTRACKED -j POSTERN-QUEUE';
/** Answers of connections that were opened the other way. */
const ANSWERS = '-m conntrack --ctstate ESTABLISHED --ctdir REPLY -j RETURN';
/** Neighbour discovery and listener reports (RFC 4861, RFC 3810): without them IPv6 ends, and no policy means that. */
const LINK_LOCAL_TYPES = [130, 131, 132, 133, 134, 135, 136, 137, 143];
const LOOPBACK = 'lo';

/** The zones of a configuration as rules (cisco-ios 1.10); what a flow's decision is says policy/zone-classify.ts. */
export function zoneRules(configuration: Configuration, options: ZoneOptions): ZoneRules {
  return usesZones(configuration) ? new ZoneWriter(configuration, options).rules() : NONE;
}

/** Names of zones' interfaces that no Linux interface can have. */
export function skippedZoneInterfaces({ interfaces }: Configuration): readonly string[] {
  return interfaces
    .filter(({ zone, name }) => zone !== undefined && !isLinuxInterfaceName(name))
    .map(({ name }) => name);
}

/** Interfaces with a zone of their own; all others are in the zone of `interface any`, or in none. */
interface Members {
  readonly named: readonly { readonly name: string; readonly zone: string }[];
  readonly others: string;
}

function membersOf({ interfaces }: Configuration): Members {
  const named = interfaces.flatMap(({ name, zone }) =>
    zone === undefined || name === 'any' || name === LOOPBACK || !isLinuxInterfaceName(name) ? [] : [{ name, zone }],
  );
  return { named, others: interfaces.find(({ name }) => name === 'any')?.zone ?? DEFAULT_ZONE };
}

class ZoneWriter {
  readonly #builder = new ChainBuilder();
  readonly #pairChains = new Map<string, string>();
  readonly #shared = new Map<string, string>();
  readonly #configuration: Configuration;
  readonly #options: ZoneOptions;
  readonly #members: Members;
  readonly #failOpen: boolean;
  /** All that is dropped is told of. */
  readonly #tellsAll: boolean;
  #inspects = false;
  #tells = false;

  constructor(configuration: Configuration, options: ZoneOptions) {
    this.#configuration = configuration;
    this.#options = options;
    this.#members = membersOf(configuration);
    this.#failOpen = effectivePostern(configuration).fail === 'open';
    const { logDropPackets = false } = configuration.inspect;
    this.#tellsAll = logDropPackets || zoneInspection(configuration, 'global').logDroppedPackets;
  }

  rules(): ZoneRules {
    const hooks = this.#hooks();
    const police = this.#police();
    const chains = [...this.#builder.chains, ...this.#sharedChains()];
    return { chains, police, hooks, active: true, tells: this.#tells };
  }

  /** With what belongs to sessions in front: a session of the router has one direction in each of its hooks. */
  #hooks(): ZoneRules['hooks'] {
    const [forward, input, output] = [this.#forward(), this.#ofRouter('INPUT'), this.#ofRouter('OUTPUT')];
    const ofRouter = input.length + output.length > 0;
    const members = (hook: Hook) => sessionLines(hook, this.#options.bits, this.#options.family);
    return {
      FORWARD: [...members('FORWARD'), ...forward],
      INPUT: ofRouter ? [...members('INPUT'), ...input] : [],
      OUTPUT: ofRouter ? [...members('OUTPUT'), ...output] : [],
    };
  }

  /** By the interface that a packet enters, one chain a zone, and in it by the one it leaves. */
  #forward(): readonly string[] {
    const { named, others } = this.#members;
    const zones = new Map<string, string>();
    const chainOf = (zone: string): string => {
      const chain = zones.get(zone) ?? this.#builder.open(this.#fromZone(zone));
      zones.set(zone, chain);
      return chain;
    };
    const own = named.map(({ name, zone }) => `-i ${name} -g ${chainOf(zone)}`);
    // Between two interfaces in no zone `ip inspect` decides, so these come back.
    return [...own, `-j ${chainOf(others)}`];
  }

  #fromZone(zone: string): readonly string[] {
    const { named, others } = this.#members;
    const toward = named.flatMap(({ name, zone: to }) => this.#between(zone, to).map((line) => `-o ${name} ${line}`));
    return [...toward, ...this.#between(zone, others)];
  }

  #between(from: string, to: string): readonly string[] {
    const back = findPair(this.#configuration, to, from);
    const astray = back !== undefined && from !== to && this.#inspectsAny(back) ? [ASTRAY] : [];
    return [...astray, ...this.#decision(from, to)];
  }

  #decision(from: string, to: string): readonly string[] {
    const pair = findPair(this.#configuration, from, to);
    if (pair !== undefined) return [`-g ${this.#pairChain(pair)}`];
    if (from === to) return ['-j RETURN'];
    const reason = from === DEFAULT_ZONE || to === DEFAULT_ZONE ? NOT_ZONED : NO_ZONE_PAIR;
    return [`-g ${this.#sharedChain(reason, () => this.#dropLines(NO_PLACE, reason, this.#tellsAll))}`];
  }

  /** Toward the router and from it only what a pair filters is concerned; the loopback never. */
  #ofRouter(hook: 'INPUT' | 'OUTPUT'): readonly string[] {
    const { named, others } = this.#members;
    const incoming = hook === 'INPUT';
    const find = (zone: string) =>
      incoming ? findPair(this.#configuration, zone, SELF_ZONE) : findPair(this.#configuration, SELF_ZONE, zone);
    const findBack = (zone: string) =>
      incoming ? findPair(this.#configuration, SELF_ZONE, zone) : findPair(this.#configuration, zone, SELF_ZONE);
    const lines = (zone: string): readonly string[] => {
      const pair = find(zone);
      if (pair === undefined) return ['-j RETURN'];
      const back = findBack(zone);
      // Where nothing filters the other direction, what answers it is not this direction's to filter (cisco-ios 1.10).
      const unfiltered = back === undefined ? [ANSWERS] : [];
      const astray = back !== undefined && this.#inspectsAny(back) ? [ASTRAY] : [];
      return [...unfiltered, ...astray, `-g ${this.#pairChain(pair)}`];
    };
    const zones = [...named.map(({ zone }) => zone), others];
    if (zones.every((zone) => find(zone) === undefined)) return [];
    const option = incoming ? '-i' : '-o';
    const chain = this.#builder.open([`${option} ${LOOPBACK} -j RETURN`]);
    if (this.#options.family.ipv6) {
      for (const type of LINK_LOCAL_TYPES) this.#builder.add(chain, `-p icmpv6 --icmpv6-type ${type} -j RETURN`);
    }
    for (const { name, zone } of named) {
      for (const line of lines(zone)) this.#builder.add(chain, `${option} ${name} ${line}`);
    }
    for (const line of lines(others)) this.#builder.add(chain, line);
    return [`-j ${chain}`];
  }

  /** One chain a pair, wherever its interfaces are. */
  #pairChain(pair: ZonePair): string {
    const known = this.#pairChains.get(pair.name);
    if (known !== undefined) return known;
    // An overflowing queue that fails open would let a packet to the router pass: nothing behind it could take it back.
    const tells = !(this.#failOpen && pair.destination === SELF_ZONE);
    const side = { family: this.#options.family, mirrored: false };
    const chain = this.#builder.pairChain(this.#configuration, pair, side, this.#classLines(pair, tells));
    this.#pairChains.set(pair.name, chain);
    return chain;
  }

  #classLines(pair: ZonePair, tells: boolean): ClassLines {
    return ({ name, actions }) => {
      const action = (word: string) => actions.find(([first]) => first === word);
      if (action('inspect') !== undefined) {
        this.#inspects = true;
        return [`${counted(pair.name, name, 'inspect')} -j ${INSPECT_CHAIN}`];
      }
      const pass = action('pass');
      if (pass === undefined) {
        return this.#dropLines(pair.name, name, tells && (this.#tellsAll || action('drop')?.[1] === 'log'));
      }
      const label = counted(pair.name, name, 'pass');
      if (pass[1] !== 'log') return [`${label} -j ACCEPT`];
      this.#tells = true;
      return [label, `${TELL_LIMIT} -j ${PASSED_CHAIN}`, '-j ACCEPT'];
    };
  }

  #dropLines(zonePair: string, className: string, tells: boolean): readonly string[] {
    const label = counted(zonePair, className, 'drop');
    if (!tells) return [`${label} -j DROP`];
    this.#tells = true;
    return [label, `${TELL_LIMIT} -j ${DROPPED_CHAIN}`, '-j DROP'];
  }

  /** Both directions of the classes that have a rate; a direction is told by who opened the connection. */
  #police(): readonly string[] {
    const { named, others } = this.#members;
    const policed = (from: string, to: string): ZonePair | undefined => {
      const pair = findPair(this.#configuration, from, to);
      return pair !== undefined && this.#hasPolice(pair) ? pair : undefined;
    };
    const zones = [...new Set([...named.map(({ zone }) => zone), others])];
    const chains = new Map<string, string>();
    const chainOf = (pair: ZonePair, mirrored: boolean): string => {
      const key = `${pair.name} ${mirrored ? 'back' : 'forth'}`;
      const side = { family: this.#options.family, mirrored };
      const chain =
        chains.get(key) ??
        this.#builder.pairChain(this.#configuration, pair, side, (entry) => this.#policeLines(pair, entry));
      chains.set(key, chain);
      return chain;
    };
    const between = (from: string, to: string): readonly string[] => {
      const [forth, back] = [policed(from, to), policed(to, from)];
      return [
        ...(forth === undefined ? [] : [`-m conntrack --ctdir ORIGINAL -g ${chainOf(forth, false)}`]),
        ...(back === undefined ? [] : [`-m conntrack --ctdir REPLY -g ${chainOf(back, true)}`]),
      ];
    };
    const from = new Map(
      zones
        .filter((zone) => zones.some((other) => (policed(zone, other) ?? policed(other, zone)) !== undefined))
        .map((zone) => {
          const toward = named.flatMap(({ name, zone: to }) => [
            ...between(zone, to).map((line) => `-o ${name} ${line}`),
            `-o ${name} -j RETURN`,
          ]);
          return [zone, [...toward, ...between(zone, others)]] as const;
        }),
    );
    if (from.size === 0) return [];
    const entry = this.#builder.open();
    for (const { name, zone } of named) {
      const lines = from.get(zone);
      this.#builder.add(entry, `-i ${name} ${lines === undefined ? '-j RETURN' : `-g ${this.#builder.open(lines)}`}`);
    }
    for (const line of from.get(others) ?? []) this.#builder.add(entry, line);
    return [`-j ${entry}`];
  }

  #policeLines(pair: ZonePair, { name, actions }: Parameters<ClassLines>[0]): readonly string[] {
    const police = actions.find(([action]) => action === 'police');
    if (police === undefined) return ['-j RETURN'];
    const inspect = actions.find(([action]) => action === 'inspect');
    const tells = this.#tellsAll || zoneInspection(this.#configuration, inspect?.[1]).logDroppedPackets;
    const label = counted(pair.name, name, 'police');
    const exceeded = this.#sharedChain(`${pair.name} ${name}`, () => {
      if (!tells) return [`${label} -j DROP`];
      this.#tells = true;
      return [label, `${TELL_LIMIT} -j ${DROPPED_CHAIN}`, '-j DROP'];
    });
    return policeLines(police, exceeded);
  }

  #hasPolice(pair: ZonePair): boolean {
    return this.#actionsOf(pair).includes('police');
  }

  #inspectsAny(pair: ZonePair): boolean {
    return this.#actionsOf(pair).includes('inspect');
  }

  #actionsOf(pair: ZonePair): readonly string[] {
    const classes = policyOf(this.#configuration, pair)?.classes ?? [];
    return classes.flatMap(({ actions }) => actions.map(([action = '']) => action));
  }

  #sharedChain(key: string, lines: () => readonly string[]): string {
    const chain = this.#shared.get(key) ?? this.#builder.open(lines());
    this.#shared.set(key, chain);
    return chain;
  }

  #sharedChains(): readonly Chain[] {
    const { bits, firstQueue, family } = this.#options;
    const chain = (name: string, lines: readonly string[]): Chain => ({
      name,
      lines: lines.map((line) => `-A ${name} ${line}`),
    });
    const mark = (as: number): string => `-j MARK --set-xmark ${exactly(as, bits.all)}`;
    const bypass = this.#failOpen ? ' --queue-bypass' : '';
    return [
      ...(this.#inspects
        ? [
            chain(INSPECT_CHAIN, [
              '-p tcp -j POSTERN-QUEUE',
              '-p udp -j POSTERN-QUEUE',
              `-p ${family.icmp} -m conntrack --ctstate NEW,ESTABLISHED -j POSTERN-QUEUE`,
              '-j DROP',
            ]),
          ]
        : []),
      ...(this.#tells
        ? [
            // Nobody there to be told is no reason to let it pass.
            chain(DROPPED_CHAIN, [mark(bits.zoneDrop), `-j NFQUEUE --queue-num ${firstQueue}`]),
            chain(PASSED_CHAIN, [mark(bits.zonePass), `-j NFQUEUE --queue-num ${firstQueue}${bypass}`]),
          ]
        : []),
    ];
  }
}

/** What belongs to a session, in front of the zones: its answers need no pair. What opens one is judged anew. */
function sessionLines(hook: Hook, bits: MarkBits, family: FamilyWords): readonly string[] {
  const place = hook === 'INPUT' ? `! -i ${LOOPBACK} ` : '';
  const member = `-m connmark --mark ${setBit(bits.session)} -m conntrack --ctstate`;
  return [
    `${place}-p tcp ! --syn ${member} NEW,ESTABLISHED -j POSTERN-QUEUE`,
    `${place}! -p tcp ${member} NEW,ESTABLISHED -j POSTERN-QUEUE`,
    // Errors about its packets. Connections that helpers expect are RELATED too, and have a policy of their own.
    `${place}-p ${family.icmp} ${member} RELATED -j RETURN`,
  ];
}
