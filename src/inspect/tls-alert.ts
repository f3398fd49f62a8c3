/** Descriptions of fatal alerts (RFC 8446 6.2). */
const DESCRIPTIONS = { unexpected_message: 10, protocol_version: 70 } as const;

export type TlsAlert = keyof typeof DESCRIPTIONS;

const FATAL = 2;

/**
 * A fatal alert in a record of its own, in latin-1: a refusal in the words of TLS, to be said before the server's
 * hello. Its record has the version that any client reads there (RFC 8446 5.1).
 */
export function tlsAlert(alert: TlsAlert): string {
  return String.fromCharCode(0x15, 0x03, 0x01, 0x00, 0x02, FATAL, DESCRIPTIONS[alert]);
}
