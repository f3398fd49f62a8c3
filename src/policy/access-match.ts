import { conditionsOf, type PortSet } from './access-conditions.ts';
import { numberedRules } from './access-entry.ts';
import type { AccessList, AddressMatch } from './configuration.ts';
import type { FlowEnd } from './zone-decision.ts';

/** The first packet of a flow as an access list sees it. */
export interface AccessFlow {
  readonly transport: 'tcp' | 'udp' | 'icmp';
  readonly initiator: FlowEnd;
  readonly responder: FlowEnd;
}

const PROTOCOL_NUMBERS = { icmp: 1, tcp: 6, udp: 17 } as const;
const ECHO_REQUEST = 8;

/**
 * Whether the list permits the flow: entries in order, the first that fits decides, what is left is denied. The lists
 * are of IPv4: of IPv6 they know nothing and permit nothing. What only the packet would tell (DSCP, TOS) counts as
 * fitting: the kernel's rules have asked for it before the flow came here.
 */
export function listPermits(list: AccessList, flow: AccessFlow): boolean {
  const source = ipv4Number(flow.initiator.address);
  const destination = ipv4Number(flow.responder.address);
  if (source === undefined || destination === undefined) return false;
  for (const { rule } of numberedRules(list)) {
    const conditions = conditionsOf(rule);
    if (typeof conditions === 'string') continue;
    const { protocol, sourcePorts, destinationPorts, anyFlag, icmp, fragments } = conditions;
    const fits =
      (protocol === undefined || protocol === PROTOCOL_NUMBERS[flow.transport]) &&
      covers(rule.source, source) &&
      covers(rule.destination, destination) &&
      hasPort(sourcePorts, flow.initiator.port) &&
      hasPort(destinationPorts, flow.responder.port) &&
      // A flow begins with SYN, and with a query.
      (anyFlag === undefined || anyFlag.includes('syn')) &&
      (icmp === undefined || icmp.type === ECHO_REQUEST) &&
      !fragments;
    if (fits) return rule.action === 'permit';
  }
  return false;
}

function covers({ address, wildcard }: AddressMatch, number: number): boolean {
  const wanted = ipv4Number(address);
  const ignored = ipv4Number(wildcard);
  if (wanted === undefined || ignored === undefined) return false;
  return ((wanted ^ number) & ~ignored) === 0;
}

function hasPort(ports: PortSet | undefined, port: number): boolean {
  if (ports === undefined) return true;
  const inside = port >= ports.from && port <= ports.to;
  return inside !== ports.except;
}

/** Signed 32 bits; undefined for what is no dotted quad. */
function ipv4Number(address: string): number | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((number, octet) => (number << 8) | octet, 0);
}
