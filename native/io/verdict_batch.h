#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "io/packet_source.h"

namespace postern {

/// Verdict messages of one queue, one behind the other, to be sent in one call. The kernel's own
/// batch verdict is of no use here: it answers every packet up to an id, held ones included.
class VerdictBatch {
 public:
  explicit VerdictBatch(std::uint16_t queue);

  /// False when the verdict does not fit until clear(). Into an empty batch every verdict fits; a
  /// replacement longer than a netlink attribute can carry becomes a drop.
  [[nodiscard]] bool add(std::uint32_t id, const Verdict& verdict) noexcept;
  void clear() noexcept { used_ = count_ = 0; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::span(buffer_).first(used_);
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

 private:
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
  std::size_t count_ = 0;
  std::uint16_t queue_;
};

static_assert(sizeof(VerdictBatch) < 64);

}  // namespace postern
