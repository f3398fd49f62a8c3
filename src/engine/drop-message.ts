import type { Endpoint } from '../firewall/snapshot.ts';
import type { LogMessage } from '../log/log-message.ts';
import { dropReason } from './endings.ts';

/** A dropped packet, by whoever dropped it: a worker's loop or the gate. */
export interface DroppedPacket {
  /** Its transport. */
  readonly protocol: string;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** Index of the native counter that names the reason. */
  readonly counter: number;
  readonly ipIdent: number;
  /** Only of TCP. */
  readonly tcpFlags?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  /** The scale that it announced, if it did. */
  readonly windowScale?: number;
}

/** The log line of a dropped packet (`ip inspect log drop-pkt`); undefined for a drop without a reason of its own. */
export function dropMessage(drop: DroppedPacket): LogMessage | undefined {
  const { source: initiator, destination: responder, counter, windowScale: _scale, ...fields } = drop;
  const reason = dropReason(counter);
  return reason === undefined ? undefined : { id: 'DROP_PKT', fields: { ...fields, initiator, responder, reason } };
}

/** RFC 7323 2.3. */
const WINDOW_SCALE_MAX = 14;

/**
 * The alert for a SYN-ACK that scales its window though the SYN did not offer to (RFC 7323 2.2); undefined for every
 * other drop.
 */
export function windowScaleAlert(drop: DroppedPacket): LogMessage | undefined {
  const { source: responder, destination: initiator, protocol, windowScale } = drop;
  if (dropReason(drop.counter) !== 'invalid-window-scale' || windowScale === undefined) return undefined;
  const fields = { initiator, responder, protocol, initiatorScale: 0, responderScale: windowScale };
  const isTooLarge = windowScale > WINDOW_SCALE_MAX;
  return { id: isTooLarge ? 'RESPONDER_WND_SCALE_INVALID_SCALE' : 'RESPONDER_WND_SCALE_INI_NO_SCALE', fields };
}
