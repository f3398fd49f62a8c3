#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace postern {

/// Undoes dot-stuffing (RFC 5321 4.5.2) in pieces of any size, without copying: the first dot of a
/// line is left out, and so is the line of one dot that ends the data. A bare LF ends a line too:
/// Postfix and Exim leave out the dot behind it. But only CRLF.CRLF ends the data; what else
/// servers may take for its end is the framer's business (end_of_data.h).
class DotUnstuffing {
 public:
  struct Step {
    std::size_t taken = 0;
    /// Octets of the message: a part of the input, or a CR that was held back.
    std::span<const std::byte> content;
  };

  /// Takes a part of the octets, which are not empty; call it until all are taken.
  [[nodiscard]] Step next(std::span<const std::byte> octets) noexcept;
  /// Whether the line that ends the data has come. What is fed behind it is no content.
  [[nodiscard]] bool ended() const noexcept { return state_ == State::ended; }
  /// How many of the octets taken are, or may turn out to be, of that line.
  [[nodiscard]] std::size_t end_octets() const noexcept {
    if (state_ == State::dot) return 1;
    if (state_ == State::dot_cr) return 2;
    return state_ == State::ended ? 3 : 0;
  }

 private:
  enum class State : std::uint8_t { text, line_start, loose_start, dot, dot_cr, ended };

  [[nodiscard]] Step next_of_text(std::span<const std::byte> octets) noexcept;

  State state_ = State::line_start;
  bool after_cr_ = false;
};

}  // namespace postern
