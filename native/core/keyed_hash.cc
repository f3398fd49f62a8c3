#include "core/keyed_hash.h"

#include <bit>

namespace postern {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() noexcept {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) noexcept {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

}  // namespace

std::uint64_t keyed_hash(const HashKey& key, std::span<const std::uint64_t> words) noexcept {
  SipState state{key.low ^ 0x736F'6D65'7073'6575U, key.high ^ 0x646F'7261'6E64'6F6DU,
                 key.low ^ 0x6C79'6765'6E65'7261U, key.high ^ 0x7465'6462'7974'6573U};
  for (const std::uint64_t word : words) state.absorb(word);
  // The last word carries the length in octets in its top octet; whole words leave no tail.
  state.absorb(static_cast<std::uint64_t>(words.size() * 8) << 56U);
  state.v2 ^= 0xFF;
  for (int i = 0; i < 3; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace postern
