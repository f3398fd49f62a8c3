import { formatAddress } from '../engine/address.ts';
import type { Endpoint } from '../firewall/snapshot.ts';
import type { LogMessage } from '../log/log-message.ts';
import type { GateDrop } from '../native/addon.ts';
import type { Configuration } from '../policy/configuration.ts';
import { portProtocols } from '../policy/ports.ts';
import { decideZone } from '../policy/zone-classify.ts';
import type { ZoneDecision, ZonedFlow } from '../policy/zone-decision.ts';

/** IP's numbers of the transports that zone policies know. */
const TRANSPORTS: ReadonlyMap<number, 'tcp' | 'udp' | 'icmp'> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [58, 'icmp'],
]);
/** IOS's word for every other one (cisco-ios 4.1). */
const OTHER_TRANSPORT = 'Unknown-l4';

/**
 * The line of a packet that the kernel's rules have dropped or passed by a zone policy. They carry no names, so pair
 * and class are worked out again from its ends and interfaces; a policy that changed in between may tell another class.
 * `interfaceName` answers '' for 0, the router itself. Undefined for a packet whose place nobody can name any more.
 */
export function zoneMessage(
  configuration: Configuration,
  packet: GateDrop,
  interfaceName: (index: number) => string,
): LogMessage | undefined {
  const source = { address: formatAddress(packet.sourceAddress), port: packet.sourcePort };
  const destination = { address: formatAddress(packet.destinationAddress), port: packet.destinationPort };
  const transport = TRANSPORTS.get(packet.protocol);
  const ways = { inInterface: interfaceName(packet.inInterface), outInterface: interfaceName(packet.outInterface) };
  const fields = {
    protocol: transport ?? OTHER_TRANSPORT,
    initiator: source,
    responder: destination,
    ipIdent: packet.ipIdent,
  };
  const decision = decide(configuration, transport, { source, destination, ...ways });
  const names = 'place' in decision && decision.place !== undefined ? decision.place : undefined;
  const place = names === undefined ? {} : { zonePair: names.zonePair, class: names.className };
  if (packet.passed) {
    if (names === undefined) return undefined;
    return { id: 'PASS_PKT', fields: { ...fields, zonePair: names.zonePair, class: names.className } };
  }
  const { flags, sequence, acknowledgement } = packet;
  const numbers = transport === 'tcp' ? { tcpFlags: flags, sequence, acknowledgement } : {};
  return { id: 'DROP_PKT', fields: { ...fields, ...place, ...numbers, reason: reasonOf(decision) } };
}

/** What a policy inspects it drops only beyond the rate of the class. */
function reasonOf(decision: ZoneDecision): 'zone-drop' | 'no-zone-pair' | 'not-zoned' | 'police' {
  if (decision.kind === 'drop') return decision.reason;
  return decision.kind === 'inspect' ? 'police' : 'zone-drop';
}

interface Seen {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly inInterface: string;
  readonly outInterface: string;
}

function decide(
  configuration: Configuration,
  transport: 'tcp' | 'udp' | 'icmp' | undefined,
  { source, destination, inInterface, outInterface }: Seen,
): ZoneDecision {
  const mail = portProtocols(configuration);
  const protocolOf = (port: number) => (transport === 'tcp' ? mail.get(port) : undefined) ?? transport ?? 'icmp';
  const flow: ZonedFlow = {
    protocol: protocolOf(destination.port),
    initiator: source,
    responder: destination,
    inInterface,
    outInterface,
  };
  const decision = decideZone(configuration, flow);
  if (decision.kind !== 'drop' || decision.reason === 'zone-drop') return decision;
  // An answer is dropped for its rate only: without a session it has no place, and with one it needs no pair.
  const asked = decideZone(configuration, {
    protocol: protocolOf(source.port),
    initiator: destination,
    responder: source,
    inInterface: outInterface,
    outInterface: inInterface,
  });
  return asked.kind === 'inspect' && hasRate(configuration, asked.place) ? asked : decision;
}

function hasRate(
  { policyMaps }: Configuration,
  { policy, className }: { readonly policy: string; readonly className: string },
): boolean {
  const map = policyMaps.find((one) => one.name === policy && one.protocol === undefined);
  const actions = map?.classes.find(({ name }) => name === className)?.actions ?? [];
  return actions.some(([action]) => action === 'police');
}
