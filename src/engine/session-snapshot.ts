import type { SessionSnapshot, SessionState } from '../firewall/snapshot.ts';
import type { FlowRecord } from '../native/addon.ts';
import { PORT_PROTOCOLS } from '../native/event-batch.ts';
import { formatAddress } from './address.ts';
import { InspectedSession } from './inspected-session.ts';
import { transportOf } from './selection.ts';
import { type Session, sessionId } from './session.ts';

/** What `show` says of a flow whose dialogue is over, by the loop's number. */
const ENDED_STAGES: ReadonlyMap<number, string> = new Map([
  [3, 'refused'],
  [4, 'closed'],
]);
const SESSION_STATES: readonly SessionState[] = ['SIS_OPENING', 'SIS_OPEN', 'SIS_CLOSING', 'SIS_CLOSED', 'SIS_CLOSED'];

/** A flow and its session, if it has one, in the words of `show`. */
export function snapshotOf(
  worker: number,
  flow: FlowRecord,
  session: Session | undefined,
  interfaceName: (index: number) => string,
): SessionSnapshot {
  const protocol = session?.protocol ?? PORT_PROTOCOLS[flow.protocol] ?? 'none';
  const transport = protocol === 'none' ? 'tcp' : transportOf(protocol);
  return {
    id: sessionId(worker, flow.flow, flow.generation),
    protocol,
    state: SESSION_STATES[flow.stage] ?? 'SIS_CLOSED',
    stage: ENDED_STAGES.get(flow.stage) ?? (session?.dialogue?.stage() ?? transport).toLowerCase(),
    initiator: { address: formatAddress(flow.initiatorAddress), port: flow.initiatorPort },
    responder: { address: formatAddress(flow.responderAddress), port: flow.responderPort },
    bytes: { initiator: flow.initiatorBytes, responder: flow.responderBytes },
    packets: flow.initiatorPackets + flow.responderPackets,
    createdSecondsAgo: Math.floor(flow.createdMsAgo / 1_000),
    lastHeardSecondsAgo: Math.floor(flow.lastHeardMsAgo / 1_000),
    offloaded: flow.offloaded,
    rule: session?.rule ?? '',
    inInterface: interfaceName(flow.inInterface),
    outInterface: interfaceName(flow.outInterface),
    ...placeOf(flow, session),
    ...(session?.tls === undefined ? {} : { tls: session.tls }),
    ...(flow.altered === undefined || flow.altered === 0 ? {} : { altered: flow.altered }),
    ...(flow.midstream ? { midstream: true } : {}),
  };
}

type PlaceFields = Pick<SessionSnapshot, 'opening' | 'zonePair' | 'className' | 'application'>;

function placeOf(flow: FlowRecord, session: Session | undefined): PlaceFields {
  if (!(session instanceof InspectedSession)) return {};
  const { returnList: list, zonePlace, application } = session.place;
  return {
    ...(list === undefined ? {} : { opening: { list, matches: flow.responderPackets } }),
    ...(zonePlace === undefined ? {} : { zonePair: zonePlace.zonePair, className: zonePlace.className }),
    ...(application === undefined ? {} : { application }),
  };
}
