import { type Guard, guardsOf } from './guard.ts';

/** Guards of the native side about what leaves: verdicts, what is said in a peer's name, what all sessions share. */

const HELD = [
  'packet_loop_held_test.cc',
  'packet_loop_test.cc',
  'first_seen_test.cc',
  'packet_loop_order_test.cc',
  'reassembly_test.cc',
];
const ROOM = ['shared_room_test.cc', 'packet_loop_guard_test.cc', 'packet_loop_test.cc'];
const RESETS = ['reset_arrives_test.cc', 'packet_rewrite_test.cc'];
const OPTIONS = ['syn_options_test.cc'];

const verdicts: readonly Guard[] = [
  ...guardsOf('native/engine/settle.cc', HELD, [
    [
      'settle-part-only',
      'of a packet that is judged in part, that part goes (design.md, principle 1)',
      'bytes = trim_payload(packet, length);',
      'write_checksums(packet);',
    ],
    [
      'settle-from-store',
      'what is written anew has the octets of the store, masks included (design.md, principle 2)',
      'side.store.copy_out(pool_, pending.offset, packet.payload());',
      '',
    ],
    [
      'settle-acknowledged-again',
      'so has what repeats octets that were acknowledged (design.md, principle 2)',
      'static_cast<void>(side.store.impose(pool_, pending.offset, packet.payload()));',
      '',
    ],
    [
      'settle-behind-held',
      'what became free goes on although packets are held behind it: nobody waits for ever (design.md, prefixes)',
      'if (side.released > side.forwarded || (owes_fin && side.pending.empty())) {',
      'if (side.pending.empty() && (side.released > side.forwarded || owes_fin)) {',
    ],
    [
      'settle-never-more-acknowledged',
      'a peer is said to acknowledge what it has acknowledged itself (RFC 9293 3.10.7.4)',
      'spec.acknowledgement = side.last_acknowledgement;',
      '',
    ],
    [
      'settle-reply-first',
      'a reply goes before what it set free (RFC 2920 3.1)',
      'settle_side(flow_index, Side::responder);\n  settle_side(flow_index, Side::initiator);',
      'settle_side(flow_index, Side::initiator);\n  settle_side(flow_index, Side::responder);',
    ],
    [
      'settle-super-packet',
      'a super-packet that is cut to one segment goes as one of ours: the kernel would lose it (boundary.md)',
      'if (!pending.gso || payload > flow.tracker.half(other(from)).mss) {',
      'if (true) {',
      ['packet_loop_test.cc', 'packet_loop_refusal_test.cc', 'packet_loop_held_test.cc'],
    ],
  ]),
  ...guardsOf(
    'native/engine/early_answer.cc',
    ['early_answer_test.cc'],
    [
      [
        'early-never-more-acknowledged',
        'early octets are answered with what their receiver has acknowledged, never more (RFC 5681 4.2)',
        'spec.acknowledgement = peer.last_acknowledgement;',
        '',
      ],
      [
        'early-answers-unseen',
        'where the answers of a receiver go by us, none is given for it (design.md, principle 6)',
        'if (flow.loose || !peer.acknowledges) return;',
        'if (!peer.acknowledges) return;',
      ],
      [
        'early-ranges-agreed',
        'ranges are told where both ends agreed to them (RFC 2018 2)',
        'if (flow.selective) spec.selective = ranges_of(side);',
        'spec.selective = ranges_of(side);',
      ],
      [
        'early-ranges-bounded',
        'as many ranges as a header holds (RFC 2018 3)',
        'if (found.count == SackRanges::kRangesMax) break;',
        '',
      ],
      [
        'early-ranges-octets',
        'a FIN that waits is no octet that waits (RFC 2018 3)',
        'if (waiting.length == 0) continue;',
        '',
      ],
      [
        'early-echo-in-order',
        'the time of an early segment is not echoed (RFC 7323 4.3)',
        'spec.timestamps->back() = *side.timestamp_passed;',
        ';',
      ],
    ],
  ),
];

const shared: readonly Guard[] = [
  ...guardsOf('native/engine/settle.cc', ROOM, [
    [
      'room-held-a-side',
      'a side holds as many packets as it may (limits.md)',
      'side.pending.size() > kHeldPacketsPerSideMax ||',
      '',
    ],
    [
      'room-held-in-all',
      'all sessions together leave places in the queue (limits.md)',
      '(counters_[Counter::held] > held_max_ && !side.pending.empty())',
      'false',
    ],
  ]),
  ...guardsOf('native/engine/stream.cc', ROOM, [
    [
      'room-early-in-all',
      'so they do of what came early (limits.md)',
      'if (counters_[Counter::held] > held_max_) {',
      'if (false) {',
    ],
    [
      'room-memory-a-side',
      'a side takes a part of the memory that is left (limits.md)',
      'const std::size_t share = pool_.free_chunks() * kChunkBytes / kFreeChunksPerSideDivisor;',
      'const std::size_t share = kUnacknowledgedBytesMax;',
    ],
  ]),
];

const ends: readonly Guard[] = [
  ...guardsOf(
    'native/engine/stream.cc',
    ['before_start_test.cc'],
    [
      [
        'stream-before-start',
        'nothing reaches into a stream from before its first octet: it would be read some octets off (RFC 9293 3.4)',
        'if (pending.packet.has(kFin) || (end > 0 && (held || !side.began_unseen))) {',
        'if (false) {',
      ],
      [
        'stream-before-start-unread',
        'also where a side is no longer read (RFC 9293 3.4)',
        'if (offset < 0 && !flow.loose) {',
        'if (false) {',
      ],
      [
        'stream-before-start-agrees',
        'where it began unseen, what was seen of it wins (design.md, principle 2)',
        'if (side.store.impose(pool_, 0, seen)) note_altered(index, from, pending);',
        'static_cast<void>(seen);',
      ],
    ],
  ),
  ...guardsOf('native/core/packet_rewrite.cc', RESETS, [
    [
      'reset-own-ttl',
      'an RST that takes the place of a packet does not die with its TTL (RFC 791 3.2)',
      'write_u8(packet.bytes, v4 ? wire::ipv4::kTimeToLive : wire::ipv6::kHopLimit,\n           wire::kOwnTimeToLive);',
      'static_cast<void>(v4);',
    ],
  ]),
  ...guardsOf('native/engine/refusal.cc', RESETS, [
    [
      'reset-own-header',
      'nor with what else stands in its IP header (RFC 8200 4.2)',
      'if (!side.pending.empty() && has_bare_ip_header(side.pending.front().packet)) {',
      'if (!side.pending.empty()) {',
    ],
    [
      'reset-in-place-own-header',
      'nor does one that was sent as an RST (RFC 8200 4.2)',
      'if (!hand.received.gso && has_bare_ip_header(packet)) {',
      'if (!hand.received.gso) {',
    ],
  ]),
  ...guardsOf(
    'native/engine/refusal.cc',
    ['packet_loop_refusal_test.cc', 'packet_loop_hostile_test.cc'],
    [
      [
        'refusal-amid-line',
        "no words behind half a line of the server's: '2' and '500 no' are 250 (RFC 5321 4.2)",
        'if (flow.loose || responder.fin_forwarded || is_amid_frame(responder)) {',
        'if (flow.loose || responder.fin_forwarded) {',
      ],
      [
        'refusal-behind-fin',
        "nor behind the server's FIN (RFC 9293 3.6)",
        'if (flow.loose || responder.fin_forwarded || is_amid_frame(responder)) {',
        'if (flow.loose || is_amid_frame(responder)) {',
      ],
    ],
  ),
  ...guardsOf(
    'native/engine/admission.cc',
    ['turned_test.cc'],
    [
      [
        'turned-dropped',
        "no end speaks in the other's name from its own side of the router (response injection)",
        'if (crosses && hand.received.turned()) {',
        'if (false) {',
      ],
    ],
  ),
  ...guardsOf(
    'native/engine/handshake.cc',
    ['turned_test.cc'],
    [['turned-learnt', 'where the SYN-ACK turned, its session may (docs/tcp.md)', 'flow.may_turn = entry.turned;', '']],
  ),
  ...guardsOf('native/engine/admission.cc', RESETS, [
    [
      'reset-arrives',
      'where what follows would pass unread, an RST ends the session at both ends (contract: postern fail)',
      '} else if (!side.opaque && options_.fail_open) {',
      '} else if (false) {',
    ],
  ]),
  ...guardsOf('native/engine/handshake.cc', RESETS, [
    [
      'reset-arrives-half-open',
      'also before the handshake is complete (contract: postern fail)',
      'if (options_.fail_open) {\n      reset_in_place(',
      'if (false) {\n      reset_in_place(',
    ],
  ]),
];

const options: readonly Guard[] = [
  ...guardsOf('native/core/tcp_options.cc', OPTIONS, [
    [
      'syn-options-unknown',
      'an option that is not followed here is seen as such (RFC 8684)',
      'options.has_unknown = options.has_unknown || !is_known(option);',
      '',
    ],
    [
      'syn-options-experiments',
      'also under the kinds of experiments (RFC 6994)',
      'case kExperimentHigh:\n      return is_fast_open_experiment(option);\n    default:',
      'case kExperimentHigh:\n      return true;\n    default:',
    ],
  ]),
  ...guardsOf('native/engine/handshake.cc', OPTIONS, [
    [
      'syn-options-cleared',
      'no end learns of one in a SYN: MPTCP would make another stream of what is read (RFC 8684 3.3)',
      'if (!packet.has(kSyn) || !packet.options.has_unknown) return;',
      'if (true) return;',
    ],
  ]),
  ...guardsOf(
    'native/engine/gate_host.cc',
    ['gate_live_test.cc'],
    [
      [
        'syn-options-cleared-gate',
        'nor in one that passes the queue of the gate (RFC 8684 3.3)',
        'if (packet.options.has_unknown) {',
        'if (false) {',
      ],
    ],
  ),
];

export const NATIVE_SETTLE: readonly Guard[] = [...verdicts, ...shared, ...ends, ...options];
