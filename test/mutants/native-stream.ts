import { type Guard, guardsOf } from './guard.ts';

/** Guards of the native side that keep one stream: reassembly, framing, orders, refusals. */

const LOOP = [
  'packet_loop_test.cc',
  'packet_loop_hostile_test.cc',
  'packet_loop_rest_test.cc',
  'packet_loop_held_test.cc',
];
const REASSEMBLY = [
  'first_seen_test.cc',
  'late_timestamp_test.cc',
  'reassembly_test.cc',
  'packet_loop_order_test.cc',
  'packet_loop_guard_test.cc',
  ...LOOP,
];
const FRAMER = [
  'framer_lines_test.cc',
  'framer_mail_data_test.cc',
  'framer_mail_budget_test.cc',
  'framer_switch_test.cc',
];
const REFUSAL = ['packet_loop_refusal_test.cc', 'packet_loop_guard_test.cc', ...LOOP];

const reassembly: readonly Guard[] = [
  ...guardsOf(
    'native/core/stream_store.cc',
    ['stream_store_test.cc', ...REASSEMBLY],
    [
      [
        'stream-first-seen',
        'octets seen first win over what is sent again (design.md, principle 2)',
        'std::memcpy(claimed, run.data(), count);',
        '',
      ],
    ],
  ),
  ...guardsOf('native/engine/stream.cc', REASSEMBLY, [
    [
      'stream-overlap',
      'a segment that overlaps what came before is rewritten with it (design.md, principle 2)',
      'if (old > 0 && side.store.impose(pool_, pending.offset, payload.first(old))) {',
      'if (false) {',
    ],
    [
      'stream-retransmission',
      'a retransmission goes out with the octets of the first time (design.md, principle 2)',
      'side.released;\n  hide_forgotten(side, pending);\n  if (side.store.impose(pool_, pending.offset, pending.packet.payload())) {',
      'side.released;\n  hide_forgotten(side, pending);\n  if (false) {',
    ],
    [
      'stream-retransmission-unread',
      'also where a side is no longer read (design.md, principle 2)',
      'pending.offset = static_cast<std::uint64_t>(offset);\n    hide_forgotten(side, pending);\n    if (side.store.impose(pool_, pending.offset, pending.packet.payload())) {',
      'pending.offset = static_cast<std::uint64_t>(offset);\n    hide_forgotten(side, pending);\n    if (false) {',
    ],
    [
      'stream-held-again',
      'what is held is not passed because it is sent again (design.md, principle 1)',
      'if (!whole && pending.offset >= side.released) {',
      'if (false) {',
    ],
    [
      'stream-early-bounded',
      'as many early segments wait as may (cisco-ios 3.6)',
      'if (side.early.size() >= options_.out_of_order_max) {',
      'if (false) {',
    ],
    [
      'stream-early-memory',
      'in as much memory as may be (cisco-ios 3.6)',
      'if (!make_room(index, from, pending)) {',
      'if (false) {',
    ],
    [
      'stream-unacknowledged-bounded',
      'as much is kept for retransmissions as may be (limits.md)',
      'if (side.store.end() - side.store.begin() + payload.size() > unacknowledged_max()) return false;',
      '',
    ],
    [
      'stream-session-without-memory',
      'what cannot be kept is dropped, not passed (limits.md)',
      'if (!append(index, from, pending)) {',
      'if (append(index, from, pending), false) {',
    ],
    [
      'stream-early-first-seen',
      'octets that came early and wait were seen first, too (design.md, principle 2)',
      'agree_with_early(index, from, pending, offset);',
      '',
    ],
    [
      'stream-behind-fin',
      'what came early from behind the FIN is no octet of the stream (RFC 9293 3.10.4)',
      'drop_behind_fin(flow, from);',
      '',
    ],
    [
      'stream-early-fin-overtaken',
      'an early FIN that octets in order have overtaken ends nothing (RFC 9293 3.10.4)',
      'if (fin_inside) {',
      'if (false) {',
    ],
    [
      'stream-late-timestamp',
      'what was kept does not look older to its receiver than what went ahead of it (RFC 7323 5.3)',
      'set_timestamp_value(pending.packet, *side.timestamp_passed);',
      '',
    ],
    [
      'stream-altered-told',
      'octets that differ from those seen first are told, once a session (issue 5)',
      'flow.altered_told = tell_reassembly(index, from, ReassemblyAlarm::altered, &pending);',
      '',
    ],
  ]),
  ...guardsOf(
    'native/engine/timers.cc',
    ['session_end_test.cc', ...REASSEMBLY],
    [
      [
        'stream-gap-ends',
        'a gap that does not close ends the session (cisco-ios 3.6)',
        'if (flow.early_retried) {\n    refuse_with_reset(',
        'if (false) {\n    refuse_with_reset(',
      ],
      [
        'stream-held-ends',
        'what is held too long ends the session (limits.md)',
        'refuse_with_reset(index, EndReason::held_too_long);',
        'arm(index);',
      ],
    ],
  ),
  ...guardsOf('native/engine/settle.cc', REASSEMBLY, [
    [
      'stream-held-until-judged',
      'a packet leaves when all of it is judged (design.md, principle 1)',
      'if (end > side.released && pending.offset >= side.released) {',
      'if (false) {',
    ],
  ]),
];

const framing: readonly Guard[] = [
  ...guardsOf(
    'native/core/end_of_data.cc',
    ['framer_mail_data_test.cc', 'framer_mail_budget_test.cc'],
    [
      [
        'data-end-crlf',
        'data end with CRLF . CRLF and nothing else (RFC 5321 4.1.1.4)',
        'return octet == kLf ? DataEvent::end :',
        'return true ? DataEvent::end :',
      ],
      [
        'data-look-alikes',
        'what another server takes for the end is told (CVE-2023-51764 and its family)',
        'return octet == kCr || octet == kLf || octet == kNul ? DataEvent::look_alike',
        'return false ? DataEvent::look_alike',
      ],
      [
        'data-look-alikes-bare-lf',
        'so is a dot behind a bare LF (CVE-2023-51764)',
        'return before == DataContext::crlf ? DataContext::dot_after_crlf\n                                     : DataContext::dot_after_loose_end;',
        'return before == DataContext::crlf ? DataContext::dot_after_crlf : DataContext::text;',
      ],
      [
        'data-look-alikes-nul',
        'NUL hides no line end (CVE-2023-51766)',
        'if (octet == kNul) return is_line_end(before) ? DataContext::loose_end : DataContext::text;',
        'if (octet == kNul) return DataContext::text;',
      ],
      [
        'data-look-alikes-bare-cr',
        'a bare CR is a line end to some (CVE-2023-51765)',
        'return context == DataContext::cr || context == DataContext::crlf ||',
        'return context == DataContext::crlf ||',
      ],
    ],
  ),
  ...guardsOf('native/core/framer.cc', FRAMER, [
    [
      'line-budget',
      'a line has a budget (limits.md)',
      'const std::uint64_t room = framing_.bytes - std::min(framing_.bytes, frame_bytes_);',
      'const std::uint64_t room = octets;',
    ],
    [
      'data-budget',
      'a message has a budget (cisco-ios 1.2, max-data)',
      'if (event == DataEvent::none && !may_be_the_end) return take(CutKind::over_budget, at);',
      '',
    ],
    [
      'data-look-alike-mendable',
      'a look-alike that one octet does not undo is told as such (line-endings tolerant)',
      'cut.well_formed = framing_.tolerant && event == DataEvent::look_alike;',
      'cut.well_formed = framing_.tolerant;',
      ['overwrite_test.cc'],
    ],
    [
      'data-look-alike-early',
      'a dot behind an odd line end is told before its own line end, where it can be undone (line-endings tolerant)',
      'framing_.tolerant ? LooseDots::early : LooseDots::late',
      'LooseDots::late',
      ['overwrite_test.cc'],
    ],
    [
      'data-begin-of-line',
      'data begin behind a line end: a dot there may end them (RFC 5321 4.1.1.4)',
      'data_context_ = DataContext::crlf;',
      'data_context_ = DataContext::text;',
    ],
    [
      'line-bare-lf-told',
      'a line that ends in a bare LF is told as such (RFC 5321 2.3.8)',
      'cut.end = after_cr ? LineEnd::crlf : LineEnd::bare_lf;',
      'cut.end = LineEnd::crlf;',
    ],
    [
      'counted-exact',
      'a counted run ends where it says (RFC 3030 2, RFC 9051 4.3)',
      'const bool complete = frame_bytes_ + within == framing_.bytes;',
      'const bool complete = within > 0;',
      [...FRAMER, 'packet_loop_test.cc'],
    ],
  ]),
  ...guardsOf(
    'native/engine/framing.cc',
    [...LOOP, 'packet_loop_order_test.cc', 'packet_loop_refusal_test.cc'],
    [
      [
        'line-judged-at-cr',
        'a line whose packet ends at its CR is judged there: some servers act on it (RFC 5321 2.3.8)',
        'return judge_at_cr(index, from);',
        ';',
      ],
      [
        'line-behind-cr',
        'behind that CR comes LF, or another line than the one that was judged (RFC 5321 2.3.8)',
        "if (side.store.run_at(pool_, side.framed).front() != std::byte{'\\n'}) {",
        'if (false) {',
      ],
      [
        'line-judged-at-bare-cr',
        'a line is judged at a bare CR inside of a packet too: the same octets, the same verdict (design.md, principle 4)',
        'return cr + 1 < line.size() ? cr + 1 : run.size();',
        'return run.size();',
      ],
      [
        'pause-holds',
        'a side that is paused is not framed (design.md, principle 1)',
        'if (side.paused || side.judged_at_cr) return Advance::done;',
        'if (side.judged_at_cr) return Advance::done;',
      ],
      [
        'judge-silent',
        'a frame that got no order ends its flow (what fails, closes)',
        'if (!over && (!flow.ordered || flow.reframe_wanted || flow.forward_wanted))',
        'if (!over && (flow.reframe_wanted || flow.forward_wanted))',
      ],
      [
        'judge-lets-limit-pass',
        'a frame over its budget is not only forwarded (limits.md)',
        'if (!over && (!flow.ordered || flow.reframe_wanted || flow.forward_wanted))',
        'if (!over && (!flow.ordered || flow.forward_wanted))',
      ],
      [
        'judge-failed',
        'a judge that fails is not believed (what fails, closes)',
        'if (words != Judge::kFailed && words <= buffers_.orders.size()) {',
        'if (words <= buffers_.orders.size() || (words == Judge::kFailed && carry_out(Order{}))) {',
      ],
      [
        'judge-no-room',
        'where nothing can be written for the judge nothing passes (what fails, closes)',
        'if (table_.used(index)) refuse_with_reset(index, EndReason::engine_error);\n  }\n  round_.clear();\n  datagrams_',
        '}\n  round_.clear();\n  datagrams_',
      ],
    ],
  ),
];

const orders: readonly Guard[] = [
  ...guardsOf(
    'native/engine/orders.cc',
    [...REFUSAL, 'packet_loop_order_test.cc'],
    [
      [
        'order-frame-known',
        'an order for a framing that there is not ends the flow (what fails, closes)',
        'if ((order.flags & 0xFU) > static_cast<std::uint32_t>(FramingMode::opaque)) {',
        'if (false) {',
      ],
      [
        'mask-in-store',
        'a mask is in the stream: it holds however often an octet is sent (design.md, rewrites)',
        'side.store.fill(pool_, begin, end - begin, static_cast<std::byte>(order.flags & 0xFFU));',
        '',
      ],
      [
        'mask-dirties-packets',
        'a packet with a mask goes out rewritten (design.md, rewrites)',
        'if (pending.offset < end && begin < pending.offset + pending.length) pending.dirty = true;',
        '',
      ],
      [
        'mask-not-what-left',
        'what has left stays as it went (design.md, principle 2)',
        'const std::uint64_t begin = std::max(side.frame_begin + order.first, side.released);',
        'const std::uint64_t begin = side.frame_begin + order.first;',
      ],
      [
        'refusal-words-bounded',
        'words of a refusal are where the order says, and short (limits.md)',
        'order.second <= kRefusalBytesMax &&',
        '',
      ],
    ],
  ),
  ...guardsOf('native/engine/refusal.cc', REFUSAL, [
    [
      'refusal-responder-reset',
      'the responder is reset at once: its transaction never completes (design.md, refusing well)',
      'reset_toward(index, Side::responder);\n  drop_waiting(flow);',
      'drop_waiting(flow);',
    ],
    [
      'refusal-nothing-passes',
      'nothing that waits passes behind a refusal (design.md, refusing well)',
      '  drop_waiting(flow);\n  drop_content(flow);\n  auto refusal',
      '  drop_content(flow);\n  auto refusal',
    ],
    [
      'refusal-after-message',
      'the words come behind the message that is refused (design.md, refusing well)',
      '(mode != FramingMode::mail_data && mode != FramingMode::counted) || initiator.fin_received;',
      'true || mode == FramingMode::lines;',
    ],
    [
      'refusal-look-alike-waits',
      'a refused client that is silent behind a look-alike of its end is told (design.md, refusing well)',
      'flow.refusal->interrupt_ms = waits ? now_ms_ + kLookAlikeQuietMs : 0;',
      'flow.refusal->interrupt_ms = waits ? 0 : 0;',
    ],
    [
      'refusal-words-kept',
      'one that goes on with its message loses the words to no RST (design.md, refusing well)',
      'if (!refusal.spoken || goes_on)',
      'if (!refusal.spoken || (goes_on && false))',
    ],
    [
      'refusal-thrown-away',
      'what a refused client still sends is thrown away (design.md, refusing well)',
      'drop_received(hand, Counter::drop_refused);\n  if (from == Side::responder) {',
      'accept_plain(flow, hand.received.id, hand.received.mark);\n  if (from == Side::responder) {',
    ],
    [
      'refusal-responder-again',
      'a responder that still speaks is reset again (design.md, refusing well)',
      'reset_late(index, from, packet);\n    return;',
      'return;',
    ],
    [
      'refusal-resets-bounded',
      'a bounded number of times (limits.md)',
      'if (packet.has(kRst) || flow.late_resets >= kLateResetsMax) return;',
      'if (packet.has(kRst)) return;',
    ],
    [
      'refusal-both-reset',
      'a refusal without words resets both peers (design.md, refusing well)',
      'reset_toward(index, Side::responder);\n  reset_toward(index, Side::initiator);',
      'reset_toward(index, Side::initiator);',
    ],
  ]),
  ...guardsOf(
    'native/engine/midstream.cc',
    ['packet_loop_refusal_test.cc', 'packet_loop_handshake_test.cc', 'packet_loop_opening_test.cc'],
    [
      [
        'midstream-fail-closed',
        'a connection that was under way before us is reset, unless it fails open (contract: postern fail)',
        'if (!options_.fail_open || is_behind_extensions(packet)) {',
        'if (is_behind_extensions(packet)) {',
      ],
      [
        'midstream-behind-extensions',
        'nothing behind IPv6 extension headers is taken for one: another worker may know it (design.md, principle 1)',
        'if (!options_.fail_open || is_behind_extensions(packet)) {',
        'if (!options_.fail_open) {',
      ],
      [
        'midstream-handshake',
        'a SYN-ACK or RST of nothing that we know is dropped (RFC 9293 3.10.7)',
        'if (packet.has(kRst | kSyn)) {',
        'if (false) {',
      ],
      [
        'midstream-opening',
        'what came by an opening has a session, or is dropped (docs/rules.md)',
        'if (came_by_opening(hand) || options_.block_non_session) {',
        'if (options_.block_non_session) {',
      ],
      [
        'midstream-block-non-session',
        'with block-non-session, so is all else without a session (cisco-ios 1.2)',
        'if (came_by_opening(hand) || options_.block_non_session) {',
        'if (came_by_opening(hand)) {',
      ],
      [
        'midstream-resets-rationed',
        'resets to forged addresses are rationed (limits.md)',
        'if (!midstream_resets_.take(now_ms_)) {',
        'if (false) {',
      ],
    ],
  ),
];

export const NATIVE_STREAM: readonly Guard[] = [...reassembly, ...framing, ...orders];
