#include "addon/registry.h"

#include <utility>

namespace postern {

Registry& Registry::instance() {
  static Registry registry;
  return registry;
}

std::uint32_t Registry::add(std::shared_ptr<PacketHost> host) {
  const std::lock_guard lock(mutex_);
  hosts_.emplace(++last_, std::move(host));
  return last_;
}

std::shared_ptr<PacketHost> Registry::find(std::uint32_t handle) {
  const std::lock_guard lock(mutex_);
  const auto found = hosts_.find(handle);
  return found == hosts_.end() ? nullptr : found->second;
}

void Registry::remove(std::uint32_t handle) {
  const std::lock_guard lock(mutex_);
  hosts_.erase(handle);
}

}  // namespace postern
