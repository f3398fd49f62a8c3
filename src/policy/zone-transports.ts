import type { Configuration } from './configuration.ts';
import { SYSTEM_PORTS } from './ports.ts';

type Transport = 'tcp' | 'udp' | 'icmp';

const TRANSPORTS: readonly Transport[] = ['tcp', 'udp', 'icmp'];

/**
 * The transports of which zone policies inspect more than mail: by name, by a protocol that has no engine here, or
 * because a class asks for no protocol at all. What passes or drops a flow needs no session.
 */
export function zoneTransports(configuration: Configuration): ReadonlySet<Transport> {
  const found = new Set<Transport>();
  for (const { policy } of configuration.zonePairs) {
    const map = configuration.policyMaps.find((one) => one.name === policy && one.protocol === undefined);
    for (const { name, actions } of map?.classes ?? []) {
      if (!actions.some(([action]) => action === 'inspect')) continue;
      for (const transport of classTransports(configuration, name)) found.add(transport);
    }
  }
  return found;
}

function classTransports(configuration: Configuration, name: string): readonly Transport[] {
  const protocols = protocolsOf(configuration, name, []);
  return protocols.length === 0 ? TRANSPORTS : protocols.flatMap(transportsOf);
}

/** The words behind `match protocol` in a class and the classes it names; `within`: the classes around it. */
function protocolsOf(configuration: Configuration, name: string, within: readonly string[]): readonly string[] {
  const map = configuration.classMaps.find((one) => one.name === name && one.protocol === undefined);
  if (map === undefined || within.includes(name)) return [];
  return map.matches.flatMap(({ words: [kind, value = ''] }) => {
    if (kind === 'protocol') return [value];
    // A class that asks for no protocol lets every one in, also where others beside it ask.
    const nested = kind === 'class-map' ? protocolsOf(configuration, value, [...within, name]) : [];
    if (map.combine === 'match-any' && nested.length === 0) return TRANSPORTS;
    return nested;
  });
}

function transportsOf(protocol: string): readonly Transport[] {
  const transport = TRANSPORTS.find((one) => one === protocol);
  if (transport !== undefined) return [transport];
  const isMail = protocol === 'esmtp' || SYSTEM_PORTS.some((entry) => entry.protocol === protocol);
  return isMail ? [] : ['tcp', 'udp'];
}
