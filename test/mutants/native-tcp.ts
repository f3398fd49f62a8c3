import { type Guard, guardsOf } from './guard.ts';

/** Guards of the native side about packets and TCP. */

const PARSE = ['packet_parse_test.cc', 'packet_ipv6_test.cc', 'packet_options_test.cc'];
const TRACKER = [
  'tcp_tracker_guard_test.cc',
  'tcp_tracker_window_test.cc',
  'tcp_tracker_close_test.cc',
  'tcp_tracker_handshake_test.cc',
];
const LOOP = [
  'packet_loop_guard_test.cc',
  'packet_loop_test.cc',
  'packet_loop_hostile_test.cc',
  'packet_loop_rest_test.cc',
  'packet_loop_held_test.cc',
];

const packets: readonly Guard[] = [
  ...guardsOf('native/core/packet_ipv4.cc', PARSE, [
    [
      'ip-fragments',
      'a fragment is no packet: it has no ports and no end (RFC 791 3.2)',
      'if ((fragment & (wire::ipv4::kMoreFragments | wire::ipv4::kOffsetMask)) != 0) {',
      'if (false) {',
    ],
    [
      'ip-total-length',
      'a packet is as long as it says (RFC 791 3.1)',
      'if (total_bytes < header_bytes) return ParseError::bad_ip_header;',
      '',
    ],
  ]),
  ...guardsOf('native/core/packet_ipv6.cc', PARSE, [
    [
      'ip6-routing-header',
      'a routing header that has a way to go is refused (RFC 5095)',
      'return type == 0 || segments_left != 0 ? ParseError::bad_extension : ParseError::none;',
      'return ParseError::none;',
    ],
    [
      'ip6-fragments',
      'a fragment is no packet (RFC 6946)',
      'return (read_u16(header, 2) & kOffsetAndMore) != 0 ? ParseError::fragment : ParseError::none;',
      'return ParseError::none;',
    ],
    [
      'ip6-extensions-bounded',
      'as many extension headers are walked as may be (limits.md)',
      'if (walked == kIpv6ExtensionHeadersMax) return ParseError::bad_extension;',
      '',
    ],
    [
      'ip6-jumbo-home-address',
      'options that change length or source are refused (RFC 2675, RFC 6275 6.3)',
      'if (type == kJumboPayload || type == kHomeAddress) return false;',
      '',
    ],
  ]),
  ...guardsOf('native/core/tcp_options.cc', PARSE, [
    [
      'tcp-options-lengths',
      'options fit into their header (RFC 9293 3.1)',
      'if (option_bytes < 2 || option_bytes > bytes.size() - at) return false;',
      'if (option_bytes < 2) return false;',
    ],
  ]),
  ...guardsOf(
    'native/engine/admission.cc',
    ['tcp_phenomena_test.cc', ...LOOP],
    [
      [
        'packet-urgent',
        'no octet is urgent: receivers leave it out of the stream (RFC 9293 3.8.5)',
        '    clear_urgent(packet);\n',
        '',
      ],
      [
        'packet-urgent-empty',
        'nor does an empty segment make one of the next urgent (RFC 9293 3.8.5)',
        'if (urgent) {\n      write_checksums(packet);',
        'if (false) {\n      write_checksums(packet);',
      ],
      [
        'packet-checksum',
        'a packet with a false checksum is dropped (RFC 9293 3.1)',
        'if (hand.received.checksum_complete && !tcp_checksum_ok(hand.packet)) {',
        'if (false) {',
      ],
      [
        'packet-truncated',
        'a packet that is cut off is dropped (docs/limits.md)',
        'if (hand.received.truncated) {',
        'if (false) {',
      ],
      [
        'tcp-ack-of-withheld',
        'nobody acknowledges what was withheld (design.md, principle 1)',
        'if (seq_gt(packet.acknowledgement, limit)) result.drop = TrackDrop::invalid_acknowledgement;',
        '',
        [...LOOP, 'packet_loop_order_test.cc', 'packet_loop_opening_test.cc', 'packet_loop_handshake_test.cc'],
      ],
      [
        'tcp-offloaded-reset',
        'a reset of a flow whose one direction is offloaded is exact in the other (RFC 5961 3)',
        'if (result.reset && !exact) result.drop = TrackDrop::rst_in_window;',
        '',
        [...LOOP, 'session_end_test.cc', 'packet_loop_order_test.cc'],
      ],
    ],
  ),
];

const tracker: readonly Guard[] = [
  ...guardsOf('native/core/tcp_tracker.cc', TRACKER, [
    [
      'tcp-flags',
      'SYN, FIN and RST exclude each other (RFC 9293 3.10)',
      'if (kinds > 1) return TrackDrop::invalid_flags;',
      '',
    ],
    [
      'tcp-ack-flag',
      'all but SYN and RST carry ACK (RFC 9293 3.10)',
      'if (!packet.has(kSyn | kRst | kAck)) return TrackDrop::invalid_flags;',
      '',
    ],
    [
      'tcp-signatures',
      'MD5 and AO, which receivers read differently, do not pass (RFC 2385, RFC 5925)',
      'if (packet.options.has_md5 || packet.options.has_authentication) {',
      'if (false) {',
    ],
    [
      'tcp-syn-with-data',
      'a SYN carries no data (RFC 7413)',
      'if (packet.has(kSyn) && (packet.has(kPsh | kUrg) || !packet.payload().empty())) {',
      'if (false) {',
    ],
    [
      'tcp-reset-in-window',
      'a reset is exact, or dropped (RFC 5961 3)',
      'if (is_exact(sender, packet.sequence)) return reset();',
      'return reset();',
    ],
    [
      'tcp-reset-at-syn',
      'no reset stands at the SYN itself (RFC 5961 3)',
      '(sequence == sender.acknowledged && sequence != sender.initial_sequence)',
      'sequence == sender.acknowledged',
    ],
    [
      'tcp-reset-of-syn',
      'a reset of a SYN acknowledges it (RFC 9293 3.10.7.3)',
      'packet.has(kAck) &&\n      packet.acknowledgement == receiver.next) {',
      'packet.has(kAck)) {',
    ],
    [
      'tcp-nothing-after-reset',
      'nothing follows a reset (RFC 9293 3.10.7)',
      'if (was_reset()) return {.drop = TrackDrop::stray};',
      '',
    ],
  ]),
  ...guardsOf('native/core/tcp_tracker_segment.cc', TRACKER, [
    [
      'tcp-window',
      'a segment ends within the window (RFC 9293 3.10.7.4)',
      'if (seq_gt(end, limit)) return TrackDrop::invalid_sequence;',
      '',
    ],
    [
      'tcp-window-behind',
      'and not before what its receiver may take as old (RFC 9293 3.10.7.4)',
      'if (seq_lt(end, sender.acknowledged - reach_back(half(other(from))))) {',
      'if (false) {',
    ],
    [
      'tcp-ack-new',
      'nobody acknowledges what was never sent (RFC 5961 5)',
      'return too_old || too_new ?',
      'return too_old ?',
    ],
    ['tcp-ack-old', 'or what is older than a window (RFC 5961 5)', 'return too_old || too_new ?', 'return too_new ?'],
    [
      'tcp-handshake-ack',
      'the acknowledgement of a handshake is exact (RFC 9293 3.10.7.3)',
      'return ack == receiver.next ? TrackDrop::none : TrackDrop::invalid_acknowledgement;',
      'return TrackDrop::none;',
    ],
    [
      'tcp-data-after-fin',
      'no data stand behind a FIN (RFC 9293 3.10.4)',
      'return TrackDrop::data_after_fin;',
      'return TrackDrop::none;',
    ],
    ['tcp-fin-stays', 'a FIN does not move (RFC 9293 3.10.4)', 'return fin_moved || behind ?', 'return behind ?'],
    [
      'tcp-fin-inside',
      'a FIN does not stand inside of what was passed on (RFC 9293 3.10.4)',
      'return inside ? TrackDrop::invalid_sequence : TrackDrop::none;',
      'return TrackDrop::none;',
    ],
    [
      'tcp-old-timestamp',
      'a segment with an old timestamp is dropped, as its receiver does (RFC 7323 5.3)',
      'return {.drop = TrackDrop::old_timestamp};',
      ';',
    ],
  ]),
  ...guardsOf('native/core/tcp_tracker_handshake.cc', TRACKER, [
    [
      'tcp-syn-in-window',
      'a SYN does not end or restart what is established (RFC 5961 4)',
      'if (!half_open()) return {.drop = TrackDrop::syn_in_window};',
      'if (!half_open()) return repeated();',
    ],
    [
      'tcp-syn-ack',
      'a SYN-ACK acknowledges the SYN (RFC 9293 3.10.7.3)',
      'if (packet.acknowledgement != initiator.next)',
      'if (false)',
    ],
    [
      'tcp-window-scale',
      'a window scale is agreed on by both (RFC 7323 2.2)',
      'if (uninvited && !window_scale_loose) return',
      'if (false) return',
    ],
    [
      'tcp-syn-ack-again',
      'a repeated SYN-ACK is the same one (RFC 9293 3.10.7.4)',
      'if (packet.sequence != responder.initial_sequence) {',
      'if (false) {',
    ],
  ]),
];

export const NATIVE_TCP: readonly Guard[] = [...packets, ...tracker];
