import { type Guard, guardsOf } from './guard.ts';

/** Guards of the native side about half-open connections: the gate, its thread and the handshake. */

const GATE = ['gate_test.cc', 'packet_loop_handshake_test.cc'];

export const NATIVE_GATE: readonly Guard[] = [
  ...guardsOf('native/engine/gate.cc', GATE, [
    [
      'gate-shape',
      'a SYN that is none is refused before it costs anything (RFC 9293 3.10)',
      'if (const TrackDrop drop = probe.open(syn); drop != TrackDrop::none) {',
      'if (const TrackDrop drop = probe.open(syn); false) {',
    ],
    [
      'gate-host-block',
      'a blocked server gets no SYN (cisco-ios 3.4)',
      'if (host != kNoHost && table_.blocked(host)) return refusal(Counter::drop_host_blocked);',
      '',
    ],
    [
      'gate-simultaneous-open',
      'a SYN from the responder is no simultaneous open (RFC 9293 3.5)',
      'if (entry.key.initiator != syn.source) return refusal(Counter::drop_stray);',
      '',
    ],
    [
      'gate-syn-after-answer',
      'a forged SYN does not undo a handshake that was answered (RFC 5961 4)',
      'if (!same && entry.answered) return refusal(Counter::drop_syn_in_window);',
      '',
    ],
    [
      'gate-aggressive',
      'in aggressive mode each new connection takes the place of the oldest (cisco-ios 3.3)',
      'if (limits_.aggressive) static_cast<void>(give_up_oldest(newest, resets));',
      '',
    ],
    [
      'gate-max-incomplete',
      'above max-incomplete high the oldest goes (cisco-ios 3.3)',
      'if (half_open() <= limits_.half_open_max || !give_up_oldest(newest, resets)) break;',
      'break;',
    ],
    [
      'gate-host-limit',
      "above a server's limit its oldest goes (cisco-ios 3.4)",
      'while (table_.host_entries(host) > limits_.host_half_open_max &&',
      'while (false &&',
    ],
    [
      'gate-host-told',
      'and it is told of (cisco-ios 3.4)',
      'if (table_.host_entries(host) > limits_.host_half_open_max) note_host(host);',
      '',
    ],
    [
      'gate-newest-stays',
      'the connection that was just admitted is not the victim (cisco-ios 3.3)',
      'if (table_.oldest() == newest || resets.count >= Resets::kMax) return false;',
      'if (resets.count >= Resets::kMax) return false;',
    ],
    [
      'gate-synwait',
      'what stays half open is given up after synwait (cisco-ios 3.5)',
      'if (table_.created_ms(oldest) + limits_.synwait_ms > now_ms) return;',
      'return;',
    ],
    [
      'gate-blocked-bounded',
      'as many servers are blocked as are kept (limits.md)',
      'return table_.blocked_hosts() < kBlockedHostsMax && table_.block(host);',
      'return table_.block(host);',
    ],
  ]),
  ...guardsOf(
    'native/engine/gate_host.cc',
    ['gate_live_test.cc', 'gate_zone_test.cc', 'gate_test.cc'],
    [
      [
        'gate-checksum',
        'a SYN with a false checksum is dropped (RFC 9293 3.1)',
        'if (received.checksum_complete && !tcp_checksum_ok(packet)) {',
        'if (false) {',
      ],
      [
        'gate-zone-drop',
        'what came only to be told of is dropped (cisco-ios 1.10)',
        'if (!told.passed) return drop(received.id, told.reason);',
        '',
      ],
    ],
  ),
  ...guardsOf(
    'native/engine/handshake.cc',
    [...GATE, 'packet_loop_opening_test.cc', 'packet_loop_proxied_test.cc', 'old_timestamp_test.cc'],
    [
      [
        'handshake-checked',
        'a packet of a handshake is what the handshake has next (RFC 9293 3.10.7)',
        'if (result.drop != TrackDrop::none) {',
        'if (false) {',
      ],
      [
        'handshake-opening',
        'a SYN that came by an opening and belongs to nothing is dropped (docs/rules.md)',
        'if (by_opening && !gate_->find(packet.source, packet.destination)) {',
        'if (false) {',
      ],
      [
        'handshake-timestamp',
        "a responder's first octets are held against the timestamp of its SYN-ACK (RFC 7323 5.3)",
        'flow.tracker.note_echo(Side::responder, hand.packet.options.timestamp_echo);',
        '',
      ],
    ],
  ),
];
