#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "core/limits.h"

namespace postern {

/// Room for the packets of one turn. A page of it is real only once a packet was long enough to
/// reach it, so a quiet queue costs a few pages.
class PacketSlots {
 public:
  /// A packet of full length and the 2 KiB that netlink attributes around it may take.
  static constexpr std::size_t kSlotBytes = 68U << 10U;

  PacketSlots()
      : memory_(std::make_unique_for_overwrite<std::byte[]>(kStrideBytes * kPacketsPerTurnMax)) {}

  /// `index` is below kPacketsPerTurnMax. The slot's start is aligned to 16.
  [[nodiscard]] std::span<std::byte> slot(std::size_t index) noexcept {
    return {memory_.get() + index * kStrideBytes, kSlotBytes};
  }

 private:
  // No multiple of a page: else the headers of all packets would share a few lines of the cache.
  static constexpr std::size_t kStrideBytes = kSlotBytes + 320;
  static_assert(kSlotBytes >= kPacketBytesMax + 2'048);
  static_assert(kStrideBytes % 16 == 0);

  std::unique_ptr<std::byte[]> memory_;
};

static_assert(!std::is_copy_constructible_v<PacketSlots>);

}  // namespace postern
