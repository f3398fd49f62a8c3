import type { Configuration, Zone, ZonePair } from '../policy/configuration.ts';
import { policyOf, SELF_ZONE } from '../policy/zone-classify.ts';

/** A zone with its interfaces: the JSON of `show zone security`. */
export interface ZoneView extends Zone {
  readonly system: boolean;
  readonly interfaces: readonly string[];
}

/** The zones as they are, the router's own first. */
export function viewZones({ zones, interfaces }: Configuration): readonly ZoneView[] {
  const members = (zone: string): readonly string[] =>
    interfaces.filter((entry) => entry.zone === zone).map(({ name }) => name);
  return [
    { name: SELF_ZONE, description: 'System defined zone', system: true, interfaces: [] },
    ...zones.map((zone) => ({ ...zone, system: false, interfaces: members(zone.name) })),
  ];
}

/** `show zone security` (cisco-ios 5.10), a blank line between two zones. */
export function zonesLines(zones: readonly ZoneView[]): readonly string[] {
  return zones.flatMap((zone, index) => [...(index === 0 ? [] : ['']), ...zoneLines(zone)]);
}

function zoneLines({ name, description, system, interfaces }: ZoneView): readonly string[] {
  return [
    `zone ${name}`,
    ...(description === undefined ? [] : [`  Description: ${description}`]),
    ...(system ? [] : ['  Member Interfaces:', ...interfaces.map((member) => `    ${member}`)]),
  ];
}

/** One pair of `show zone-pair security`; the number is its place in the configuration. */
export function zonePairSummary(configuration: Configuration, pair: ZonePair): readonly string[] {
  const policy = policyOf(configuration, pair);
  return [
    `Zone-pair name ${pair.name} ${configuration.zonePairs.indexOf(pair) + 1}`,
    ...(pair.description === undefined ? [] : [`    Description: ${pair.description}`]),
    `    Source-Zone ${pair.source}  Destination-Zone ${pair.destination}`,
    policy === undefined ? '    service-policy not configured' : `    service-policy ${policy.name}`,
  ];
}
