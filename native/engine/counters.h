#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace postern {

/// What a packet loop counts. Packets add up: received = accepted + rewritten + dropped + held.
/// The names are the ones TypeScript sees; `drop-…` counters are the reasons behind `dropped`.
#define POSTERN_COUNTERS(X)                                       \
  X(received, "received")                                         \
  X(accepted, "accepted")                                         \
  X(rewritten, "rewritten")                                       \
  X(dropped, "dropped")                                           \
  X(held, "held")                                                 \
  X(injected, "injected")                                         \
  X(inject_failed, "inject-failed")                               \
  X(overruns, "overruns")                                         \
  X(verdict_errors, "verdict-errors")                             \
  X(flows_created, "flows-created")                               \
  X(flows_half_open, "flows-half-open")                           \
  X(flows_established, "flows-established")                       \
  X(flows_terminating, "flows-terminating")                       \
  X(max_half_open, "max-half-open")                               \
  X(max_established, "max-established")                           \
  X(max_terminating, "max-terminating")                           \
  X(out_of_order, "out-of-order")                                 \
  X(out_of_order_peak_queue, "out-of-order-peak-queue")           \
  X(out_of_order_bytes, "out-of-order-bytes")                     \
  X(out_of_order_peak_bytes, "out-of-order-peak-bytes")           \
  X(retransmissions, "retransmissions")                           \
  X(retransmissions_altered, "retransmissions-altered")           \
  X(urgent_cleared, "urgent-cleared")                             \
  X(options_cleared, "options-cleared")                           \
  X(smtp_packets, "smtp-packets")                                 \
  X(pop3_packets, "pop3-packets")                                 \
  X(imap_packets, "imap-packets")                                 \
  X(other_packets, "other-packets")                               \
  X(udp_packets, "udp-packets")                                   \
  X(icmp_packets, "icmp-packets")                                 \
  X(half_open_answered, "half-open-answered")                     \
  X(half_open_evicted, "half-open-evicted")                       \
  X(half_open_expired, "half-open-expired")                       \
  X(half_open_reset, "half-open-reset")                           \
  X(resets_limited, "resets-limited")                             \
  X(out_of_order_released, "out-of-order-released")               \
  X(content_messages, "content-messages")                         \
  X(content_octets, "content-octets")                             \
  X(content_scanned_octets, "content-scanned-octets")             \
  X(content_facts, "content-facts")                               \
  X(content_limits, "content-limits")                             \
  X(drop_truncated, "drop-truncated")                             \
  X(drop_bad_packet, "drop-bad-packet")                           \
  X(drop_bad_checksum, "drop-bad-checksum")                       \
  X(drop_midstream, "drop-midstream")                             \
  X(drop_no_flow, "drop-no-flow")                                 \
  X(drop_flow_table_full, "drop-flow-table-full")                 \
  X(drop_invalid_flags, "drop-invalid-flags")                     \
  X(drop_syn_with_data, "drop-syn-with-data")                     \
  X(drop_invalid_sequence, "drop-invalid-sequence")               \
  X(drop_invalid_acknowledgement, "drop-invalid-acknowledgement") \
  X(drop_invalid_window_scale, "drop-invalid-window-scale")       \
  X(drop_syn_in_window, "drop-syn-in-window")                     \
  X(drop_rst_in_window, "drop-rst-in-window")                     \
  X(drop_old_timestamp, "drop-old-timestamp")                     \
  X(drop_unexpected_option, "drop-unexpected-option")             \
  X(drop_data_after_fin, "drop-data-after-fin")                   \
  X(drop_stray, "drop-stray")                                     \
  X(drop_turned, "drop-turned")                                   \
  X(drop_out_of_order, "drop-out-of-order")                       \
  X(drop_duplicate_held, "drop-duplicate-held")                   \
  X(drop_memory, "drop-memory")                                   \
  X(drop_held_limit, "drop-held-limit")                           \
  X(drop_refused, "drop-refused")                                 \
  X(drop_replaced, "drop-replaced")                               \
  X(drop_host_blocked, "drop-host-blocked")                       \
  X(drop_host_table_full, "drop-host-table-full")                 \
  X(drop_no_session, "drop-no-session")                           \
  X(drop_access_list, "drop-access-list")                         \
  X(drop_zone, "drop-zone")                                       \
  X(drop_shutdown, "drop-shutdown")

enum class Counter : std::uint8_t {
#define X(name, text) name,
  POSTERN_COUNTERS(X)
#undef X
      count_
};

inline constexpr std::size_t kCounters = static_cast<std::size_t>(Counter::count_);

inline constexpr std::array<const char*, kCounters> kCounterNames = {
#define X(name, text) text,
    POSTERN_COUNTERS(X)
#undef X
};

class Counters {
 public:
  [[nodiscard]] std::uint64_t& operator[](Counter counter) noexcept {
    return values_[static_cast<std::size_t>(counter)];
  }
  [[nodiscard]] std::uint64_t operator[](Counter counter) const noexcept {
    return values_[static_cast<std::size_t>(counter)];
  }
  /// Raises `peak` to what `gauge` has reached.
  void note_peak(Counter gauge, Counter peak) noexcept {
    if ((*this)[peak] < (*this)[gauge]) (*this)[peak] = (*this)[gauge];
  }

 private:
  std::array<std::uint64_t, kCounters> values_{};
};

}  // namespace postern
