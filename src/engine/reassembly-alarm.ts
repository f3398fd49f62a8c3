import type { LogMessage } from '../log/log-message.ts';
import { type EventReader, REASSEMBLY_ALARMS } from '../native/event-batch.ts';
import { type Session, sessionContext } from './session.ts';

/** Why a segment was dropped, in IOS's manner (cisco-ios 3.6). */
const DROPPED = {
  'queue-full': 'TCP reassembly queue overflow',
  'memory-limit': 'TCP reassembly memory limit',
  released: 'released for a segment nearer to the gap',
} as const;

/**
 * The message of a reassembly event; undefined for a number that is none of ours. The loop tells of alarms where
 * `reassembly alarm` is set, of altered octets once a session: those are told with `alert on`.
 */
export function reassemblyMessage(event: EventReader, session: Session): LogMessage | undefined {
  const alarm = REASSEMBLY_ALARMS[event.extra & 0xff];
  const where = { ...sessionContext(session), sender: event.side, expected: event.numberHigh };
  const segments = event.extra >>> 8;
  if (alarm === undefined) return undefined;
  if (alarm === 'altered') {
    const segment = { sequence: event.numberLow, lengthBytes: event.flags };
    return session.alert ? { id: 'TCP_ALTERED', fields: { ...where, ...segment } } : undefined;
  }
  if (alarm === 'expired') return { id: 'TCP_OOO_TIMEOUT', fields: { ...where, segments } };
  if (alarm === 'deleted') return { id: 'TCP_OOO_SESSION_DELETED', fields: { ...where, segments } };
  const segment = { sequence: event.numberLow, lengthBytes: event.flags, why: DROPPED[alarm] };
  return { id: 'TCP_OOO_SEG', fields: { ...where, ...segment } };
}
