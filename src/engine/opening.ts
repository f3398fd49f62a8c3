import type { Endpoint } from '../firewall/snapshot.ts';
import { EVENT_FLAG, type EventReader, PORT_PROTOCOLS, readDropDetail, readEndpoints } from '../native/event-batch.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { endpointOf, type PackedEnds, unpackEnds } from './address.ts';
import type { DroppedPacket } from './drop-message.ts';

/** Beside the window scale of a dropped packet (native/engine/event_batch.h). */
const SCALE_PRESENT = 0x100;

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

export function readDrop(event: EventReader): DroppedPacket {
  const [source, destination] = readEndpoints(event.octets);
  const { ipIdent, ...numbers } = readDropDetail(event.octets);
  const datagram = PORT_PROTOCOLS[event.flow];
  const isDatagram = datagram === 'udp' || datagram === 'icmp';
  return {
    protocol: isDatagram ? datagram : 'tcp',
    source: endpointOf(source),
    destination: endpointOf(destination),
    counter: event.extra,
    ipIdent,
    ...(isDatagram ? {} : numbers),
    ...((event.numberLow & SCALE_PRESENT) === 0 ? {} : { windowScale: event.numberLow & 0xff }),
  };
}

/** The protocol with this native number. Throws for `none`: such flows are never announced. */
function portProtocol(number: number): PortProtocol {
  const name = PORT_PROTOCOLS[number];
  if (name === undefined || name === 'none') throw new Error(`port protocol ${number} is not one of ours`);
  return name;
}
