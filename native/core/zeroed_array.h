#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <type_traits>

namespace postern {

/// A fixed array whose elements start as zero octets. The memory is asked for once and touched only
/// where it is used, so tables sized for an attack cost an idle router next to nothing. `ok()` is
/// false when the memory was refused; nothing may be read or written then.
template <typename T>
class ZeroedArray {
  // No constructor or destructor ever runs for the elements.
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit ZeroedArray(std::size_t count) noexcept
      : memory_(static_cast<T*>(std::calloc(count == 0 ? 1 : count, sizeof(T)))),
        count_(memory_ == nullptr ? 0 : count) {}

  [[nodiscard]] bool ok() const noexcept { return memory_ != nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return memory_.get()[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return memory_.get()[i]; }

 private:
  struct Free {
    void operator()(T* memory) const noexcept { std::free(memory); }
  };
  std::unique_ptr<T, Free> memory_;
  std::size_t count_;
};

}  // namespace postern
