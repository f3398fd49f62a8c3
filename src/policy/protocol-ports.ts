import { TCP_PORTS, UDP_PORTS } from './access-names.ts';
import type { Configuration } from './configuration.ts';
import { isTransport } from './openings.ts';
import { type PortProtocol, portProtocols } from './ports.ts';

/** Destination ports of a transport; `ports` absent: all of it. Ranges are inclusive, rising and apart. */
export interface ProtocolPorts {
  readonly transport: 'tcp' | 'udp' | 'icmp';
  readonly ports?: readonly { readonly from: number; readonly to: number }[];
}

/** Ports that IANA and IOS's port-to-application mapping agree on, beside those that access lists have names for. */
const WELL_KNOWN: Readonly<Record<string, { readonly tcp?: readonly number[]; readonly udp?: readonly number[] }>> = {
  bootpc: { udp: [68] },
  bootps: { udp: [67] },
  cifs: { tcp: [445] },
  dns: { tcp: [53], udp: [53] },
  ftps: { tcp: [990] },
  h323: { tcp: [1720] },
  http: { tcp: [80] },
  https: { tcp: [443] },
  icq: { tcp: [5190] },
  imap3: { tcp: [220] },
  ircs: { tcp: [994] },
  iscsi: { tcp: [860, 3260] },
  kerberos: { tcp: [88], udp: [88] },
  l2tp: { udp: [1701] },
  ldap: { tcp: [389] },
  ldaps: { tcp: [636] },
  'microsoft-ds': { tcp: [445] },
  'ms-sql': { tcp: [1433] },
  mysql: { tcp: [3306] },
  'netbios-ssn': { tcp: [139] },
  nfs: { tcp: [2049], udp: [2049] },
  pptp: { tcp: [1723] },
  radius: { udp: [1812, 1813] },
  rtsp: { tcp: [554] },
  sip: { tcp: [5060], udp: [5060] },
  'sip-tls': { tcp: [5061] },
  skinny: { tcp: [2000] },
  socks: { tcp: [1080] },
  ssh: { tcp: [22] },
  stun: { udp: [3478] },
  telnets: { tcp: [992] },
  tftp: { udp: [69] },
  who: { udp: [513] },
  xdmcp: { udp: [177] },
};

/**
 * Where `match protocol KEYWORD` finds its traffic: mail by the port maps, transports whole, others by their known
 * ports
 * and port maps. Empty: nothing is known of the protocol, and so nothing is of it.
 */
export function protocolPorts(configuration: Configuration, keyword: string): readonly ProtocolPorts[] {
  if (isTransport(keyword)) return [{ transport: keyword }];
  const mail = mailPorts(configuration, keyword);
  if (mail.length > 0) return [{ transport: 'tcp', ports: mail }];
  return (['tcp', 'udp'] as const).flatMap((transport) => {
    const ports = otherPorts(configuration, keyword, transport);
    return ports.length === 0 ? [] : [{ transport, ports }];
  });
}

function mailPorts(configuration: Configuration, keyword: string): readonly { from: number; to: number }[] {
  const wanted = keyword === 'esmtp' ? 'smtp' : keyword;
  const mapped = [...portProtocols(configuration)].filter(
    ([, protocol]: [number, PortProtocol]) => protocol === wanted,
  );
  return merged(mapped.map(([port]) => ({ from: port, to: port })));
}

function otherPorts(
  { portMaps }: Configuration,
  keyword: string,
  transport: 'tcp' | 'udp',
): readonly { from: number; to: number }[] {
  const named = (transport === 'tcp' ? TCP_PORTS : UDP_PORTS)[keyword];
  const known = WELL_KNOWN[keyword]?.[transport] ?? (named === undefined ? [] : [named]);
  const own = portMaps.filter((map) => map.application === keyword && map.transport === transport);
  return merged([...known.map((port) => ({ from: port, to: port })), ...own.map(({ from, to }) => ({ from, to }))]);
}

function merged(ranges: readonly { from: number; to: number }[]): readonly { from: number; to: number }[] {
  const rising = [...ranges].sort((one, other) => one.from - other.from);
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of rising) {
    const last = found.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}

/** Whether a flow with this transport and destination port is of the protocol. */
export function isOfProtocol(
  configuration: Configuration,
  keyword: string,
  transport: 'tcp' | 'udp' | 'icmp',
  port: number,
): boolean {
  return protocolPorts(configuration, keyword).some(
    (one) => one.transport === transport && (one.ports?.some(({ from, to }) => port >= from && port <= to) ?? true),
  );
}
