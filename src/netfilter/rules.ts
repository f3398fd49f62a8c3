import { effectiveList } from '../policy/access-entry.ts';
import type { Configuration } from '../policy/configuration.ts';
import { effectivePostern } from '../policy/defaults.ts';
import { usesOpenings } from '../policy/openings.ts';
import { type AccessRules, accessRules, hostLines } from './access-rules.ts';
import { exactly, type MarkBits, markBits, noneOf, setBit } from './marks.ts';
import { ipv4QueueProgram, ipv6QueueProgram } from './queue-hash.ts';
import { type FamilyWords, IPV4, IPV6, interfaceMatch, steerMatches } from './steer-matches.ts';
import { type Hook, type MailPorts, type Steer, steeringOf } from './steering.ts';
import { mayProxy, PROXIED_CHAIN, PROXY_CHAIN, SYN_PROXY_CHAINS } from './syn-proxy-rules.ts';
import { skippedZoneInterfaces, type ZoneRules, zoneRules } from './zone-rules.ts';

export interface RulesOptions {
  readonly configuration: Configuration;
  /** The gate's queue. The workers' queues follow it in a row. */
  readonly firstQueue: number;
  readonly workers: number;
  /** 32 bits that outsiders do not know; decides with the addresses and ports which queue a connection gets. */
  readonly hashKey: number;
  /** Where Postern's five bits of the mark begin. */
  readonly markShift?: number;
}

/** Input of `iptables-restore --noflush` and `ip6tables-restore --noflush`, for tables without a trace of Postern. */
export interface RuleTexts {
  readonly ipv4: string;
  readonly ipv6: string;
  /** Interfaces of ours left out because no Linux interface can have such a name. */
  readonly skippedInterfaces: readonly string[];
}

/** The chains that every text has. Those of access lists, zones and `ip port-map … list` come as they are needed. */
export const CHAINS = ['POSTERN-FORWARD', 'POSTERN-INPUT', 'POSTERN-OUTPUT', 'POSTERN-QUEUE', 'POSTERN-SAVE'] as const;

/** Whether a chain of this name is one that `rulesFor` makes. */
export function isOwnChain(name: string): boolean {
  const known: readonly string[] = [...CHAINS, ...SYN_PROXY_CHAINS];
  return known.includes(name) || /^POSTERN-((ACL|TO|FROM|ZONE)-\d+|ZONE-[A-Z]+)$/.test(name);
}

/** netfilter's own: a queue number has 16 bits. */
const QUEUE_NUMBER_MAX = 65_535;

/**
 * Conntrack keeps a connection for 120 seconds at most once a FIN or RST was seen, and longer as long as none was. What
 * comes after the end meets the sessions again: offloaded, it would pass for as long as conntrack remembers.
 */
const UNDER_WAY = '-m conntrack --ctexpire 121:4294967295';

/** The rules that bring what the configuration inspects into the queues. Pure: loads nothing. */
export function rulesFor(options: RulesOptions): RuleTexts {
  const { configuration, firstQueue, workers } = options;
  if (!Number.isInteger(workers) || workers < 1) throw new RangeError('there is at least one worker');
  if (!Number.isInteger(firstQueue) || firstQueue < 0 || firstQueue + workers > QUEUE_NUMBER_MAX) {
    throw new RangeError(`queue numbers go from 0 to ${QUEUE_NUMBER_MAX}`);
  }
  const { steers, skippedInterfaces } = steeringOf(configuration);
  const bits = markBits(options.markShift);
  const zones = {
    ipv4: zoneRules(configuration, { bits, firstQueue, family: IPV4 }),
    ipv6: zoneRules(configuration, { bits, firstQueue, family: IPV6 }),
  };
  const queueing = steers.length > 0 || zones.ipv4.active;
  const sessions = queueing && usesOpenings(configuration);
  const proxy = mayProxy(configuration);
  const plan = {
    options,
    bits,
    queueing,
    sessions,
    proxy,
    offload: queueing && effectivePostern(configuration).offload,
  };
  const everyHost = steers.filter(({ what }) => what.kind === 'generic' || what.list === undefined);
  const lists = accessRules(configuration, bits, sessions);
  const noLists = { chains: [], bindings: [] };
  return {
    ipv4: ruleText({ ...plan, steers, lists, zones: zones.ipv4, family: IPV4 }),
    ipv6: ruleText({ ...plan, steers: everyHost, lists: noLists, zones: zones.ipv6, family: IPV6 }),
    skippedInterfaces: [...new Set([...skippedInterfaces, ...skippedZoneInterfaces(configuration)])],
  };
}

interface Plan {
  readonly options: RulesOptions;
  readonly bits: MarkBits;
  /** Packets go to the queues. */
  readonly queueing: boolean;
  /** The kernel knows which connections have a session. */
  readonly sessions: boolean;
  readonly offload: boolean;
  /** The kernel may answer for flooded servers. */
  readonly proxy: boolean;
  readonly steers: readonly Steer[];
  readonly lists: AccessRules;
  readonly zones: ZoneRules;
  readonly family: FamilyWords;
}

function ruleText(plan: Plan): string {
  const { lists, steers, zones, queueing, sessions, offload, proxy } = plan;
  const isUsed = (hook: Hook): boolean =>
    (proxy && hook === 'OUTPUT') ||
    zones.hooks[hook].length > 0 ||
    steers.some((steer) => steer.hook === hook) ||
    lists.bindings.some((binding) => binding.hook === hook);
  const hooks = (['FORWARD', 'INPUT', 'OUTPUT'] as const).filter(isUsed);
  const saving = sessions || offload || zones.tells;
  const extra = [...lists.chains, ...hostChains(plan), ...zones.chains];
  const lines = [
    '# Postern steers mail into its queues. Only chains named POSTERN-… are its own.',
    '*mangle',
    ...[...CHAINS, ...(proxy ? SYN_PROXY_CHAINS : []), ...extra.map(({ name }) => name)].map(
      (chain) => `:${chain} - [0:0]`,
    ),
    ...hooks.flatMap((hook) => hookChain(hook, plan)),
    ...extra.flatMap((chain) => chain.lines),
    ...(queueing ? queueChain(plan) : []),
    ...(saving ? saveChain(plan) : []),
    ...hooks.map((hook) => jumpTo(hook, plan)),
    ...(saving ? [`-I POSTROUTING ${sessions || zones.tells ? '' : '-p tcp '}-j POSTERN-SAVE`] : []),
    'COMMIT',
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * The jump stands last in the hook, because an accept from the queue skips what comes behind it (an MSS clamp, say). It
 * names every conntrack state so that it matches always and still makes conntrack, and with it the reassembly of
 * fragments, work in this namespace: a fragment has no ports and would pass by the queue.
 */
function jumpTo(hook: Hook, { steers, lists, zones }: Plan): string {
  const isTcp = ({ what }: Steer): boolean => what.kind === 'mail' || what.transport === 'tcp';
  const tcpOnly =
    zones.hooks[hook].length === 0 &&
    steers.every((steer) => steer.hook !== hook || isTcp(steer)) &&
    lists.bindings.every((binding) => binding.hook !== hook);
  const transport = tcpOnly ? '-p tcp ' : '';
  return `-A ${hook} ${transport}-m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED -j POSTERN-${hook}`;
}

/** Access lists, rates, offloaded flows, zones, what is inspected, and last all that belongs to a session. */
function hookChain(hook: Hook, plan: Plan): readonly string[] {
  const { bits, offload, sessions, proxy, lists, steers, zones } = plan;
  const chain = `-A POSTERN-${hook}`;
  const lines: string[] = [];
  // What Postern builds leaves by OUTPUT. Elsewhere the bit means nothing: another CONNMARK rule may have copied it.
  if (hook === 'OUTPUT') lines.push(`${chain} -m mark --mark ${setBit(bits.injected)} -j RETURN`);
  if (hook === 'OUTPUT' && proxy) lines.push(`${chain} -p tcp -j ${PROXIED_CHAIN}`);
  // Before the offloaded flows: a list that is new denies those too. What has an opening passes its first rule.
  for (const binding of lists.bindings.filter((one) => one.hook === hook)) {
    lines.push(`${chain} ${interfaceMatch(hook, binding.via)}-j ${binding.chain}`);
  }
  if (hook === 'FORWARD') lines.push(...zones.police.map((line) => `${chain} ${line}`));
  if (offload) {
    // The ends of an offloaded connection are still seen: FIN, RST and a SYN that uses its ports again.
    const middle = '-p tcp --tcp-flags FIN,SYN,RST NONE';
    const both = `-m connmark --mark ${setBit(bits.offloadBoth)} ${UNDER_WAY}`;
    const responder = `-m connmark --mark ${setBit(bits.offloadResponder)} ${UNDER_WAY} --ctdir REPLY`;
    lines.push(`${chain} ${middle} ${both} -j RETURN`, `${chain} ${middle} ${responder} -j RETURN`);
  }
  lines.push(...zones.hooks[hook].map((line) => `${chain} ${line}`));
  // Behind lists and zones: whom they deny, the kernel must not answer.
  if (hook === 'FORWARD' && proxy) lines.push(`${chain} -p tcp -j ${PROXY_CHAIN}`);
  for (const steer of steers.filter((one) => one.hook === hook)) {
    const target = targetOf(steer, plan);
    lines.push(...steerMatches(steer, plan.family).map((match) => `${chain} ${match} -j ${target}`));
  }
  // Whatever let a session begin, its packets are never only let pass: without a session they are dropped behind it.
  if (sessions) {
    const notLoopback = hook === 'INPUT' ? '! -i lo ' : '';
    const member = `-m connmark --mark ${setBit(bits.session)} -m conntrack --ctstate NEW,ESTABLISHED`;
    lines.push(`${chain} ${notLoopback}${member} -j POSTERN-QUEUE`);
  }
  return [...new Set(lines)];
}

/** The chain that decides by the host whether its port is a mail port, or the queue at once. */
function targetOf({ what }: Steer, { options: { configuration } }: Plan): string {
  if (what.kind === 'generic' || what.list === undefined) return 'POSTERN-QUEUE';
  return hostChain(configuration, what.list, what.port);
}

function hostChain(configuration: Configuration, list: string, port: MailPorts['port']): string {
  const number = configuration.accessLists.findIndex(({ name }) => name === list) + 1;
  return `POSTERN-${port === 'destination' ? 'TO' : 'FROM'}-${number}`;
}

/** The hosts of `ip port-map … list`, by the list's addresses. */
function hostChains({ options: { configuration }, steers }: Plan): AccessRules['chains'] {
  const chains = new Map<string, readonly string[]>();
  for (const { what } of steers) {
    const list = what.kind === 'mail' && what.list !== undefined ? effectiveList(configuration, what.list) : undefined;
    if (what.kind === 'generic' || list === undefined) continue;
    const name = hostChain(configuration, list.name, what.port);
    chains.set(name, hostLines(name, list, what.port === 'destination' ? '-d' : '-s', 'POSTERN-QUEUE'));
  }
  return [...chains].map(([name, lines]) => ({ name, lines }));
}

/**
 * Every packet that comes here ends in a queue. The first packet of a connection goes to the gate, so that a flood
 * overflows there and nowhere else; one on the ports of a connection that conntrack has seen answered belongs to the
 * worker that knows it. ICMP has no ports to hash: the first worker takes all of it. What no program claims (a cut-off
 * header) goes to the last one.
 */
function queueChain({ options, bits, family, sessions, offload }: Plan): readonly string[] {
  const { fail } = effectivePostern(options.configuration);
  const bypass = fail === 'open' ? ' --queue-bypass' : '';
  const chain = '-A POSTERN-QUEUE';
  const queue = (index: number): string => `-j NFQUEUE --queue-num ${options.firstQueue + index}${bypass}`;
  const lines: string[] = [];
  if (offload || sessions)
    lines.push(`${chain} -m mark ! --mark ${noneOf(bits.all)} -j MARK --set-xmark ${noneOf(bits.all)}`);
  if (sessions) {
    // What answers came by the opening; without a session it has no permit. The initiator may begin anew.
    const answer = `-m connmark --mark ${setBit(bits.session)} -m conntrack --ctdir REPLY`;
    lines.push(`${chain} ${answer} -j MARK --set-xmark ${setBit(bits.session)}`);
    // A packet to the router itself passes no POSTROUTING, so its connection is marked before it is judged. Conntrack
    // keeps a new connection only when its packet arrives: one that the queue refuses leaves no mark behind.
    const first = '-m addrtype --dst-type LOCAL -m conntrack --ctstate NEW';
    lines.push(`${chain} ${first} -j CONNMARK --set-xmark ${setBit(bits.session)}`);
  }
  lines.push(`${chain} -p tcp --syn -m conntrack ! --ctstatus ASSURED ${queue(0)}`);
  // What conntrack does not keep has no status, not even one to deny: a flood of SYNs with a false checksum.
  lines.push(`${chain} -p tcp --syn -m conntrack --ctstate INVALID,UNTRACKED ${queue(0)}`);
  if (options.workers > 1) lines.push(`${chain} -p ${family.icmp} ${queue(1)}`);
  const program = family.ipv6 ? ipv6QueueProgram : ipv4QueueProgram;
  for (let index = 0; index < options.workers; index += 1) {
    const choice = { queues: options.workers, index, key: options.hashKey };
    const match = index + 1 < options.workers ? `-m bpf --bytecode "${program(choice)}" ` : '';
    lines.push(`${chain} ${match}${queue(index + 1)}`);
  }
  return lines;
}

/**
 * Carries marks from accepted packets into the connection. It stands first in POSTROUTING, behind every hook that
 * queues, and leaves the packet without Postern's bits, so that no rule of the administrator behind it meets them.
 */
function saveChain({ bits, offload, sessions, zones }: Plan): readonly string[] {
  const chain = '-A POSTERN-SAVE';
  const saved = [...(offload ? [bits.offloadBoth, bits.offloadResponder] : []), ...(sessions ? [bits.session] : [])];
  const save = (bit: number): string => `${chain} -m mark --mark ${setBit(bit)} -j CONNMARK --set-xmark ${setBit(bit)}`;
  return [
    `${chain} -m mark --mark ${noneOf(bits.all)} -j RETURN`,
    // Let pass by a full queue that fails open; it came there to be told of.
    ...(zones.tells ? [`${chain} -m mark --mark ${exactly(bits.zoneDrop, bits.all)} -j DROP`] : []),
    ...saved.map(save),
    ...(offload
      ? [`${chain} -m mark --mark ${setBit(bits.clear)} -j CONNMARK --set-xmark ${noneOf(bits.offload)}`]
      : []),
    `${chain} -j MARK --set-xmark ${noneOf(bits.all)}`,
  ];
}
