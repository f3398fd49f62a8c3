import type { Configuration } from './configuration.ts';

/** What is inspected on a port: a mail protocol in clear, or its TLS twin, of which the hellos are read. */
export type MailPortProtocol = 'smtp' | 'pop3' | 'imap' | 'smtps' | 'pop3s' | 'imaps';

/** What a session is inspected as: by its port, or generically by its transport. */
export type PortProtocol = MailPortProtocol | 'tcp' | 'udp' | 'icmp';

/** Whether TLS begins with the first octet. */
export function isTlsPort(protocol: PortProtocol): boolean {
  return protocol === 'smtps' || protocol === 'pop3s' || protocol === 'imaps';
}

/** The ports that are mapped before any `ip port-map` line (contract.md). */
export const SYSTEM_PORTS: readonly { readonly port: number; readonly protocol: PortProtocol }[] = [
  { port: 25, protocol: 'smtp' },
  { port: 587, protocol: 'smtp' },
  { port: 110, protocol: 'pop3' },
  { port: 143, protocol: 'imap' },
  { port: 465, protocol: 'smtps' },
  { port: 995, protocol: 'pop3s' },
  { port: 993, protocol: 'imaps' },
];

/** TCP port to protocol, system entries first and the configuration's own on top. */
export function portProtocols(configuration: Configuration): ReadonlyMap<number, PortProtocol> {
  const ports = new Map<number, PortProtocol>(SYSTEM_PORTS.map((entry) => [entry.port, entry.protocol]));
  for (const map of configuration.portMaps) {
    if (map.transport !== 'tcp' || !isPortProtocol(map.application)) continue;
    for (let port = map.from; port <= map.to; port += 1) ports.set(port, map.application);
  }
  return ports;
}

function isPortProtocol(name: string): name is PortProtocol {
  return SYSTEM_PORTS.some((entry) => entry.protocol === name);
}
