import type { ForeignProtocol } from './foreign.ts';
import type { Side } from './inspector.ts';

/**
 * What an inspector wants told to the administrator. The log's catalogue gives each its mnemonic, severity and text.
 * `text` never carries a secret: verbs, user names and mechanisms only (PASS, LOGIN, AUTH arguments, SASL responses
 * are out).
 */
export type Alert =
  | { readonly id: 'SMTP_INVALID_COMMAND'; readonly text: string; readonly lengthBytes: number }
  | { readonly id: 'POP3_INVALID_COMMAND'; readonly text: string }
  | { readonly id: 'IMAP_INVALID_COMMAND'; readonly text: string }
  | { readonly id: 'POP3_NON_SECURE_LOGIN'; readonly text: string; readonly mechanism: string }
  | { readonly id: 'IMAP_NON_SECURE_LOGIN'; readonly text: string; readonly mechanism: string }
  | { readonly id: 'SMTP_MAX_DATA'; readonly maxDataBytes: number }
  /** `line-endings tolerant`: the first octet of a message that was overwritten. */
  | { readonly id: 'SMTP_END_OF_DATA_OVERWRITTEN' }
  /** One of the sendmail-era signatures, 3100 to 3107. */
  | { readonly id: 'SMTP_SIGNATURE'; readonly signature: number; readonly name: string }
  /** `tls minimum-version`: what was offered, or chosen, and what is asked for. */
  | { readonly id: 'TLS_VERSION'; readonly version: string; readonly minimum: string }
  /** Another protocol than the port's, and which side spoke it. */
  | { readonly id: 'FOREIGN_PROTOCOL'; readonly spoken: ForeignProtocol; readonly by: Side }
  /** Anything else that was refused: the reason's own message is printed. */
  | { readonly id: 'PROTOCOL_VIOLATION'; readonly text: string };
