#include "core/transfer_decoding.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/bytes.h"

namespace postern {
namespace {

constexpr std::uint8_t kBlank = 64;
constexpr std::uint8_t kPad = 65;
constexpr std::uint8_t kNone = 66;

/// The value of every octet as a digit, or one of the three above.
constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNone);
  for (unsigned i = 0; i < 26; ++i) {
    digits['A' + i] = static_cast<std::uint8_t>(i);
    digits['a' + i] = static_cast<std::uint8_t>(26 + i);
  }
  for (unsigned i = 0; i < 10; ++i) digits['0' + i] = static_cast<std::uint8_t>(52 + i);
  digits['+'] = 62;
  digits['/'] = 63;
  digits['='] = kPad;
  for (const unsigned blank : {0x20U, 0x09U, 0x0DU, 0x0AU}) digits[blank] = kBlank;
  return digits;
}();

/// A digit of each place, shifted to where it belongs in a group; all ones where it is none.
template <unsigned Place>
constexpr std::array<std::uint32_t, 256> kPlaces = [] {
  std::array<std::uint32_t, 256> places{};
  for (std::size_t octet = 0; octet < 256; ++octet) {
    const std::uint32_t digit = kDigits[octet];
    places[octet] = digit < 64 ? digit << (18U - 6U * Place) : 0xFFFF'FFFFU;
  }
  return places;
}();

[[nodiscard]] constexpr std::byte octet_of(std::uint32_t bits, unsigned shift) noexcept {
  return static_cast<std::byte>(bits >> shift & 0xFFU);
}

/// Whole groups of four digits, up to the first that has anything else among them.
[[nodiscard]] DecodeStep whole_groups(std::span<const std::byte> in,
                                      std::span<std::byte> out) noexcept {
  const std::size_t groups = std::min(in.size() / 4, out.size() / 3);
  const std::byte* from = in.data();
  std::byte* to = out.data();
  std::size_t done = 0;
  for (; done < groups; ++done, from += 4, to += 3) {
    const std::uint32_t bits = kPlaces<0>[static_cast<std::size_t>(from[0])] |
                               kPlaces<1>[static_cast<std::size_t>(from[1])] |
                               kPlaces<2>[static_cast<std::size_t>(from[2])] |
                               kPlaces<3>[static_cast<std::size_t>(from[3])];
    if (bits > 0x00FF'FFFFU) break;
    to[0] = octet_of(bits, 16);
    to[1] = octet_of(bits, 8);
    to[2] = octet_of(bits, 0);
  }
  return {.taken = done * 4, .produced = done * 3};
}

[[nodiscard]] constexpr int hex_value(std::byte octet) noexcept {
  const auto letter = std::to_integer<unsigned>(octet);
  if (letter >= '0' && letter <= '9') return static_cast<int>(letter - '0');
  const unsigned lower = letter | 0x20U;
  if (lower >= 'a' && lower <= 'f') return static_cast<int>(lower - 'a' + 10);
  return -1;
}

constexpr std::byte kEquals{'='};
constexpr std::byte kSpace{' '};
constexpr std::byte kTab{'\t'};

}  // namespace

std::size_t Base64Decoder::digit(std::uint8_t value, std::span<std::byte> out) noexcept {
  if (padding_ > 0 || padded_) illegal_ = true;
  padding_ = 0;
  padded_ = false;
  bits_ = bits_ << 6U | value;
  ++digits_;
  switch (digits_) {
    case 2:
      out[0] = octet_of(bits_, 4);
      return 1;
    case 3:
      out[0] = octet_of(bits_, 2);
      return 1;
    case 4:
      out[0] = octet_of(bits_, 0);
      digits_ = 0;
      bits_ = 0;
      return 1;
    default:
      return 0;
  }
}

Base64Decoder Base64Decoder::fork() noexcept {
  fork_ = Fork::none;
  Base64Decoder other;
  other.fork_ = Fork::padless;
  other.bits_ = kept_bits_;
  other.digits_ = kept_digits_;
  return other;
}

void Base64Decoder::pad() noexcept {
  if (fork_ == Fork::padless) return;
  if (fork_ == Fork::wanted && digits_ > 0) {
    fork_ = Fork::kept;
    kept_digits_ = digits_;
    kept_bits_ = bits_;
  }
  if (digits_ >= 2) {
    padding_ = static_cast<std::uint8_t>(3 - digits_);
  } else if (digits_ == 0 && padding_ > 0) {
    --padding_;
  } else {
    illegal_ = true;
  }
  padded_ = true;
  digits_ = 0;
  bits_ = 0;
}

DecodeStep Base64Decoder::decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept {
  DecodeStep done;
  while (done.taken < in.size() && done.produced < out.size()) {
    if (digits_ == 0 && !padded_) {
      const DecodeStep groups = whole_groups(in.subspan(done.taken), out.subspan(done.produced));
      done.taken += groups.taken;
      done.produced += groups.produced;
      if (done.taken == in.size() || done.produced == out.size()) break;
    }
    const std::uint8_t value = kDigits[std::to_integer<std::size_t>(in[done.taken++])];
    if (value < 64) {
      if (fork_ == Fork::kept) {
        fork_ = Fork::due;
        --done.taken;
        break;
      }
      done.produced += digit(value, out.subspan(done.produced));
    } else if (value == kPad) {
      pad();
    } else if (value == kNone) {
      illegal_ = true;
    }
  }
  return done;
}

bool Base64Decoder::finish() noexcept {
  const bool incomplete = digits_ != 0 || padding_ != 0;
  *this = Base64Decoder{};
  return incomplete;
}

std::size_t QuotedPrintableDecoder::give_held(std::span<std::byte> out) noexcept {
  std::size_t at = 0;
  out[at++] = kEquals;
  for (unsigned i = 0; i < blanks_; ++i) {
    out[at++] = (tabs_ >> i & 1U) != 0 ? kTab : kSpace;
  }
  if (state_ == State::cr) out[at++] = kCr;
  if (state_ == State::hex) out[at++] = first_digit_;
  blanks_ = 0;
  tabs_ = 0;
  state_ = State::text;
  illegal_ = true;
  return at;
}

/// One octet behind a `=`. `again`: it is to be read once more, as text.
std::size_t QuotedPrintableDecoder::step(std::byte octet, std::span<std::byte> out,
                                         bool& again) noexcept {
  if (state_ == State::hex) {
    const int low = hex_value(octet);
    if (low >= 0) {
      out[0] = static_cast<std::byte>(hex_value(first_digit_) * 16 + low);
      state_ = State::text;
      return 1;
    }
    again = true;
    return give_held(out);
  }
  if (octet == kLf) {
    blanks_ = 0;
    tabs_ = 0;
    state_ = State::text;
    return 0;
  }
  if (state_ == State::equals && hex_value(octet) >= 0) {
    first_digit_ = octet;
    state_ = State::hex;
    return 0;
  }
  if (state_ != State::cr && octet == kCr) {
    state_ = State::cr;
    return 0;
  }
  const bool blank = octet == kSpace || octet == kTab;
  if (state_ != State::cr && blank && blanks_ < kHeldBlanksMax) {
    if (octet == kTab) tabs_ |= std::uint64_t{1} << blanks_;
    ++blanks_;
    state_ = State::blanks;
    return 0;
  }
  again = true;
  return give_held(out);
}

DecodeStep QuotedPrintableDecoder::decode(std::span<const std::byte> in,
                                          std::span<std::byte> out) noexcept {
  DecodeStep done;
  while (done.taken < in.size()) {
    const auto room = out.subspan(done.produced);
    if (state_ != State::text) {
      if (room.size() < kOutputMin) break;
      bool again = false;
      done.produced += step(in[done.taken], room, again);
      if (!again) ++done.taken;
      continue;
    }
    const std::size_t length = std::min(in.size() - done.taken, room.size());
    if (length == 0) break;
    const auto text = in.subspan(done.taken, length);
    const void* equals = std::memchr(text.data(), '=', length);
    const std::size_t plain =
        equals == nullptr
            ? length
            : static_cast<std::size_t>(static_cast<const std::byte*>(equals) - text.data());
    std::copy_n(text.begin(), plain, room.begin());
    done.taken += plain;
    done.produced += plain;
    if (equals != nullptr) {
      ++done.taken;
      state_ = State::equals;
    }
  }
  return done;
}

std::size_t QuotedPrintableDecoder::finish(std::span<std::byte> out) noexcept {
  std::size_t produced = 0;
  if (state_ == State::hex) produced = give_held(out);
  state_ = State::text;
  blanks_ = 0;
  tabs_ = 0;
  return produced;
}

}  // namespace postern
