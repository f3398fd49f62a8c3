import type { Endpoint } from '../firewall/snapshot.ts';
import type { LogMessage } from '../log/log-message.ts';
import { dropReason } from './endings.ts';

/** A dropped packet, by whoever dropped it: a worker's loop or the gate. */
export interface DroppedPacket {
  readonly protocol: string;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** Index of the native counter that names the reason. */
  readonly counter: number;
  readonly ipIdent: number;
  readonly tcpFlags: number;
  readonly sequence: number;
  readonly acknowledgement: number;
}

/** The log line of a dropped packet (`ip inspect log drop-pkt`); undefined for a drop without a reason of its own. */
export function dropMessage(drop: DroppedPacket): LogMessage | undefined {
  const { protocol, source, destination, counter, ipIdent, tcpFlags, sequence, acknowledgement } = drop;
  const reason = dropReason(counter);
  if (reason === undefined) return undefined;
  return {
    id: 'DROP_PKT',
    fields: {
      protocol,
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
