import type { Configuration } from './configuration.ts';

/**
 * Whether sessions are openings: some interface filters, or inspects a whole transport, so the kernel's rules must know
 * which connections have a session (the bypass model of cisco-ios 3.1).
 */
export function usesOpenings(configuration: Configuration): boolean {
  const filters = configuration.interfaces.some(
    ({ accessGroupIn, accessGroupOut }) => accessGroupIn !== undefined || accessGroupOut !== undefined,
  );
  return filters || configuration.rules.some((rule) => rule.protocols.some(({ protocol }) => isTransport(protocol)));
}

/** Generic inspection: every port of a transport. */
export function isTransport(protocol: string): protocol is 'tcp' | 'udp' | 'icmp' {
  return protocol === 'tcp' || protocol === 'udp' || protocol === 'icmp';
}
