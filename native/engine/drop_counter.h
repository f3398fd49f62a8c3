#pragma once

#include "core/tcp_tracker.h"
#include "engine/counters.h"

namespace postern {

/// What counts a segment that the tracker refused.
[[nodiscard]] constexpr Counter drop_counter_of(TrackDrop drop) noexcept {
  switch (drop) {
    case TrackDrop::none:
    case TrackDrop::stray:
      return Counter::drop_stray;
    case TrackDrop::not_syn:
      return Counter::drop_midstream;
    case TrackDrop::invalid_flags:
      return Counter::drop_invalid_flags;
    case TrackDrop::syn_with_data:
      return Counter::drop_syn_with_data;
    case TrackDrop::invalid_sequence:
      return Counter::drop_invalid_sequence;
    case TrackDrop::invalid_acknowledgement:
      return Counter::drop_invalid_acknowledgement;
    case TrackDrop::invalid_window_scale:
      return Counter::drop_invalid_window_scale;
    case TrackDrop::syn_in_window:
      return Counter::drop_syn_in_window;
    case TrackDrop::rst_in_window:
      return Counter::drop_rst_in_window;
    case TrackDrop::old_timestamp:
      return Counter::drop_old_timestamp;
    case TrackDrop::unexpected_option:
      return Counter::drop_unexpected_option;
    case TrackDrop::data_after_fin:
      return Counter::drop_data_after_fin;
  }
  return Counter::drop_stray;
}

}  // namespace postern
