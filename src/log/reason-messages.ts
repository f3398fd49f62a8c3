import type { Endpoint } from '../firewall/snapshot.ts';
import type { Alert } from '../inspect/alerts.ts';
import { unreachable } from '../inspect/inspector.ts';
import type { Reason } from '../inspect/reasons.ts';
import type { LogContext, LogMessage } from './log-message.ts';

/** A session as its messages name it. */
export interface SessionContext extends LogContext {
  readonly initiator: Endpoint;
  readonly responder: Endpoint;
  readonly protocol: string;
}

type RefusalId = 'SESSION_REFUSED' | 'SESSION_EXPIRED' | 'SESSION_CLEARED' | 'SESSION_LOST' | 'RESOURCE_LIMIT';

/** Which message tells that a session ended for this reason. The compiler asks for every one. */
export const REASON_MESSAGES: Readonly<Record<Reason, RefusalId>> = {
  'line-too-long': 'SESSION_REFUSED',
  'unexpected-frame': 'SESSION_LOST',
  'end-of-data-look-alike': 'SESSION_REFUSED',
  'data-too-long': 'SESSION_REFUSED',
  'foreign-protocol': 'SESSION_REFUSED',
  'control-character': 'SESSION_REFUSED',
  'bare-line-feed': 'SESSION_REFUSED',
  'bare-carriage-return': 'SESSION_REFUSED',
  nul: 'SESSION_REFUSED',
  'invalid-command': 'SESSION_REFUSED',
  'invalid-arguments': 'SESSION_REFUSED',
  'command-out-of-state': 'SESSION_REFUSED',
  'too-many-unanswered': 'SESSION_REFUSED',
  'early-talk': 'SESSION_REFUSED',
  'data-after-end': 'SESSION_REFUSED',
  'cleartext-login': 'SESSION_REFUSED',
  'plaintext-after-starttls': 'SESSION_REFUSED',
  'tls-expected': 'SESSION_REFUSED',
  'tls-required': 'SESSION_REFUSED',
  'tls-version': 'SESSION_REFUSED',
  'invalid-sasl-response': 'SESSION_REFUSED',
  'invalid-literal': 'SESSION_REFUSED',
  'invalid-greeting': 'SESSION_REFUSED',
  'invalid-reply': 'SESSION_REFUSED',
  'unexpected-reply': 'SESSION_REFUSED',
  'policy-sender': 'SESSION_REFUSED',
  'policy-recipient': 'SESSION_REFUSED',
  'unclear-address': 'SESSION_REFUSED',
  'policy-recipient-count': 'SESSION_REFUSED',
  'policy-recipient-invalid': 'SESSION_REFUSED',
  'policy-command': 'SESSION_REFUSED',
  'policy-line-length': 'SESSION_REFUSED',
  'policy-header-length': 'SESSION_REFUSED',
  'policy-header': 'SESSION_REFUSED',
  'policy-body': 'SESSION_REFUSED',
  'policy-content-type': 'SESSION_REFUSED',
  'policy-encoding': 'SESSION_REFUSED',
  'policy-starttls': 'SESSION_REFUSED',
  'policy-ehlo': 'SESSION_REFUSED',
  'policy-data-length': 'SESSION_REFUSED',
  'policy-learned': 'SESSION_REFUSED',
  'content-limit': 'SESSION_REFUSED',
  'zone-drop': 'SESSION_REFUSED',
  'no-zone-pair': 'SESSION_REFUSED',
  'not-zoned': 'SESSION_REFUSED',
  police: 'SESSION_REFUSED',
  midstream: 'SESSION_REFUSED',
  'invalid-segment': 'SESSION_REFUSED',
  'stray-segment': 'SESSION_REFUSED',
  'invalid-flags': 'SESSION_REFUSED',
  'syn-with-data': 'SESSION_REFUSED',
  'invalid-sequence': 'SESSION_REFUSED',
  'invalid-acknowledgement': 'SESSION_REFUSED',
  'invalid-window-scale': 'SESSION_REFUSED',
  'invalid-options': 'SESSION_REFUSED',
  'syn-in-window': 'SESSION_REFUSED',
  'rst-in-window': 'SESSION_REFUSED',
  'invalid-checksum': 'SESSION_REFUSED',
  'invalid-header': 'SESSION_REFUSED',
  'reassembly-timeout': 'SESSION_REFUSED',
  'reassembly-memory': 'RESOURCE_LIMIT',
  'held-too-long': 'SESSION_REFUSED',
  'flow-table-full': 'RESOURCE_LIMIT',
  'half-open-evicted': 'SESSION_EXPIRED',
  'host-blocked': 'SESSION_REFUSED',
  'host-table-full': 'RESOURCE_LIMIT',
  'session-limit': 'RESOURCE_LIMIT',
  'no-session': 'SESSION_REFUSED',
  'access-list': 'SESSION_REFUSED',
  'idle-timeout': 'SESSION_EXPIRED',
  'synwait-timeout': 'SESSION_EXPIRED',
  'finwait-timeout': 'SESSION_EXPIRED',
  cleared: 'SESSION_CLEARED',
  'engine-error': 'SESSION_LOST',
  'worker-restarted': 'SESSION_LOST',
};

/** IOS's words for a dropped packet (cisco-ios 4.3), for DROP_PKT. */
export const DROP_REASONS: Readonly<Record<Reason, string>> = {
  'line-too-long': 'L7 inspection',
  'unexpected-frame': 'Internal Error',
  'end-of-data-look-alike': 'L7 inspection',
  'data-too-long': 'L7 inspection',
  'foreign-protocol': 'L7 inspection',
  'control-character': 'L7 inspection',
  'bare-line-feed': 'L7 inspection',
  'bare-carriage-return': 'L7 inspection',
  nul: 'L7 inspection',
  'invalid-command': 'L7 inspection',
  'invalid-arguments': 'L7 inspection',
  'command-out-of-state': 'L7 inspection',
  'too-many-unanswered': 'L7 inspection',
  'early-talk': 'L7 inspection',
  'data-after-end': 'L7 inspection',
  'cleartext-login': 'L7 inspection',
  'plaintext-after-starttls': 'L7 inspection',
  'tls-expected': 'L7 inspection',
  'tls-required': 'L7 inspection',
  'tls-version': 'L7 inspection',
  'invalid-sasl-response': 'L7 inspection',
  'invalid-literal': 'L7 inspection',
  'invalid-greeting': 'L7 inspection',
  'invalid-reply': 'L7 inspection',
  'unexpected-reply': 'L7 inspection',
  'policy-sender': 'L7 inspection',
  'policy-recipient': 'L7 inspection',
  'unclear-address': 'L7 inspection',
  'policy-recipient-count': 'L7 inspection',
  'policy-recipient-invalid': 'L7 inspection',
  'policy-command': 'L7 inspection',
  'policy-line-length': 'L7 inspection',
  'policy-header-length': 'L7 inspection',
  'policy-header': 'L7 inspection',
  'policy-body': 'L7 inspection',
  'policy-content-type': 'L7 inspection',
  'policy-encoding': 'L7 inspection',
  'policy-starttls': 'L7 inspection',
  'policy-ehlo': 'L7 inspection',
  'policy-data-length': 'L7 inspection',
  'policy-learned': 'L7 inspection',
  'content-limit': 'L7 inspection',
  'zone-drop': 'DROP action found in policy-map',
  'no-zone-pair': 'No zone-pair between zones',
  'not-zoned': 'One of the interfaces not being cfged for zoning',
  police: 'Police rate limiting',
  midstream: 'Segment matching no TCP connection',
  'invalid-segment': 'Invalid Segment',
  'stray-segment': 'Stray Segment',
  'invalid-flags': 'Invalid Flags',
  'syn-with-data': 'SYN with data or with PSH/URG flags',
  'invalid-sequence': 'Invalid Seq#',
  'invalid-acknowledgement': 'Invalid Ack (or no Ack)',
  'invalid-window-scale': 'Invalid Window scale option',
  'invalid-options': 'Invalid TCP options',
  'syn-in-window': 'SYN inside current window',
  'rst-in-window': 'RST inside current window',
  'invalid-checksum': 'Invalid Checksum',
  'invalid-header': 'Invalid Header length',
  'reassembly-timeout': 'Out-Of-Order Segment',
  'reassembly-memory': 'Out-Of-Order Segment',
  'held-too-long': 'L7 inspection',
  'flow-table-full': 'Session limiting',
  'half-open-evicted': 'Session limiting',
  'host-blocked': 'Session limiting',
  'host-table-full': 'Session limiting',
  'session-limit': 'Session limiting',
  'no-session': 'Segment matching no TCP connection',
  'access-list': 'policy match failure',
  'idle-timeout': 'Stray Segment',
  'synwait-timeout': 'Stray Segment',
  'finwait-timeout': 'Stray Segment',
  cleared: 'Stray Segment',
  'engine-error': 'Internal Error',
  'worker-restarted': 'Segment matching no TCP connection',
};

/** The message that says why a session ended. */
export function reasonMessage(reason: Reason, session: SessionContext): LogMessage {
  return { id: REASON_MESSAGES[reason], fields: { ...session, reason } };
}

/** The message for what an inspector wants told. */
export function alertMessage(alert: Alert, session: SessionContext): LogMessage {
  switch (alert.id) {
    case 'SMTP_INVALID_COMMAND':
      return { id: alert.id, fields: { ...session, text: alert.text, lengthBytes: alert.lengthBytes } };
    case 'POP3_INVALID_COMMAND':
    case 'IMAP_INVALID_COMMAND':
    case 'PROTOCOL_VIOLATION':
      return { id: alert.id, fields: { ...session, text: alert.text } };
    case 'POP3_NON_SECURE_LOGIN':
    case 'IMAP_NON_SECURE_LOGIN':
      return { id: alert.id, fields: { ...session, text: alert.text, mechanism: alert.mechanism } };
    case 'SMTP_MAX_DATA':
      return { id: alert.id, fields: { ...session, maxDataBytes: alert.maxDataBytes } };
    case 'TLS_VERSION':
      return { id: alert.id, fields: { ...session, version: alert.version, minimum: alert.minimum } };
    case 'FOREIGN_PROTOCOL':
      return { id: alert.id, fields: { ...session, spoken: alert.spoken, by: alert.by } };
    case 'SMTP_END_OF_DATA_OVERWRITTEN':
      return { id: alert.id, fields: session };
    case 'SMTP_SIGNATURE':
      return signatureMessage(alert, session);
    default:
      return unreachable(alert);
  }
}

/** IOS's signature with a message of its own: the exec attack on Majordomo. */
const MAJORDOMO_SIGNATURE = 3107;

function signatureMessage(alert: Extract<Alert, { id: 'SMTP_SIGNATURE' }>, session: SessionContext): LogMessage {
  if (alert.signature === MAJORDOMO_SIGNATURE) return { id: 'TCP_MAJORDOMO_EXEC_BUG', fields: session };
  return { id: 'TCP_SENDMAIL_SIGNATURE', fields: { ...session, signature: alert.signature, name: alert.name } };
}
