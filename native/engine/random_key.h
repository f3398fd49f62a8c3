#pragma once

#include <sys/random.h>

#include "core/keyed_hash.h"

namespace postern {

/// A key that nobody outside can guess, so that nobody can choose colliding connections.
[[nodiscard]] inline HashKey random_key() noexcept {
  HashKey key{};
  // 16 octets never block and never fall short once the kernel's generator is seeded
  // (getrandom(2)).
  static_cast<void>(getrandom(&key, sizeof key, 0));
  return key;
}

}  // namespace postern
