import type { Endpoint } from '../firewall/snapshot.ts';
import type { LogMessage } from '../log/log-message.ts';
import {
  EVENT_FLAG,
  type EventReader,
  PORT_PROTOCOLS,
  type RawEndpoint,
  readDropDetail,
  readEndpoints,
} from '../native/event-batch.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { formatAddress } from './address.ts';
import { dropReason } from './endings.ts';

/** A flow whose handshake is complete, or one picked up under way. */
export interface OpenedFlow {
  readonly flow: number;
  readonly generation: number;
  readonly protocol: PortProtocol;
  readonly initiator: Endpoint;
  readonly responder: Endpoint;
  /** Interface indexes; 0 where the router itself is the end. */
  readonly inInterface: number;
  readonly outInterface: number;
  readonly midstream: boolean;
}

export interface PacketEnds {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

export function readOpened(event: EventReader): OpenedFlow {
  const [initiator, responder] = readEndpoints(event.octets);
  return {
    flow: event.flow,
    generation: event.generation,
    protocol: portProtocol(event.extra & 0xff),
    initiator: endpointOf(initiator),
    responder: endpointOf(responder),
    inInterface: event.numberLow,
    outInterface: event.numberHigh,
    midstream: event.has(EVENT_FLAG.midstream),
  };
}

/** Who sent a dropped packet to whom. */
export function readDropEnds(event: EventReader): PacketEnds {
  const [source, destination] = readEndpoints(event.octets);
  return { source: endpointOf(source), destination: endpointOf(destination) };
}

/** The log line of a dropped packet (`ip inspect log drop-pkt`). */
export function readDrop(event: EventReader): LogMessage | undefined {
  const { source, destination } = readDropEnds(event);
  const reason = dropReason(event.extra);
  if (reason === undefined) return undefined;
  const { ipIdent, tcpFlags, sequence, acknowledgement } = readDropDetail(event.octets);
  return {
    id: 'DROP_PKT',
    fields: {
      protocol: 'tcp',
      initiator: source,
      responder: destination,
      reason,
      ipIdent,
      tcpFlags,
      sequence,
      acknowledgement,
    },
  };
}

/** The protocol with this native number. Throws for `none`: such flows are never announced. */
function portProtocol(number: number): PortProtocol {
  const name = PORT_PROTOCOLS[number];
  if (name === undefined || name === 'none') throw new Error(`port protocol ${number} is not one of ours`);
  return name;
}

function endpointOf(raw: RawEndpoint): Endpoint {
  return { address: formatAddress(raw.address), port: raw.port };
}
