import type { Configuration, InspectionRule, InterfaceConfiguration } from '../policy/configuration.ts';
import { findRule } from '../policy/defaults.ts';
import { type PortProtocol, portProtocols } from '../policy/ports.ts';

export type Hook = 'FORWARD' | 'INPUT' | 'OUTPUT';

/** Inclusive; one port has the same number twice. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** One kind of packet that goes to the queue. */
export interface Steer {
  readonly hook: Hook;
  /** The interface it enters (`in`) or leaves (`out`) by; absent: whichever but the loopback. */
  readonly via?: { readonly direction: 'in' | 'out'; readonly name: string };
  /** Whether the mail port is the packet's destination or its source. */
  readonly mailPort: 'destination' | 'source';
  readonly ports: readonly PortRange[];
}

export interface Steering {
  readonly steers: readonly Steer[];
  /** Interfaces with inspection whose name no Linux interface can have: nothing can come through them. */
  readonly skippedInterfaces: readonly string[];
}

const LOOPBACK = 'lo';

/** What the configuration inspects, as kinds of packets: both directions of every connection it names. */
export function steeringOf(configuration: Configuration): Steering {
  const steers: Steer[] = [];
  const skippedInterfaces: string[] = [];
  for (const entry of configuration.interfaces) {
    if (entry.inspectIn === undefined && entry.inspectOut === undefined) continue;
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
    const transit = portsOf(configuration, () => true, rule);
    const ownTraffic = portsOf(configuration, isRouterTraffic(rule), rule);
    if (entry.name === 'any') steers.push(...everywhere(transit));
    else if (entry.name === LOOPBACK) steers.push(...(direction === 'out' ? onLoopback(transit) : []));
    else steers.push(...through(entry.name, direction, transit), ...ofRouter(entry.name, direction, ownTraffic));
  }
  return steers;
}

/** `interface any`: all that is forwarded, and servers and clients on this host, which talk to the outside. */
function everywhere(ports: readonly PortRange[]): readonly Steer[] {
  if (ports.length === 0) return [];
  const hooks: readonly Hook[] = ['FORWARD', 'INPUT', 'OUTPUT'];
  return hooks.flatMap((hook) => [
    { hook, mailPort: 'destination', ports },
    { hook, mailPort: 'source', ports },
  ]);
}

/** A packet on the loopback passes OUTPUT and INPUT; it is judged once, in OUTPUT, where both directions leave. */
function onLoopback(ports: readonly PortRange[]): readonly Steer[] {
  if (ports.length === 0) return [];
  const via = { direction: 'out', name: LOOPBACK } as const;
  return [
    { hook: 'OUTPUT', via, mailPort: 'destination', ports },
    { hook: 'OUTPUT', via, mailPort: 'source', ports },
  ];
}

/** `in`: connections that enter by the interface; their answers leave by it. `out`: the other way round. */
function through(name: string, direction: 'in' | 'out', ports: readonly PortRange[]): readonly Steer[] {
  if (ports.length === 0) return [];
  const back = direction === 'in' ? 'out' : 'in';
  return [
    { hook: 'FORWARD', via: { direction, name }, mailPort: 'destination', ports },
    { hook: 'FORWARD', via: { direction: back, name }, mailPort: 'source', ports },
  ];
}

/** `router-traffic`: `in` guards servers on this host, `out` its own clients. */
function ofRouter(name: string, direction: 'in' | 'out', ports: readonly PortRange[]): readonly Steer[] {
  if (ports.length === 0) return [];
  const toServer = direction === 'in' ? 'destination' : 'source';
  const fromServer = direction === 'in' ? 'source' : 'destination';
  return [
    { hook: 'INPUT', via: { direction: 'in', name }, mailPort: toServer, ports },
    { hook: 'OUTPUT', via: { direction: 'out', name }, mailPort: fromServer, ports },
  ];
}

/** IOS knows the option on `tcp`, where it means every protocol of the rule; here a mail protocol may carry it too. */
function isRouterTraffic(rule: InspectionRule): (protocol: string) => boolean {
  const marked = new Set(
    rule.protocols.filter((entry) => entry.routerTraffic).map((entry) => entry.protocol as string),
  );
  return (protocol) => marked.has('tcp') || marked.has(protocol);
}

function portsOf(
  configuration: Configuration,
  wanted: (protocol: string) => boolean,
  rule: InspectionRule,
): readonly PortRange[] {
  const protocols = new Set<PortProtocol | string>(
    rule.protocols.filter((entry) => wanted(entry.protocol)).map((entry) => portProtocolOf(entry.protocol)),
  );
  const ports: number[] = [];
  for (const [port, protocol] of portProtocols(configuration)) if (protocols.has(protocol)) ports.push(port);
  return toRanges(ports.sort((a, b) => a - b));
}

/** `esmtp` is inspected on the ports of `smtp`. */
function portProtocolOf(protocol: string): string {
  return protocol === 'esmtp' ? 'smtp' : protocol;
}

function toRanges(ports: readonly number[]): readonly PortRange[] {
  const ranges: PortRange[] = [];
  for (const port of ports) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to + 1 === port) ranges[ranges.length - 1] = { from: last.from, to: port };
    else ranges.push({ from: port, to: port });
  }
  return ranges;
}
