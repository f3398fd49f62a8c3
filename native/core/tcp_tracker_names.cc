#include "core/tcp_tracker.h"

namespace postern {

const char* name_of(TcpState state) noexcept {
  switch (state) {
    case TcpState::closed:
      return "CLOSED";
    case TcpState::listen:
      return "LISTEN";
    case TcpState::syn_sent:
      return "SYN-SENT";
    case TcpState::syn_received:
      return "SYN-RECEIVED";
    case TcpState::established:
      return "ESTABLISHED";
    case TcpState::fin_wait_1:
      return "FIN-WAIT-1";
    case TcpState::fin_wait_2:
      return "FIN-WAIT-2";
    case TcpState::close_wait:
      return "CLOSE-WAIT";
    case TcpState::closing:
      return "CLOSING";
    case TcpState::last_ack:
      return "LAST-ACK";
    case TcpState::time_wait:
      return "TIME-WAIT";
  }
  return "UNKNOWN";
}

const char* name_of(TrackDrop drop) noexcept {
  switch (drop) {
    case TrackDrop::none:
      return "";
    case TrackDrop::not_syn:
      return "Segment matching no TCP connection";
    case TrackDrop::invalid_flags:
      return "Invalid Flags";
    case TrackDrop::syn_with_data:
      return "SYN with data or with PSH/URG flags";
    case TrackDrop::invalid_sequence:
      return "Invalid Seq#";
    case TrackDrop::invalid_acknowledgement:
      return "Invalid Ack (or no Ack)";
    case TrackDrop::invalid_window_scale:
      return "Invalid Window scale option";
    case TrackDrop::syn_in_window:
      return "SYN inside current window";
    case TrackDrop::rst_in_window:
      return "RST inside current window";
    case TrackDrop::old_timestamp:
      return "Old Timestamp";
    case TrackDrop::unexpected_option:
      return "Invalid TCP options";
    case TrackDrop::data_after_fin:
      return "Data after FIN";
    case TrackDrop::stray:
      return "Stray Segment";
  }
  return "Unknown";
}

}  // namespace postern
