import type { Endpoint } from '../firewall/snapshot.ts';
import type { LogMessage } from '../log/log-message.ts';
import { EVENT_FLAG, type EventReader, PORT_PROTOCOLS, readDropDetail, readEndpoints } from '../native/event-batch.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { endpointOf, type PackedEnds, unpackEnds } from './address.ts';
import { dropMessage } from './drop-message.ts';

/** A flow whose handshake is complete, one picked up under way, or the first datagram of a session. */
export interface OpenedFlow {
  readonly flow: number;
  readonly generation: number;
  /** By its port, or by its transport where the port has none. */
  readonly protocol: PortProtocol;
  readonly ends: PackedEnds;
  /** Read from `ends` when asked for. */
  readonly initiator: Endpoint;
  readonly responder: Endpoint;
  /** Interface indexes; 0 where the router itself is the end. */
  readonly inInterface: number;
  readonly outInterface: number;
  readonly midstream: boolean;
}

/** What else the loop tells of a dropped packet. */
export type PacketDetail = ReturnType<typeof readDropDetail>;

export interface PacketEnds {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

export function readOpened(event: EventReader): OpenedFlow {
  const ends = event.text;
  return {
    flow: event.flow,
    generation: event.generation,
    protocol: portProtocol(event.extra & 0xff),
    ends,
    get initiator() {
      return unpackEnds(ends)[0];
    },
    get responder() {
      return unpackEnds(ends)[1];
    },
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
  return dropMessage({
    protocol: 'tcp',
    counter: event.extra,
    ...readDropEnds(event),
    ...readDropDetail(event.octets),
  });
}

/** The protocol with this native number. Throws for `none`: such flows are never announced. */
function portProtocol(number: number): PortProtocol {
  const name = PORT_PROTOCOLS[number];
  if (name === undefined || name === 'none') throw new Error(`port protocol ${number} is not one of ours`);
  return name;
}
