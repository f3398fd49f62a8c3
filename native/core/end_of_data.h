#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace postern {

/// What the octets before the next one mean for the end of message data: the whole state of the
/// search, so that it can stop and go on at any octet.
///
/// NULs behind a line end are looked through: servers that drop them, or that cut a line at the
/// first, see the line end before the dot all the same.
enum class DataContext : std::uint8_t {
  text = 0,
  cr,                   ///< CR, so far without LF
  crlf,                 ///< a line end as RFC 5321 2.3.8 has it
  loose_end,            ///< what only some servers take for a line end: bare LF, CR or LF and NULs
  dot_after_crlf,       ///< may become the end of data, or a look-alike, or text
  dot_after_loose_end,  ///< may become a look-alike or text
  dot_cr,               ///< CRLF.CR: one octet decides
};

enum class DataEvent : std::uint8_t {
  none = 0,
  end,
  look_alike,      ///< harmless if the octet that brought it is overwritten
  late_look_alike  ///< CRLF.CR and no LF: the CR before it may have gone ahead
};

/// Moves `context` over one octet. `end`: it was the last of CRLF.CRLF. `look_alike`: with it, a
/// dot stands between two line ends (CR, LF or NUL behind it) and they cannot both be CRLF.
[[nodiscard]] DataEvent step_data(DataContext& context, std::byte octet) noexcept;

struct DataScan {
  DataEvent event = DataEvent::none;
  std::size_t taken = 0;  ///< octets up to and with the one that brought the event, or all
};

/// Where a dot behind a loose line end is told. `early`: at the dot itself, whatever follows, so
/// that it can be overwritten before anybody has seen it; what follows may be the CR of a line end
/// that is needed.
enum class LooseDots : std::uint8_t { late = 0, early };

/// step_data over `bytes` up to the first event, at about the cost of one memchr for dots (with
/// `early`: of one memchr a dot).
[[nodiscard]] DataScan scan_data(DataContext& context, std::span<const std::byte> bytes,
                                 LooseDots loose_dots = LooseDots::late) noexcept;

}  // namespace postern
