import type { Configuration, ZonePair } from '../policy/configuration.ts';
import { memberKey } from './config-interface.ts';
import { pairKey } from './config-zones.ts';
import type { Finding } from './draft.ts';

/** What is always there and never configured (cisco-ios 1.10). */
const SYSTEM_ZONES: readonly string[] = ['self', 'default'];

/** Zones at the end of a file: what interfaces and zone-pairs name is there. */
export function findZoneErrors(configuration: Configuration): readonly Finding[] {
  const { zones, interfaces, zonePairs } = configuration;
  const known = new Set([...SYSTEM_ZONES, ...zones.map((zone) => zone.name)]);
  const policies = new Map(configuration.policyMaps.map((map) => [map.name, map]));
  const members = interfaces.flatMap(({ name, zone }) =>
    zone === undefined || known.has(zone) ? [] : [{ key: memberKey(name), message: missingMessage(zone) }],
  );
  const ends = hasZones(configuration) ? zonePairs.flatMap((pair) => missingEnds(pair, known)) : [];
  const attached = zonePairs.flatMap((pair) => {
    if (pair.policy === undefined) return [];
    const key = pairKey(pair.name, 'policy');
    const map = policies.get(pair.policy);
    if (map === undefined) return [{ key, message: `% policy-map type inspect ${pair.policy} is not defined` }];
    if (map.protocol === undefined) return [];
    const message = `%Error: zone-pair ${pair.name} takes a policy-map of layer 3/4: ${map.name} is of type ${map.protocol}`;
    return [{ key, message }];
  });
  return [...members, ...ends, ...attached];
}

/**
 * Zone-pairs of a configuration that has no zone at all: a part of one, whose pairs are for nobody yet. What is told of
 * them is a notice.
 */
export function findPairsWithoutZones(configuration: Configuration): readonly Finding[] {
  if (hasZones(configuration)) return [];
  return configuration.zonePairs.flatMap((pair) => {
    const [first] = missingEnds(pair, new Set(SYSTEM_ZONES));
    if (first === undefined) return [];
    const zone = SYSTEM_ZONES.includes(pair.source) ? pair.destination : pair.source;
    const message = `% notice: zone ${zone} does not exist, zone-pair ${pair.name} has no effect`;
    return [{ key: first.key, message }];
  });
}

function hasZones({ zones, interfaces }: Configuration): boolean {
  return zones.length > 0 || interfaces.some(({ zone }) => zone !== undefined);
}

function missingEnds(pair: ZonePair, known: ReadonlySet<string>): readonly Finding[] {
  return (['source', 'destination'] as const).flatMap((end) =>
    known.has(pair[end]) ? [] : [{ key: pairKey(pair.name, end), message: missingMessage(pair[end]) }],
  );
}

function missingMessage(zone: string): string {
  return `% Zone ${zone} does not exist`;
}
