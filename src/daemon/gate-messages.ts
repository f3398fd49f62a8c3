import { formatAddress } from '../engine/address.ts';
import { dropMessage } from '../engine/drop-message.ts';
import type { HostDecision } from '../firewall/host-blocks.ts';
import type { ThresholdDecision } from '../firewall/thresholds.ts';
import type { LogMessage } from '../log/log-message.ts';
import type { GateDrop } from '../native/addon.ts';

/** The line of aggressive mode that begins or ends (cisco-ios 4.1). */
export function thresholdMessage({ kind, halfOpen, limit, rate }: ThresholdDecision): LogMessage {
  const fields = { halfOpen, limit: Number.isFinite(limit) ? limit : 'unlimited', rate };
  return { id: kind === 'aggressive' ? 'ALERT_ON' : 'ALERT_OFF', fields };
}

/** The line of a server with too many half-open sessions. */
export function hostMessage(decision: HostDecision): LogMessage {
  const { host } = decision;
  switch (decision.kind) {
    case 'alert':
      return { id: 'HOST_TCP_ALERT_ON', fields: { limit: decision.limit, host } };
    case 'block':
      return { id: 'BLOCK_HOST', fields: { host, minutes: decision.minutes, limit: decision.limit } };
    case 'unblock':
      return { id: 'UNBLOCK_HOST', fields: { host } };
  }
}

/** The line of a first packet that the gate dropped; undefined for a drop without a reason of its own. */
export function gateDropMessage(drop: GateDrop): LogMessage | undefined {
  return dropMessage({
    protocol: 'tcp',
    source: { address: formatAddress(drop.sourceAddress), port: drop.sourcePort },
    destination: { address: formatAddress(drop.destinationAddress), port: drop.destinationPort },
    counter: drop.counter,
    ipIdent: drop.ipIdent,
    tcpFlags: drop.flags,
    sequence: drop.sequence,
    acknowledgement: drop.acknowledgement,
  });
}
