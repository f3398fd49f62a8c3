import type { Configuration, InspectionRule, InterfaceConfiguration } from '../policy/configuration.ts';
import { effectiveGlobals, findRule } from '../policy/defaults.ts';
import { isTransport } from '../policy/openings.ts';
import { mailPortSets, type PortRange } from './mail-ports.ts';

export type Hook = 'FORWARD' | 'INPUT' | 'OUTPUT';
export type Transport = 'tcp' | 'udp' | 'icmp';

/** The interface a packet enters (`in`) or leaves (`out`) by. */
export interface Via {
  readonly direction: 'in' | 'out';
  readonly name: string;
}

/** One kind of packet that goes to the queue. */
export interface Steer {
  readonly hook: Hook;
  /** Absent: whichever interface but the loopback. */
  readonly via?: Via;
  readonly what: MailPorts | Generic;
}

export interface MailPorts {
  readonly kind: 'mail';
  /** Whether the mail port is the packet's destination or its source. */
  readonly port: 'destination' | 'source';
  readonly ports: readonly PortRange[];
  /** Only for hosts that this access list permits (`ip port-map … list`). */
  readonly list?: string;
}

/**
 * Every port of a transport. `initiator`: from the side that opened the connection. `astray`: TCP and UDP that
 * conntrack gives to no connection, and so to no side. `later`: TCP that opens nothing.
 */
export interface Generic {
  readonly kind: 'generic';
  readonly transport: Transport;
  readonly part: 'all' | 'initiator' | 'astray' | 'astray-later' | 'later';
}

export interface Steering {
  readonly steers: readonly Steer[];
  /** Interfaces with inspection or a list whose name no Linux interface can have: nothing can come through them. */
  readonly skippedInterfaces: readonly string[];
}

const LOOPBACK = 'lo';

/**
 * What the configuration inspects, as kinds of packets. Of generic inspection only what initiators send stands here:
 * the rest of a session comes by the mark of its connection (rules.ts).
 */
export function steeringOf(configuration: Configuration): Steering {
  const steers: Steer[] = [];
  const skippedInterfaces: string[] = [];
  for (const entry of configuration.interfaces) {
    const { inspectIn, inspectOut, accessGroupIn, accessGroupOut } = entry;
    if ([inspectIn, inspectOut, accessGroupIn, accessGroupOut].every((name) => name === undefined)) continue;
    if (isLinuxInterfaceName(entry.name)) steers.push(...steersOfInterface(configuration, entry));
    else skippedInterfaces.push(entry.name);
  }
  return { steers, skippedInterfaces };
}

/**
 * The kernel's own rule (dev_valid_name), less what iptables would read as a pattern or the rule text as something
 * else.
 */
export function isLinuxInterfaceName(name: string): boolean {
  return /^[A-Za-z0-9_.:@-]{1,15}$/.test(name) && name !== '.' && name !== '..' && !name.startsWith('-');
}

function steersOfInterface(configuration: Configuration, entry: InterfaceConfiguration): readonly Steer[] {
  const steers: Steer[] = [];
  const inspections = [
    ['in', entry.inspectIn],
    ['out', entry.inspectOut],
  ] as const;
  for (const [direction, ruleName] of inspections) {
    const rule = ruleName === undefined ? undefined : findRule(configuration, ruleName);
    if (rule === undefined) continue;
    steers.push(...mailSteers(configuration, rule, { direction, name: entry.name }));
    steers.push(...genericSteers(configuration, rule, { direction, name: entry.name }));
  }
  return steers;
}

/** Both directions of every connection to a mail port of the rule. */
function mailSteers(configuration: Configuration, rule: InspectionRule, via: Via): readonly Steer[] {
  const transit = mailPortSets(configuration, rule, () => true);
  if (via.name === 'any') return transit.flatMap((set) => everywhere(set));
  if (via.name === LOOPBACK) return via.direction === 'out' ? transit.flatMap((set) => onLoopback(set)) : [];
  const ownTraffic = mailPortSets(configuration, rule, isRouterTraffic(rule));
  return [...transit.flatMap((set) => through(via, set)), ...ownTraffic.flatMap((set) => ofRouter(via, set))];
}

type MailSet = Pick<MailPorts, 'ports' | 'list'>;

function mail(port: MailPorts['port'], set: MailSet): MailPorts {
  return { kind: 'mail', port, ...set };
}

/** `interface any`: all that is forwarded, and servers and clients on this host, which talk to the outside. */
function everywhere(set: MailSet): readonly Steer[] {
  const hooks: readonly Hook[] = ['FORWARD', 'INPUT', 'OUTPUT'];
  return hooks.flatMap((hook) => [
    { hook, what: mail('destination', set) },
    { hook, what: mail('source', set) },
  ]);
}

/** A packet on the loopback passes OUTPUT and INPUT; it is judged once, in OUTPUT, where both directions leave. */
function onLoopback(set: MailSet): readonly Steer[] {
  const via = { direction: 'out', name: LOOPBACK } as const;
  return [
    { hook: 'OUTPUT', via, what: mail('destination', set) },
    { hook: 'OUTPUT', via, what: mail('source', set) },
  ];
}

/** `in`: connections that enter by the interface; their answers leave by it. `out`: the other way round. */
function through(via: Via, set: MailSet): readonly Steer[] {
  return [
    { hook: 'FORWARD', via, what: mail('destination', set) },
    { hook: 'FORWARD', via: back(via), what: mail('source', set) },
  ];
}

/** `router-traffic`: `in` guards servers on this host, `out` its own clients. */
function ofRouter({ direction, name }: Via, set: MailSet): readonly Steer[] {
  const toServer = direction === 'in' ? 'destination' : 'source';
  const fromServer = direction === 'in' ? 'source' : 'destination';
  return [
    { hook: 'INPUT', via: { direction: 'in', name }, what: mail(toServer, set) },
    { hook: 'OUTPUT', via: { direction: 'out', name }, what: mail(fromServer, set) },
  ];
}

/** The whole transports of a rule. The router itself only with `router-traffic`, `interface any` included. */
function genericSteers(configuration: Configuration, rule: InspectionRule, via: Via): readonly Steer[] {
  const blockNonSession = effectiveGlobals(configuration).blockNonSession;
  return rule.protocols.flatMap(({ protocol, routerTraffic }) => {
    if (!isTransport(protocol)) return [];
    if (via.name === 'any') return genericEverywhere(protocol, routerTraffic === true);
    if (via.name === LOOPBACK) return via.direction === 'out' ? [generic('OUTPUT', via, protocol, 'all')] : [];
    const router = via.direction === 'in' ? 'INPUT' : 'OUTPUT';
    return [
      ...fromInitiator('FORWARD', via, protocol),
      ...(protocol === 'tcp' ? [generic('FORWARD', back(via), 'tcp', 'astray-later')] : []),
      ...(protocol === 'tcp' && blockNonSession
        ? [generic('FORWARD', via, 'tcp', 'later'), generic('FORWARD', back(via), 'tcp', 'later')]
        : []),
      ...(routerTraffic === true ? fromInitiator(router, via, protocol) : []),
    ];
  });
}

function genericEverywhere(transport: Transport, routerTraffic: boolean): readonly Steer[] {
  const hooks: readonly Hook[] = routerTraffic ? ['FORWARD', 'INPUT', 'OUTPUT'] : ['FORWARD'];
  return hooks.map((hook) => generic(hook, undefined, transport, 'all'));
}

function fromInitiator(hook: Hook, via: Via, transport: Transport): readonly Steer[] {
  const opened = generic(hook, via, transport, 'initiator');
  return transport === 'icmp' ? [opened] : [opened, generic(hook, via, transport, 'astray')];
}

function generic(hook: Hook, via: Via | undefined, transport: Transport, part: Generic['part']): Steer {
  return { hook, ...(via === undefined ? {} : { via }), what: { kind: 'generic', transport, part } };
}

function back({ direction, name }: Via): Via {
  return { direction: direction === 'in' ? 'out' : 'in', name };
}

/** IOS knows the option on `tcp`, where it means every protocol of the rule; here a mail protocol may carry it too. */
function isRouterTraffic(rule: InspectionRule): (protocol: string) => boolean {
  const marked = new Set(
    rule.protocols.filter((entry) => entry.routerTraffic).map((entry) => entry.protocol as string),
  );
  return (protocol) => marked.has('tcp') || marked.has(protocol);
}
