import { APPLICATION_MESSAGES } from './application-messages.ts';

/**
 * The catalogue: every message that Postern writes, in IOS's words where IOS has them (cisco-ios 4.1). The text's
 * `{names}` are the fields a caller must give; the types, the manual page and the log all follow from this table.
 */
export type Facility = 'FW' | 'APPFW' | 'POSTERN';
/** Syslog's numbers (RFC 5424 6.2.1): 0 emergency to 7 debugging. */
export type Severity = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

export interface CatalogueEntry {
  readonly facility: Facility;
  readonly severity: Severity;
  readonly text: string;
  /** Peers can cause it as often as they like: written up to a limit, then counted. */
  readonly limited: boolean;
  /** For the manual: what happened and what to do about it. */
  readonly meaning: string;
}

export const MESSAGES = {
  SESS_AUDIT_TRAIL_START: {
    facility: 'FW',
    severity: 6,
    text: 'Start {protocol} session: initiator ({initiator}) -- responder ({responder})',
    limited: false,
    meaning: 'A session was established. Written for protocols with audit-trail on; never left out.',
  },
  SESS_AUDIT_TRAIL: {
    facility: 'FW',
    severity: 6,
    text: 'Stop {protocol} session: initiator ({initiator}) sent {initiatorBytes} bytes -- responder ({responder}) sent {responderBytes} bytes',
    limited: false,
    meaning: 'A session ended. The counts are payload bytes that were forwarded.',
  },
  ALERT_ON: {
    facility: 'FW',
    severity: 4,
    text: 'getting aggressive, count ({halfOpen}/{limit}) current 1-min rate: {rate}',
    limited: true,
    meaning:
      'Half-open sessions or new ones a minute passed their high threshold. Until they fall below the low one, every new session takes the place of the oldest half-open one.',
  },
  ALERT_OFF: {
    facility: 'FW',
    severity: 4,
    text: 'calming down, count ({halfOpen}/{limit}) current 1-min rate: {rate}',
    limited: true,
    meaning: 'Half-open sessions and the rate of new ones are below their low thresholds again.',
  },
  HOST_TCP_ALERT_ON: {
    facility: 'FW',
    severity: 4,
    text: 'Max tcp half-open connections ({limit}) exceeded for host {host}.',
    limited: true,
    meaning:
      'One server has more half-open sessions than ip inspect tcp max-incomplete host allows; its oldest one is given up for each new one.',
  },
  BLOCK_HOST: {
    facility: 'FW',
    severity: 2,
    text: 'Blocking new TCP connections to host {host} for {minutes} {minutesWord} (half-open count {limit} exceeded)',
    limited: true,
    meaning:
      'The limit of half-open sessions of one server was passed and a block-time is configured: all of them are given up and new ones are refused for that time.',
  },
  UNBLOCK_HOST: {
    facility: 'FW',
    severity: 4,
    text: 'New TCP connections to host {host} no longer blocked',
    limited: true,
    meaning: 'The block-time of a server is over.',
  },
  SMTP_INVALID_COMMAND: {
    facility: 'FW',
    severity: 3,
    text: 'Invalid SMTP command ({text}) (total {lengthBytes} chars) from initiator ({initiator})',
    limited: true,
    meaning: 'A client sent a command that is not one of the protocol or not allowed; the server did not get it.',
  },
  POP3_INVALID_COMMAND: {
    facility: 'FW',
    severity: 5,
    text: 'Invalid POP3 command from initiator ({initiator}): {text}{shadowDetail}',
    limited: true,
    meaning:
      'A client sent an unknown command, or one out of place, before it had logged in. Inspection rules end the session; a class with match invalid-command does what its actions say.',
  },
  IMAP_INVALID_COMMAND: {
    facility: 'FW',
    severity: 5,
    text: 'Invalid IMAP command from initiator ({initiator}): {text}{shadowDetail}',
    limited: true,
    meaning:
      'A client sent an unknown command, or one out of place, before it had logged in. Inspection rules end the session; a class with match invalid-command does what its actions say.',
  },
  POP3_NON_SECURE_LOGIN: {
    facility: 'FW',
    severity: 5,
    text: 'LOGON POP3 command from initiator ({initiator}): {text} (mechanism {mechanism}){shadowDetail}',
    limited: true,
    meaning:
      'A client began a login that shows its password, and secure-login or match login clear-text is configured. Where the session was ended, the secret was not forwarded. The client should use TLS or a mechanism that hashes.',
  },
  IMAP_NON_SECURE_LOGIN: {
    facility: 'FW',
    severity: 5,
    text: 'LOGON IMAP command from initiator ({initiator}): {text} (mechanism {mechanism}){shadowDetail}',
    limited: true,
    meaning:
      'A client began a login that shows its password, and secure-login or match login clear-text is configured. Where the session was ended, the secret was not forwarded. The client should use TLS or a mechanism that hashes.',
  },
  TCP_OOO_SEG: {
    facility: 'FW',
    severity: 4,
    text: 'Dropping TCP Segment: seq:{sequence} {lengthBytes} bytes is out-of-order; expected seq:{expected}. Reason: {why} - session {initiator} to {responder} ({sender})',
    limited: true,
    meaning:
      'A segment that came before its turn found no room; its sender sends it again. Written with ip inspect tcp reassembly alarm. Where paths lose much, raise the queue length or the memory limit. The word in brackets is who sent it.',
  },
  TCP_OOO_TIMEOUT: {
    facility: 'FW',
    severity: 4,
    text: 'TCP reassembly queue timeout: expected seq:{expected} has not come, {segments} segments wait - session {initiator} to {responder} ({sender})',
    limited: true,
    meaning:
      'Segments wait behind one that did not come within the reassembly timeout. They are kept once more for as long.',
  },
  TCP_OOO_SESSION_DELETED: {
    facility: 'FW',
    severity: 4,
    text: 'Deleting session: TCP reassembly queue timeout, expected seq:{expected} has not come, {segments} segments freed - session {initiator} to {responder} ({sender})',
    limited: true,
    meaning:
      'The segment that others waited for did not come within twice the reassembly timeout: the session was ended with resets to both ends.',
  },
  TCP_ALTERED: {
    facility: 'POSTERN',
    severity: 4,
    text: 'TCP segment contradicts octets seen before: seq:{sequence} {lengthBytes} bytes, made to agree with the first - session {initiator} to {responder} ({sender})',
    limited: true,
    meaning:
      'A side sent octets again and they were others: a fault on the way, or an attempt to have firewall and receiver read two streams. What was seen first is what is judged and what its receiver gets. Written once a session with alert on; show ip inspect sessions detail counts them. The word in brackets is who sent it.',
  },
  DROP_PKT: {
    facility: 'FW',
    severity: 6,
    text: 'Dropping {protocol} session {initiator} {responder} {place}due to  {dropReason} with ip ident {ipIdent}{tcpDetail}',
    limited: true,
    meaning:
      'A packet was dropped. Written with ip inspect log drop-pkt, with drop log in a class of a zone policy, and with log dropped-packets in its parameter-map.',
  },
  PASS_PKT: {
    facility: 'FW',
    severity: 6,
    text: '(target:class)-({zonePair}:{class}) Passing {protocol} pkt {initiator} => {responder} with ip ident {ipIdent}',
    limited: true,
    meaning: 'A packet passed without inspection: its class in the policy of the zone-pair has pass log.',
  },
  ...APPLICATION_MESSAGES,
  INIT: {
    facility: 'FW',
    severity: 6,
    text: 'Firewall inspection startup completed; beginning operation.',
    limited: false,
    meaning: 'The rules and queues are in place.',
  },
  RESPONDER_WND_SCALE_INI_NO_SCALE: {
    facility: 'FW',
    severity: 3,
    text: 'Dropping packet - Invalid Window Scale option for session {initiator} to {responder} (Initiator scale {initiatorScale} Responder scale {responderScale})',
    limited: true,
    meaning:
      'The server answered with window scaling that the client had not offered (RFC 7323 2.2). Where such servers must be reached: ip inspect tcp window-scale-enforcement loose.',
  },
  RESPONDER_WND_SCALE_INVALID_SCALE: {
    facility: 'FW',
    severity: 3,
    text: 'Dropping packet - Invalid Window Scale option for session {initiator} to {responder} (Initiator scale {initiatorScale} Responder scale {responderScale})',
    limited: true,
    meaning:
      'The same, and the scale is larger than 14. Where scaling was offered, such a scale is no reason to drop: it holds as 14 (RFC 7323 2.3).',
  },
  TCP_MAJORDOMO_EXEC_BUG: {
    facility: 'FW',
    severity: 4,
    text: 'Majordomo Execute Attack - from {initiator} to {responder}',
    limited: true,
    meaning: 'Signature 3107: a command meant for an old Majordomo was seen in the mail.',
  },
  TCP_SENDMAIL_SIGNATURE: {
    facility: 'FW',
    severity: 4,
    text: 'Sig:{signature}:{name} - from {initiator} to {responder}',
    limited: true,
    meaning: 'One of the sendmail-era signatures, 3100 to 3106.',
  },
  SMTP_MAX_DATA: {
    facility: 'FW',
    severity: 4,
    text: 'SMTP session data exceeds max-data ({maxDataBytes} bytes) from initiator ({initiator})',
    limited: true,
    meaning: 'A message was larger than max-data allows; it was refused and the session ended.',
  },
  PROTOCOL_VIOLATION: {
    facility: 'POSTERN',
    severity: 4,
    text: '{protocol} protocol violation, initiator ({initiator}) -- responder ({responder}): {text}',
    limited: true,
    meaning:
      'A peer broke the rules of its protocol, or sent a message that cannot be looked through as the policy asks. The last words say which rule or limit.',
  },
  FOREIGN_PROTOCOL: {
    facility: 'POSTERN',
    severity: 4,
    text: 'The {by} speaks {spoken} in {protocol} session: initiator ({initiator}) -- responder ({responder})',
    limited: true,
    meaning:
      'The first octets of a side are those of TLS, HTTP or SSH and not of the mail protocol whose port it is; the session was refused. A browser that was made to send a request there, a scanner, or a client whose port or encryption is set wrong.',
  },
  TLS_VERSION: {
    facility: 'POSTERN',
    severity: 4,
    text: 'TLS {version} is below the minimum of {minimum} in {protocol} session from initiator ({initiator}) to responder ({responder})',
    limited: true,
    meaning:
      "A client's highest offer, or what the server chose, is below tls minimum-version; the client reads an alert of TLS (protocol_version).",
  },
  TLS_SESSION: {
    facility: 'POSTERN',
    severity: 6,
    text: 'TLS {version} in {protocol} session: initiator ({initiator}) -- responder ({responder}), server name {serverName}, protocol {alpn}, client {ja4}',
    limited: false,
    meaning:
      "TLS began in a session whose protocol has audit-trail on. The version is the one that the server chose; name and protocols are what the client's hello says, - where it says nothing; the last word is its JA4 fingerprint.",
  },
  SESSION_REFUSED: {
    facility: 'POSTERN',
    severity: 4,
    text: 'Refused {protocol} session: initiator ({initiator}) -- responder ({responder}): {reasonText} [{reason}]',
    limited: true,
    meaning: 'A session was ended by Postern. The word in brackets is the reason; see REASONS.',
  },
  SESSION_EXPIRED: {
    facility: 'POSTERN',
    severity: 6,
    text: 'Expired {protocol} session: initiator ({initiator}) -- responder ({responder}): {reasonText} [{reason}]',
    limited: true,
    meaning: 'A timer of the configuration ended a session.',
  },
  SESSION_CLEARED: {
    facility: 'POSTERN',
    severity: 6,
    text: 'Cleared {protocol} session: initiator ({initiator}) -- responder ({responder}): {reasonText} [{reason}]',
    limited: true,
    meaning: 'clear ip inspect session ended it.',
  },
  SESSION_LOST: {
    facility: 'POSTERN',
    severity: 3,
    text: 'Lost {protocol} session: initiator ({initiator}) -- responder ({responder}): {reasonText} [{reason}]',
    limited: true,
    meaning: 'A session was ended for a reason that lies in Postern, not in the peers. Please report engine errors.',
  },
  RESOURCE_LIMIT: {
    facility: 'POSTERN',
    severity: 3,
    text: 'Refused {protocol} session: initiator ({initiator}) -- responder ({responder}): {reasonText} [{reason}]',
    limited: true,
    meaning: 'A capacity is used up. Under normal load: raise the limit that the reason names.',
  },
  CONFIG_RELOADED: {
    facility: 'POSTERN',
    severity: 5,
    text: 'Configuration {file} is in force ({changes})',
    limited: false,
    meaning: 'A reload took effect.',
  },
  CONFIG_REJECTED: {
    facility: 'POSTERN',
    severity: 3,
    text: 'Configuration {file} has {errors} error(s), the old one stays in force: {detail}',
    limited: false,
    meaning: 'A reload failed. postern check prints every error at its place.',
  },
  STARTTLS_WITHDRAWN: {
    facility: 'POSTERN',
    severity: 4,
    text: 'Server {responder} offered STARTTLS before and does not any more ({offer}) - {protocol} session of initiator ({initiator})',
    limited: true,
    meaning:
      'The list of extensions of a server that offered STARTTLS or STLS (EHLO, CAPA, CAPABILITY) came without it: overwritten, with a word such as other firewalls leave in its place, or missing; or it refused to begin TLS when it was asked to (refused; not 421). Somebody on the way may read the mail; or the server was set up anew. Written once a server and hour by each worker, whatever the policy.',
  },
  SMTP_END_OF_DATA_OVERWRITTEN: {
    facility: 'POSTERN',
    severity: 4,
    text: 'Overwrote an octet of a message that servers may take for its end - session initiator ({initiator}) responder ({responder})',
    limited: true,
    meaning:
      'With line-endings tolerant a dot or line feed that some servers would read as the end of the message (smuggling attempt) was overwritten with a space: what the server stores differs from what was sent in this octet. Written once a message; each octet is counted as mask end-of-data-look-alike.',
  },
  WORKER_STALLED: {
    facility: 'POSTERN',
    severity: 2,
    text: 'Worker of queue {queue} gave no sign of life for {ageMs} ms',
    limited: false,
    meaning: 'A packet worker hangs. It will be replaced; meanwhile postern fail decides about its packets.',
  },
  WORKER_REPLACED: {
    facility: 'POSTERN',
    severity: 3,
    text: 'Worker of queue {queue} was replaced (restart {restarts}): {detail}',
    limited: false,
    meaning: 'A new worker serves the queue. Sessions of the old one are treated as picked up under way.',
  },
  QUEUE_OVERRUN: {
    facility: 'POSTERN',
    severity: 3,
    text: 'Queue {queue} lost {packets} packets in the kernel',
    limited: true,
    meaning:
      'Packets came faster than they were judged. Raise postern queue length, the number of queues, or net.core.rmem_max.',
  },
  OFFLOAD_UNAVAILABLE: {
    facility: 'POSTERN',
    severity: 4,
    text: 'Decided flows stay in the queue: {detail}',
    limited: false,
    meaning: 'postern offload is on and cannot work here.',
  },
  SYN_PROXY_ON: {
    facility: 'POSTERN',
    severity: 5,
    text: 'The kernel answers new connections to host {host} (ports {ports})',
    limited: true,
    meaning:
      'A server is flooded and postern syn-proxy is aggressive: the SYNPROXY target answers SYNs in its place, and only clients that complete the handshake reach it. Nobody is blocked meanwhile.',
  },
  SYN_PROXY_OFF: {
    facility: 'POSTERN',
    severity: 5,
    text: 'Host {host} answers for itself again (ports {ports}) after {seconds} seconds',
    limited: true,
    meaning: 'The flood is over: SYNs go to the server again. Sessions that began meanwhile live on.',
  },
  SYN_PROXY_REFUSED: {
    facility: 'POSTERN',
    severity: 4,
    text: 'The kernel cannot answer for host {host}: {detail}',
    limited: true,
    meaning:
      'postern syn-proxy is aggressive, but the thresholds guard this server alone: it is on the router itself or behind DNAT, or the kernel has no SYNPROXY target (postern doctor tells).',
  },
  RULES_INSTALLED: {
    facility: 'POSTERN',
    severity: 5,
    text: 'Steering rules installed: {detail}',
    limited: false,
    meaning: 'The iptables and ip6tables chains of Postern are in place.',
  },
  RULES_FAILED: {
    facility: 'POSTERN',
    severity: 2,
    text: 'Steering rules could not be changed: {detail}',
    limited: false,
    meaning: 'iptables-restore refused. postern doctor says what is missing.',
  },
  NOTICE: {
    facility: 'POSTERN',
    severity: 5,
    text: '{detail}',
    limited: false,
    meaning: 'Something worth knowing that needs no action.',
  },
  ERROR: {
    facility: 'POSTERN',
    severity: 3,
    text: '{detail}',
    limited: true,
    meaning: 'An operation failed; the text says which and why.',
  },
  READY: {
    facility: 'POSTERN',
    severity: 5,
    text: 'ready: {queues} queue(s) from {firstQueue}, {detail}',
    limited: false,
    meaning: 'Packets are being judged.',
  },
  STOPPING: {
    facility: 'POSTERN',
    severity: 5,
    text: 'Stopping: {detail}',
    limited: false,
    meaning: 'Held packets get their verdicts, then the daemon ends.',
  },
  SUPPRESSED: {
    facility: 'POSTERN',
    severity: 5,
    text: '{count} similar messages suppressed ({kind}, {seconds} s)',
    limited: false,
    meaning: 'A limited message came too often; that many were counted and not written.',
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type MessageId = keyof typeof MESSAGES;

export const MESSAGE_IDS = Object.keys(MESSAGES) as readonly MessageId[];
