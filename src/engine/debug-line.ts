import type { Endpoint } from '../firewall/snapshot.ts';
import { DROP_REASONS } from '../log/reason-messages.ts';
import type { DroppedPacket } from './drop-message.ts';
import { dropReason } from './endings.ts';
import type { JudgedEvent } from './judge.ts';
import { transportOf } from './selection.ts';
import type { Session } from './session.ts';

/**
 * One event for `debug`, in the shapes of IOS (cisco-ios 5.11) as far as the event carries what they show:
 *
 * - `CBAC OBJ_CREATE: create sis ID` and `CBAC OBJ_DELETE: delete sis ID`
 * - `CBAC* sis ID pak N TCP (SOURCE) => (DESTINATION)` for the packet in which a frame ended
 * - `CBAC* pak N TCP FLAGS ack A seq S (SOURCE) => (DESTINATION) dropped: WHY [REASON]`
 * - `CBAC timer: sis ID NAME expired`
 * - `CBAC KIND: sis ID PROTOCOL (INITIATOR) => (RESPONDER) WHAT [VERDICT [REASON]]` for sessions and frames
 *
 * No text of the stream, so no secret.
 */
export function debugLines(event: JudgedEvent): readonly string[] {
  const { kind, session, drop } = event;
  if (drop !== undefined) return [dropLine(event, drop)];
  if (session === undefined) return [`CBAC ${kind}: no session ${event.what}`];
  switch (kind) {
    case 'open':
      return [`CBAC OBJ_CREATE: create sis ${session.id}`, sessionLine(event, session)];
    case 'frame':
      return [packetLine(event, session), sessionLine(event, session)];
    case 'close': {
      const timer = TIMERS.test(event.what) ? [`CBAC timer: sis ${session.id} ${event.what} expired`] : [];
      return [...timer, sessionLine(event, session), `CBAC OBJ_DELETE: delete sis ${session.id}`];
    }
    case 'drop':
      return [];
  }
}

/** Ends that a timer brings about (native/engine/flow.h, EndReason). */
const TIMERS = /-timeout$|^held-too-long$/;

function sessionLine({ kind, what, outcome }: JudgedEvent, session: Session): string {
  const who = `sis ${session.id} ${session.protocol} ${ends(session.initiator, session.responder)}`;
  const verdict = outcome === undefined ? [] : [outcome.verdict];
  const reason = outcome?.reason === undefined ? [] : [outcome.reason];
  return [`CBAC ${kind}:`, who, what, ...verdict, ...reason].join(' ');
}

function packetLine({ packet, what }: JudgedEvent, { id, protocol, initiator, responder }: Session): string {
  const path = what.startsWith('responder') ? ends(responder, initiator) : ends(initiator, responder);
  return `CBAC* sis ${id} pak ${packet} ${transportOf(protocol).toUpperCase()} ${path}`;
}

function dropLine({ packet, what }: JudgedEvent, drop: DroppedPacket): string {
  const { protocol, tcpFlags, acknowledgement = 0, sequence = 0 } = drop;
  const tcp = tcpFlags === undefined ? [] : [flagLetters(tcpFlags), 'ack', acknowledgement, 'seq', sequence];
  const reason = dropReason(drop.counter);
  const why = reason === undefined ? `[${what}]` : `${DROP_REASONS[reason]} [${reason}]`;
  const numbers = [protocol.toUpperCase(), ...tcp].join(' ');
  return `CBAC* pak ${packet} ${numbers} ${ends(drop.source, drop.destination)} dropped: ${why}`;
}

/** The letters of IOS, in the order of the bits; a lone acknowledgement has none and shows as a dot. */
function flagLetters(flags: number): string {
  const letters = [...'FSRP'].filter((_, bit) => (flags & (1 << bit)) !== 0);
  if ((flags & URGENT) !== 0) letters.push('U');
  return letters.length === 0 ? '.' : letters.join('');
}

const URGENT = 0x20;

function ends(from: Endpoint, to: Endpoint): string {
  return `(${placeOf(from)}) => (${placeOf(to)})`;
}

function placeOf({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
