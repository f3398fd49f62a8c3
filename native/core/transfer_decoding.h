#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace postern {

/// The two encodings of RFC 2045 whose content is not what stands on the wire.
enum class TransferCoding : std::uint8_t { base64 = 0, quoted_printable = 1 };

struct DecodeStep {
  std::size_t taken = 0;     ///< octets of the input that were read
  std::size_t produced = 0;  ///< octets of the output that were written
};

/// Base64 (RFC 2045 6.8) in pieces of any size, with a state of a few octets. Tolerant, because
/// readers are: what is not of the alphabet is skipped, and what follows padding is decoded as a
/// text of its own. `illegal` says that there was something of the sort; line ends and white space
/// are not.
///
/// Other readers (PHP, Python) take padding for nothing: where it was not the end, they go on with
/// the group before it. One that forks stops there, once, and gives that reading a decoder.
class Base64Decoder {
 public:
  enum class Forks : bool { no, yes };

  Base64Decoder() noexcept = default;
  explicit Base64Decoder(Forks forks) noexcept
      : fork_(forks == Forks::yes ? Fork::wanted : Fork::none) {}

  /// Reads until the input is used up or the output is full, or until forked() would say yes.
  [[nodiscard]] DecodeStep decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept;
  /// The text ends here. Octets of an incomplete group that are whole were given already; answers
  /// whether padding or digits are missing. The decoder is as new.
  [[nodiscard]] bool finish() noexcept;
  [[nodiscard]] bool illegal() const noexcept { return illegal_; }
  /// A digit comes behind padding for the first time.
  [[nodiscard]] bool forked() const noexcept { return fork_ == Fork::due; }
  /// A decoder of what comes, to which padding is nothing; this one goes on as well.
  [[nodiscard]] Base64Decoder fork() noexcept;
  void fork_no_more() noexcept { fork_ = Fork::none; }

 private:
  enum class Fork : std::uint8_t { none, wanted, kept, due, padless };

  [[nodiscard]] std::size_t digit(std::uint8_t value, std::span<std::byte> out) noexcept;
  void pad() noexcept;

  std::uint32_t bits_ = 0;
  std::uint8_t digits_ = 0;   ///< digits of the group under way
  std::uint8_t padding_ = 0;  ///< padding that the last group still wants
  bool padded_ = false;       ///< the last thing of the alphabet was padding
  bool illegal_ = false;
  Fork fork_ = Fork::none;
  std::uint8_t kept_digits_ = 0;  ///< of the group before the first padding
  std::uint32_t kept_bits_ = 0;
};

/// Quoted-printable (RFC 2045 6.7) in pieces of any size. A soft line break goes, also one with
/// white space or only LF behind its `=`. What is no escape stays as it is, and `illegal` says so.
/// White space before a line end stays: to remove it changes no word.
class QuotedPrintableDecoder {
 public:
  /// White space held behind a `=` until it is known whether it is a soft line break.
  static constexpr std::uint8_t kHeldBlanksMax = 60;
  /// Smallest output a step needs to get on.
  static constexpr std::size_t kOutputMin = kHeldBlanksMax + 4;

  [[nodiscard]] DecodeStep decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept;
  /// The text ends here: writes what was held, at most kOutputMin octets, and answers how many. A
  /// `=` at the very end is a soft line break. The decoder is as new but for `illegal`.
  [[nodiscard]] std::size_t finish(std::span<std::byte> out) noexcept;
  [[nodiscard]] bool illegal() const noexcept { return illegal_; }

 private:
  enum class State : std::uint8_t { text, equals, blanks, cr, hex };

  [[nodiscard]] std::size_t step(std::byte octet, std::span<std::byte> out, bool& again) noexcept;
  [[nodiscard]] std::size_t give_held(std::span<std::byte> out) noexcept;

  State state_ = State::text;
  std::uint8_t blanks_ = 0;
  std::uint64_t tabs_ = 0;  ///< which of the blanks are tabs
  std::byte first_digit_{};
  bool illegal_ = false;
};

}  // namespace postern
