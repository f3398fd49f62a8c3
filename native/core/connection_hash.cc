#include "core/connection_hash.h"

#include <array>
#include <cstring>
#include <utility>

namespace postern {
namespace {

/// Any total order will do: it only has to be the same for both directions.
bool stands_after(const Endpoint& a, const Endpoint& b) noexcept {
  const int order =
      std::memcmp(a.address.octets.data(), b.address.octets.data(), a.address.octets.size());
  return order != 0 ? order > 0 : a.port > b.port;
}

std::uint32_t ipv4_word(const Address& address) noexcept {
  std::uint32_t word = 0;
  std::memcpy(&word, address.octets.data(), sizeof word);
  return word;
}

}  // namespace

std::uint32_t connection_hash(const HashKey& key, const Endpoint& one,
                              const Endpoint& another) noexcept {
  const Endpoint* low = &one;
  const Endpoint* high = &another;
  if (stands_after(*low, *high)) std::swap(low, high);
  const std::uint64_t rest =
      (std::uint64_t{low->address.version} << 32U) | (std::uint64_t{low->port} << 16U) | high->port;
  if (low->address.version == 4) {
    // IPv4 addresses fill half a word each: both go into one, and the hash takes half the time.
    const std::array<std::uint64_t, 2> words{
        (std::uint64_t{ipv4_word(low->address)} << 32U) | ipv4_word(high->address), rest};
    return static_cast<std::uint32_t>(keyed_hash(key, words));
  }
  std::array<std::uint64_t, 5> words;
  std::memcpy(&words[0], low->address.octets.data(), 16);
  std::memcpy(&words[2], high->address.octets.data(), 16);
  words[4] = rest;
  return static_cast<std::uint32_t>(keyed_hash(key, words));
}

std::uint32_t address_hash(const HashKey& key, const Address& address) noexcept {
  std::array<std::uint64_t, 3> words;
  std::memcpy(&words[0], address.octets.data(), 16);
  words[2] = address.version;
  return static_cast<std::uint32_t>(keyed_hash(key, words));
}

}  // namespace postern
