#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

enum class BoundaryMatch : std::uint8_t {
  none = 0,
  open,   ///< `--boundary`
  close,  ///< `--boundary--`
  odd,    ///< begins with `--boundary` and goes on: a boundary line to some readers, text to others
};

struct BoundaryHit {
  BoundaryMatch match = BoundaryMatch::none;
  std::size_t level = 0;  ///< as given to add()
};

/// The boundaries of the multiparts that are open, innermost last. Bounded by kMimeBoundariesMax
/// and kMimeBoundaryBytesMax.
class BoundarySet {
 public:
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

  [[nodiscard]] bool has(std::size_t level) const noexcept {
    return !entries_.empty() && entries_.back().level >= level;
  }

  /// A boundary of the multipart at `level`, which is not below that of the ones added before.
  /// False if it was cut to the budget, or not added because there are too many.
  bool add(std::size_t level, std::string_view boundary);
  /// Forgets the boundaries of `level` and those inside of it.
  void drop_from(std::size_t level) noexcept;
  void clear() noexcept { drop_from(0); }

  /// What a line (without its end) is. Whole lines go before odd ones, then the longer boundary
  /// before the shorter (RFC 2046 5.1.2 has an outer one end everything inside), then the inner
  /// before the outer.
  [[nodiscard]] BoundaryHit match(std::string_view line) const noexcept;

 private:
  struct Entry {
    std::uint32_t begin = 0;  ///< in text_
    std::uint16_t length = 0;
    std::uint16_t level = 0;
    bool cut = false;
  };

  [[nodiscard]] std::string_view text(const Entry& entry) const noexcept {
    return std::string_view(text_).substr(entry.begin, entry.length);
  }

  std::vector<Entry> entries_;
  std::string text_;
};

}  // namespace postern
