#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/limits.h"
#include "core/zeroed_array.h"

namespace postern {

/// What the kernel's SYNPROXY has said of a half-open connection before its responder heard of it.
struct Proxied {
  std::uint32_t sequence = 0;  ///< the cookie: the ISN that the initiator takes for the responder's
};

/// Those of half-open entries, by the entry's index. The records of the half-open table have no
/// room for it, and such a connection is half-open for some milliseconds only: an entry whose index
/// falls on another's place takes it, and the other's handshake fails. Not thread-safe:
/// engine/gate.h guards it.
class ProxiedTable {
 public:
  ProxiedTable() noexcept : places_(kProxiedMax) {}

  /// For every entry that begins, too: nullopt forgets what stood for the index before.
  void set(std::uint32_t index, const std::optional<Proxied>& proxied) noexcept {
    if (!places_.ok()) return;
    Place& place = places_[index % kProxiedMax];
    if (proxied) {
      place = {index + 1, *proxied};
    } else if (place.owner == index + 1) {
      place.owner = 0;
    }
  }
  [[nodiscard]] std::optional<Proxied> find(std::uint32_t index) const noexcept {
    if (!places_.ok()) return std::nullopt;
    const Place& place = places_[index % kProxiedMax];
    if (place.owner != index + 1) return std::nullopt;
    return place.proxied;
  }

 private:
  struct Place {
    std::uint32_t owner;  ///< the index plus one, so that zeroed memory means "none"
    Proxied proxied;
  };
  ZeroedArray<Place> places_;
};

}  // namespace postern
