/**
 * Every reason for which Postern refuses a session or drops a packet, with the sentence an administrator reads.
 * The kebab-case name is the counter's label, the `reason` field of a log line, and what one greps the manual for.
 */
export const REASONS = {
  // Lines and framing
  'line-too-long': 'a line is longer than its budget',
  'unexpected-frame': 'bytes came in a framing that the protocol did not ask for',
  'end-of-data-look-alike': 'a line end, a dot and a line end that servers read differently (smuggling attempt)',
  'data-too-long': 'the message is longer than max-data',
  'control-character': 'a command carries a control character',
  'bare-line-feed': 'a line ends in LF alone and line-endings strict is configured',
  'bare-carriage-return': 'a line carries a CR without LF and line-endings strict is configured',
  nul: 'a line carries a NUL and line-endings strict is configured',
  'foreign-protocol': "the first octets are those of another protocol than the port's (TLS, HTTP, SSH)",
  // Commands
  'invalid-command': 'the command is not one of the protocol',
  'invalid-arguments': "the command's arguments are not well formed",
  'command-out-of-state': 'the command is not allowed at this point of the session',
  'too-many-unanswered': 'too many commands are waiting for an answer',
  'early-talk': 'the client spoke before the greeting',
  'data-after-end': 'bytes came after the session was ended',
  // Authentication and TLS
  'cleartext-login': 'a login would send its secret in clear and secure-login is configured',
  'plaintext-after-starttls': 'plain text was sent behind STARTTLS or STLS',
  'tls-expected': 'something else than a TLS handshake came where TLS has to begin',
  'tls-required': 'a login or a message came before TLS and require-tls is configured',
  'tls-version': 'the TLS version offered or chosen is below tls minimum-version',
  'invalid-sasl-response': 'a SASL response is not well formed',
  'invalid-literal': 'an IMAP literal is not well formed or not allowed here',
  // Replies
  'invalid-greeting': "the server's greeting is not one of the protocol",
  'invalid-reply': "the server's reply is not well formed",
  'unexpected-reply': 'the server answered what nobody asked',
  // Application policy (cisco-ios 3.9): the sentence is what the sender reads in a refusal
  'policy-sender': 'the sender address is not accepted here',
  'policy-recipient': 'the recipient address is not accepted here',
  'unclear-address': 'the address can be read in more ways than one',
  'policy-recipient-count': 'too many recipients',
  'policy-recipient-invalid': 'too many invalid recipients',
  'policy-command': 'the command is not accepted here',
  'policy-line-length': 'the command line is too long for the policy of this site',
  'policy-header-length': 'the header of the message is too long for the policy of this site',
  'policy-header': 'a header field of the message is not accepted here',
  'policy-body': 'the text of the message is not accepted here',
  'policy-content-type': 'the message has a content type that is not accepted here',
  'policy-encoding': 'the message has a transfer encoding that is not accepted here',
  'policy-starttls': 'the server offers no STARTTLS, or does not begin it',
  'policy-ehlo': 'the server offers what is not accepted here',
  'policy-data-length': 'the message is too long for the policy of this site',
  'policy-learned': 'mail from this sender is not accepted here',
  'content-limit': 'the message cannot be looked through',
  // Zones (cisco-ios 1.10)
  'zone-drop': 'the class of the zone policy has the action drop',
  'no-zone-pair': 'no zone-pair with a policy leads from the one zone to the other',
  'not-zoned': 'one of the interfaces is in a zone and the other is in none',
  police: 'the rate of the class is used up (police)',
  // TCP
  midstream: 'the flow was already under way and its beginning was not seen',
  'invalid-segment': 'a segment is older than what was sent since, or carries data behind the end of its side',
  'stray-segment': 'a segment has no place in the state that the connection is in',
  'invalid-flags': 'a combination of TCP flags that nobody sends in good faith',
  'syn-with-data': 'a SYN carries data, or the flags PSH or URG',
  'invalid-sequence': 'a sequence number lies outside of the window',
  'invalid-acknowledgement': 'a segment acknowledges what was never sent, or acknowledges nothing',
  'invalid-window-scale': 'a window scale is too large, or answers one that was not offered',
  'invalid-options': 'a TCP option stands where it must not, or is not well formed',
  'syn-in-window': 'a SYN came inside of the window of an established connection',
  'rst-in-window': 'an RST lies inside of the window but not at its beginning (RFC 5961)',
  'invalid-checksum': 'the checksum of a packet is wrong',
  'invalid-header': 'an IP or TCP header is malformed',
  'reassembly-timeout': 'missing bytes did not arrive in time',
  'reassembly-memory': 'out-of-order bytes used up their memory',
  'held-too-long': 'the reply that decides about held bytes did not come in time',
  'flow-table-full': 'the table of flows is full',
  'half-open-evicted': 'the oldest half-open session gave way to a new one (max-incomplete, aggressive mode)',
  'host-blocked': 'new connections to this host are blocked (tcp max-incomplete host, block-time)',
  'host-table-full': 'too many hosts have half-open sessions at once',
  'session-limit': 'the configured number of sessions is reached',
  'no-session': 'the packet belongs to no session and nothing permits it',
  'access-list': 'an access list denies the packet',
  'idle-timeout': 'the session was idle for too long',
  'synwait-timeout': 'the connection was not established in time',
  'finwait-timeout': 'the connection was not closed in time',
  cleared: 'the administrator cleared the session',
  'engine-error': 'an error inside Postern; the session was ended to be safe',
  'worker-restarted': "the worker that served the session was replaced and the session's state went with it",
} as const;

export type Reason = keyof typeof REASONS;

/** Every reason, in the order of the catalogue. */
export const REASON_NAMES = Object.keys(REASONS) as readonly Reason[];
