import type { Configuration, InterfaceConfiguration, ZonePair } from '../policy/configuration.ts';
import { actionNotForSelf } from './policy-restrictions.ts';

/** What zones and zone-pairs may not be (cisco-ios 1.10, R12, R14), in the words of D-15. */

/** The message when a zone-pair line does not fit the pairs that are there. */
export function pairMistake({ zonePairs }: Configuration, typed: ZonePair): string | undefined {
  const { name, source, destination } = typed;
  const same = (pair: ZonePair): boolean => pair.source === source && pair.destination === destination;
  const existing = zonePairs.find((pair) => pair.name === name);
  if (existing !== undefined && !same(existing)) {
    return `%Error: zone-pair ${name} exists already, from ${existing.source} to ${existing.destination}`;
  }
  if (source === 'self' && destination === 'self') {
    return `%Error: source and destination of zone-pair ${name} are both self`;
  }
  const other = zonePairs.find((pair) => pair.name !== name && same(pair));
  if (other === undefined) return undefined;
  return `%Error: zone-pair ${other.name} is from ${source} to ${destination} already, ${name} cannot be too`;
}

/** The message when a policy cannot be attached to a zone-pair: one a pair, and self has no application policies. */
export function policyMistake({ policyMaps }: Configuration, pair: ZonePair, policy: string): string | undefined {
  if (pair.policy !== undefined && pair.policy !== policy) {
    return `%Error: zone-pair ${pair.name} has policy-map ${pair.policy} already, remove it before ${policy}`;
  }
  if (pair.source !== 'self' && pair.destination !== 'self') return undefined;
  const map = policyMaps.find(({ name, protocol }) => name === policy && protocol === undefined);
  const found = map === undefined ? undefined : actionNotForSelf(map);
  if (found === undefined) return undefined;
  const { action, className } = found;
  return `%Error: zone-pair ${pair.name} is for self and cannot use action '${action}' of policy-map ${policy} (class ${className})`;
}

/** R12: an interface is in a zone or carries `ip inspect`, not both. The message when it may not get the other. */
export function zoneConflict(
  { name, inspectIn, inspectOut }: InterfaceConfiguration,
  zone: string,
): string | undefined {
  const rule = inspectIn ?? inspectOut;
  if (rule === undefined) return undefined;
  return `%Error: interface ${name} has 'ip inspect ${rule}' and cannot be a member of zone ${zone}`;
}

export function inspectConflict({ name, zone }: InterfaceConfiguration, rule: string): string | undefined {
  return zone === undefined
    ? undefined
    : `%Error: interface ${name} is a member of zone ${zone} and cannot have 'ip inspect ${rule}'`;
}
