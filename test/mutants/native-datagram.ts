import { type Guard, guardsOf } from './guard.ts';

/** Guards of the native side about UDP, ICMP, and what is kept for handshakes under way. */

const FLOWS = ['datagram_flows_test.cc', 'datagram_limits_test.cc'];
const PACKETS = ['datagram_packet_test.cc'];

const packets: readonly Guard[] = guardsOf('native/core/datagram_packet.cc', PACKETS, [
  [
    'icmp-of-its-version',
    'ICMP goes with its own version of IP (RFC 4443 2.1)',
    'if (ip.protocol != wire::kProtocolUdp && !is_icmp_of(ip)) return ParseError::not_datagram;',
    '',
  ],
  [
    'icmp-query-code',
    'a query has code 0: conntrack takes another for another connection (RFC 792)',
    'if (read_u8(icmp, wire::icmp::kCode) != 0) return ParseError::bad_datagram;',
    '',
  ],
  [
    'icmp-error-version',
    'an error is about a packet of its own version of IP (RFC 4443 2.4)',
    'if (packet.about.source.address.version != ip.source.version) packet.about = {};',
    '',
  ],
  [
    'icmp-neighbour-hops',
    'neighbour discovery is believed only where no router forwarded it (RFC 4861 6.1, 7.1)',
    'neighbour && hops == kNeighbourHops ?',
    'neighbour ?',
  ],
  [
    'udp-length',
    "UDP's length is neither longer than IP's nor shorter than its header (RFC 768)",
    'if (length < wire::udp::kHeaderBytes || length > udp.size()) return ParseError::bad_datagram;',
    '',
  ],
  [
    'udp-without-checksum',
    'without a checksum UDP goes over IPv4 alone (RFC 8200 8.1)',
    'if (without) return packet.ends.source.address.version == 4;',
    'if (without) return true;',
  ],
]);

const flows: readonly Guard[] = [
  ...guardsOf('native/engine/datagram_flows.cc', FLOWS, [
    [
      'datagram-checksum',
      'a datagram with a false checksum is dropped (RFC 768, RFC 792)',
      'received.checksum_complete && !datagram_checksum_ok(packet)',
      'false',
    ],
    [
      'datagram-not-readable',
      'what cannot be read is dropped (what fails, closes)',
      'if (arrival.error != ParseError::none) {',
      'if (false) {',
    ],
    [
      'icmp-other',
      'redirects, source quench and what nobody knows are dropped (RFC 6633, RFC 1812 5.2.7.2)',
      'drop(seen, Counter::drop_no_session);\n  } else {\n    admit_by_ends',
      'accept(seen, 0);\n  } else {\n    admit_by_ends',
    ],
    [
      'icmp-reply-asked',
      'a reply answers a query that was seen (cisco-ios 3.5)',
      'if (index == kNoFlow && packet.ends.is_reply) {',
      'if (false) {',
    ],
    [
      'icmp-error-addressed',
      'an error goes to who sent the packet that it is about (RFC 792)',
      'about.protocol != 0 && about.source.address == arrival.packet.ends.destination.address;',
      'about.protocol != 0;',
    ],
    [
      'icmp-error-known',
      'when that packet belongs to a session (RFC 5927 4)',
      'if (addressed && (known || (packet.mark & mark_session_) != 0)) {',
      'if (addressed) {',
    ],
    [
      'datagram-opening-closed',
      'an answer to a session that is over opens none from outside (docs/rules.md)',
      'if ((packet.mark & mark_session_) == 0) {',
      'if (true) {',
    ],
    [
      'datagram-opening-recalled',
      'and its opening is closed (docs/rules.md)',
      'sender_.recall_datagram(table_.ends(index), mark_session_);',
      '',
    ],
    [
      'datagram-judge-silent',
      'nothing passes because nobody answered (what fails, closes)',
      'end(index, EndReason::engine_error);\n    drop(packet, Counter::drop_no_session);\n  }\n}\n\nvoid DatagramFlows::give_up',
      'pass(index, packet);\n  }\n}\n\nvoid DatagramFlows::give_up',
    ],
  ]),
  ...guardsOf('native/engine/datagram_sessions.cc', FLOWS, [
    [
      'datagram-aggressive',
      'aggressive: each new session takes the place of the oldest half-open one (cisco-ios 3.3)',
      'if ((limits.aggressive || full) && !gate_->owe_connection()) {',
      'if (full && !gate_->owe_connection()) {',
    ],
    [
      'datagram-max-incomplete',
      'and so above max-incomplete high (cisco-ios 3.3)',
      'if ((limits.aggressive || full) && !gate_->owe_connection()) {',
      'if (limits.aggressive && !gate_->owe_connection()) {',
    ],
    ['datagram-idle-ends', 'silence ends a session (cisco-ios 3.5)', 'if (now_ms_ < deadline_ms) {', 'if (true) {'],
    [
      'datagram-refused-waits',
      'what came of a session in the turn that ended it does not pass (cisco-ios 3.9)',
      'drop(packet, Counter::drop_refused);\n    return true;',
      'pass(index, packet);\n    return true;',
    ],
    [
      'datagram-table-bounded',
      'as many sessions are kept as may be (limits.md)',
      'if (settled() < sessions_max_) return;',
      'return;',
    ],
  ]),
];

const handshakes: readonly Guard[] = [
  ...guardsOf(
    'native/core/half_open_table.cc',
    ['half_open_table_test.cc'],
    [
      [
        'half-open-bounded',
        'as many handshakes are kept as may be (limits.md)',
        'if (host == kNoHost) return kNoEntry;',
        '',
      ],
      [
        'half-open-generation',
        'an index that was given out again is another entry (what fails, closes)',
        'record.host_and_generation += 1U << kHostBits;\n  record.next_in_bucket',
        'record.next_in_bucket',
      ],
    ],
  ),
  ...guardsOf(
    'native/engine/gate_handshake.cc',
    ['gate_test.cc', 'packet_loop_handshake_test.cc'],
    [
      [
        'handshake-gone',
        'the answer to a connection that was given up is none (cisco-ios 3.3)',
        'if (!table_.holds(entry)) return false;\n  HalfOpen answered',
        'HalfOpen answered',
      ],
      [
        'handshake-first-answer',
        'the first answer of a server is the one that counts (RFC 9293 3.10.7.3)',
        'if (answered.answered) return true;',
        '',
      ],
      [
        'handshake-proxied-here',
        'a cookie is believed of what was sent here alone (docs/rules.md)',
        'if (!received.sent_here() || !says_cookie) return std::nullopt;',
        'if (!says_cookie) return std::nullopt;',
      ],
    ],
  ),
];

export const NATIVE_DATAGRAM: readonly Guard[] = [...packets, ...flows, ...handshakes];
