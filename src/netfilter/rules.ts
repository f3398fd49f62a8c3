import type { Configuration } from '../policy/configuration.ts';
import { effectivePostern } from '../policy/defaults.ts';
import { type MarkBits, markBits } from './marks.ts';
import { ipv4QueueProgram, ipv6QueueProgram } from './queue-hash.ts';
import { type Hook, type PortRange, type Steer, steeringOf } from './steering.ts';

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
  /** Inspected interfaces left out because no Linux interface can have such a name. */
  readonly skippedInterfaces: readonly string[];
}

export const CHAINS = ['POSTERN-FORWARD', 'POSTERN-INPUT', 'POSTERN-OUTPUT', 'POSTERN-QUEUE', 'POSTERN-SAVE'] as const;

/** netfilter's own: a queue number has 16 bits. */
const QUEUE_NUMBER_MAX = 65_535;
/** One `multiport` match takes this many ports; a range counts twice (xt_multiport). */
const MULTIPORT_SLOTS = 15;

/** The rules that bring what the configuration inspects into the queues. Pure: loads nothing. */
export function rulesFor(options: RulesOptions): RuleTexts {
  const { firstQueue, workers } = options;
  if (!Number.isInteger(workers) || workers < 1) throw new RangeError('there is at least one worker');
  if (!Number.isInteger(firstQueue) || firstQueue < 0 || firstQueue + workers > QUEUE_NUMBER_MAX) {
    throw new RangeError(`queue numbers go from 0 to ${QUEUE_NUMBER_MAX}`);
  }
  const { steers, skippedInterfaces } = steeringOf(options.configuration);
  return {
    ipv4: ruleText(options, steers, { program: ipv4QueueProgram, icmp: 'icmp' }),
    ipv6: ruleText(options, steers, { program: ipv6QueueProgram, icmp: 'icmpv6' }),
    skippedInterfaces,
  };
}

/** What differs between the rules of the two families. */
interface FamilyWords {
  readonly program: typeof ipv4QueueProgram;
  readonly icmp: 'icmp' | 'icmpv6';
}

function ruleText(options: RulesOptions, steers: readonly Steer[], family: FamilyWords): string {
  const { offload } = effectivePostern(options.configuration);
  const bits = markBits(options.markShift);
  const hooks = (['FORWARD', 'INPUT', 'OUTPUT'] as const).filter((hook) => steers.some((steer) => steer.hook === hook));
  const lines = [
    '# Postern steers mail into its queues. Only chains named POSTERN-… are its own.',
    '*mangle',
    ...CHAINS.map((chain) => `:${chain} - [0:0]`),
    ...hooks.flatMap((hook) => hookChain(hook, steers, { offload, bits })),
    ...(hooks.length === 0 ? [] : queueChain(options, family, bits)),
    ...(offload && hooks.length > 0 ? saveChain(bits) : []),
    ...hooks.map((hook) => jumpTo(hook)),
    ...(offload && hooks.length > 0 ? ['-I POSTROUTING -p tcp -j POSTERN-SAVE'] : []),
    'COMMIT',
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * The jump stands last in the hook, because an accept from the queue skips what comes behind it (an MSS clamp, say). It
 * names every conntrack state so that it matches always and still makes conntrack, and with it the reassembly of
 * fragments, work in this namespace: a fragment has no ports and would pass by the queue.
 */
function jumpTo(hook: Hook): string {
  return `-A ${hook} -p tcp -m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED -j POSTERN-${hook}`;
}

function hookChain(
  hook: Hook,
  steers: readonly Steer[],
  { offload, bits }: { readonly offload: boolean; readonly bits: MarkBits },
): readonly string[] {
  const chain = `-A POSTERN-${hook}`;
  const lines: string[] = [];
  // What Postern builds leaves by OUTPUT. Elsewhere the bit means nothing: another CONNMARK rule may have copied it.
  if (hook === 'OUTPUT') lines.push(`${chain} -m mark --mark ${test(bits.injected)} -j RETURN`);
  if (offload) {
    // The ends of an offloaded connection are still seen: FIN, RST and a SYN that uses its ports again.
    const middle = '-p tcp --tcp-flags FIN,SYN,RST NONE';
    lines.push(`${chain} ${middle} -m connmark --mark ${test(bits.offloadBoth)} -j RETURN`);
    lines.push(
      `${chain} ${middle} -m connmark --mark ${test(bits.offloadResponder)} -m conntrack --ctdir REPLY -j RETURN`,
    );
  }
  const own = steers.filter((steer) => steer.hook === hook);
  lines.push(...own.flatMap((steer) => steerLines(steer).map((match) => `${chain} ${match} -j POSTERN-QUEUE`)));
  return [...new Set(lines)];
}

function steerLines(steer: Steer): readonly string[] {
  const option = steer.mailPort === 'destination' ? '--dports' : '--sports';
  return portLists(steer.ports).map((list) => `${interfaceMatch(steer)}-p tcp -m multiport ${option} ${list}`);
}

function interfaceMatch(steer: Steer): string {
  if (steer.via !== undefined) return `${steer.via.direction === 'in' ? '-i' : '-o'} ${steer.via.name} `;
  // The loopback is not the network, and a packet on it would pass two hooks.
  if (steer.hook === 'INPUT') return '! -i lo ';
  return steer.hook === 'OUTPUT' ? '! -o lo ' : '';
}

function portLists(ranges: readonly PortRange[]): readonly string[] {
  const lists: string[][] = [];
  let slots = MULTIPORT_SLOTS;
  for (const range of ranges) {
    const need = range.from === range.to ? 1 : 2;
    if (slots + need > MULTIPORT_SLOTS) {
      lists.push([]);
      slots = 0;
    }
    lists.at(-1)?.push(range.from === range.to ? `${range.from}` : `${range.from}:${range.to}`);
    slots += need;
  }
  return lists.map((list) => list.join(','));
}

/**
 * Every packet that comes here ends in a queue. The first packet of a connection goes to the gate, so that a flood
 * overflows there and nowhere else; one on the ports of a connection that conntrack has seen answered belongs to the
 * worker that knows it. ICMP has no ports to hash: the first worker takes all of it. What no program claims (a cut-off
 * header) goes to the last one.
 */
function queueChain(options: RulesOptions, { program, icmp }: FamilyWords, bits: MarkBits): readonly string[] {
  const { fail, offload } = effectivePostern(options.configuration);
  const bypass = fail === 'open' ? ' --queue-bypass' : '';
  const chain = '-A POSTERN-QUEUE';
  const queue = (index: number): string => `-j NFQUEUE --queue-num ${options.firstQueue + index}${bypass}`;
  const lines: string[] = [];
  if (offload) lines.push(`${chain} -m mark ! --mark ${none(bits.all)} -j MARK --set-xmark ${none(bits.all)}`);
  lines.push(`${chain} -p tcp --syn -m conntrack ! --ctstatus ASSURED ${queue(0)}`);
  // What conntrack does not keep has no status, not even one to deny: a flood of SYNs with a false checksum.
  lines.push(`${chain} -p tcp --syn -m conntrack --ctstate INVALID,UNTRACKED ${queue(0)}`);
  if (options.workers > 1) lines.push(`${chain} -p ${icmp} ${queue(1)}`);
  for (let index = 0; index < options.workers; index += 1) {
    const choice = { queues: options.workers, index, key: options.hashKey };
    const match = index + 1 < options.workers ? `-m bpf --bytecode "${program(choice)}" ` : '';
    lines.push(`${chain} ${match}${queue(index + 1)}`);
  }
  return lines;
}

/**
 * Carries marks from accepted packets into the connection. It stands first in POSTROUTING, behind every hook that
 * queues, and leaves the packet without Postern's bits, so that no rule of the administrator meets them.
 */
function saveChain(bits: MarkBits): readonly string[] {
  const chain = '-A POSTERN-SAVE';
  return [
    `${chain} -m mark --mark ${none(bits.all)} -j RETURN`,
    ...[bits.offloadBoth, bits.offloadResponder].map(
      (bit) => `${chain} -m mark --mark ${test(bit)} -j CONNMARK --set-xmark ${test(bit)}`,
    ),
    `${chain} -m mark --mark ${test(bits.clear)} -j CONNMARK --set-xmark ${none(bits.offload)}`,
    `${chain} -j MARK --set-xmark ${none(bits.all)}`,
  ];
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Value and mask of one bit: set. As `--set-xmark`: sets it and leaves the others. */
function test(bit: number): string {
  return `${hex(bit)}/${hex(bit)}`;
}

/** Value and mask: none of these bits. As `--set-xmark`: clears them and leaves the others. */
function none(mask: number): string {
  return `0x0/${hex(mask)}`;
}
