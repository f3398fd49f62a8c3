#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "engine/packet_host.h"

namespace postern {

/// The hosts of this process by number. The main thread opens them and workers serve them, each in
/// an environment of its own, so the table belongs to the process and is locked; it is never on the
/// packet path.
class Registry {
 public:
  [[nodiscard]] static Registry& instance();

  [[nodiscard]] std::uint32_t add(std::shared_ptr<PacketHost> host);
  [[nodiscard]] std::shared_ptr<PacketHost> find(std::uint32_t handle);
  void remove(std::uint32_t handle);

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<PacketHost>> hosts_;
  std::uint32_t last_ = 0;
};

}  // namespace postern
