import type { Configuration, ProtocolInspection } from '../policy/configuration.ts';
import { type EffectiveInspection, effectiveInspection, findRule } from '../policy/defaults.ts';
import type { PortProtocol } from '../policy/ports.ts';

/** Which rule inspects a flow, as what, and how. */
export interface Selection {
  readonly rule: string;
  /** The mail protocol of its port, or its transport where the rule inspects that only. */
  readonly protocol: PortProtocol;
  readonly inspection: EffectiveInspection;
}

/** Where a flow's first packet came in and goes out; empty for the router itself. */
export interface FlowPlace {
  readonly inInterface: string;
  readonly outInterface: string;
}

/**
 * The inspection of a flow by the direction of its initiating packet (cisco-ios 3.1): the rule `in` on the interface it
 * enters, else the rule `out` on the one it leaves by, named interfaces before `any`. In a rule the line of its mail
 * protocol goes before the generic line of its transport. Undefined: the flow is not ours.
 */
export function selectInspection(
  configuration: Configuration,
  protocol: PortProtocol,
  place: FlowPlace,
): Selection | undefined {
  for (const name of ruleNames(configuration, place)) {
    const rule = findRule(configuration, name);
    if (rule === undefined) continue;
    for (const as of [protocol, transportOf(protocol)]) {
      const entry = rule.protocols.find((candidate) => covers(candidate, as));
      if (entry === undefined) continue;
      return { rule: rule.name, protocol: as, inspection: effectiveInspection(configuration, entry) };
    }
  }
  return undefined;
}

function ruleNames(configuration: Configuration, place: FlowPlace): readonly string[] {
  const named = (name: string) => configuration.interfaces.find((candidate) => candidate.name === name);
  const any = named('any');
  const bound = [
    named(place.inInterface)?.inspectIn,
    named(place.outInterface)?.inspectOut,
    any?.inspectIn,
    any?.inspectOut,
  ];
  const found = bound.filter((name) => name !== undefined);
  if (place.inInterface !== '' && place.outInterface !== '') return found;
  // Traffic of the router itself: rules with `router-traffic` hold whatever the interface (steering brings no other).
  return [
    ...found,
    ...configuration.rules.filter((rule) => rule.protocols.some((p) => p.routerTraffic)).map((r) => r.name),
  ];
}

/** What carries a protocol: mail, and whatever else is not a transport by itself, runs over TCP. */
export function transportOf(protocol: PortProtocol): 'tcp' | 'udp' | 'icmp' {
  return protocol === 'udp' || protocol === 'icmp' ? protocol : 'tcp';
}

function covers(entry: ProtocolInspection, protocol: PortProtocol): boolean {
  return entry.protocol === protocol || (entry.protocol === 'esmtp' && protocol === 'smtp');
}
