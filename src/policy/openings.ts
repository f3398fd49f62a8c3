import type { Configuration } from './configuration.ts';
import { usesZones } from './zone-decision.ts';

/**
 * Whether sessions are openings: some interface filters, inspects a whole transport, or stands in a zone, so the
 * kernel's rules must know which connections have a session (the bypass model of cisco-ios 3.1; answers need no
 * zone-pair of their own, 1.10).
 */
export function usesOpenings(configuration: Configuration): boolean {
  const filters = configuration.interfaces.some(
    ({ accessGroupIn, accessGroupOut }) => accessGroupIn !== undefined || accessGroupOut !== undefined,
  );
  if (filters || usesZones(configuration)) return true;
  return configuration.rules.some((rule) => rule.protocols.some(({ protocol }) => isTransport(protocol)));
}

/** Generic inspection: every port of a transport. */
export function isTransport(protocol: string): protocol is 'tcp' | 'udp' | 'icmp' {
  return protocol === 'tcp' || protocol === 'udp' || protocol === 'icmp';
}
