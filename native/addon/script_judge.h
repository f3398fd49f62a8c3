#pragma once

#include <napi.h>

#include <memory>

#include "engine/packet_host.h"

namespace postern {

/// The judge that JavaScript is: one call of a function a batch, on the worker's own thread, with
/// events and orders in memory that both sides own. An exception in it fails the batch and ends
/// run(): nothing passes unjudged.
class ScriptJudge final : public Judge {
 public:
  /// `buffers`: an object with the ArrayBuffers events, arena, orders, orderArena. They and
  /// `callback` live as long as this.
  ScriptJudge(std::shared_ptr<PacketHost> host, const Napi::Object& buffers,
              const Napi::Function& callback);

  [[nodiscard]] std::size_t judge(std::uint32_t events) noexcept override;
  [[nodiscard]] SharedBuffers shared() const;

 private:
  std::shared_ptr<PacketHost> host_;
  Napi::ObjectReference buffers_;
  Napi::FunctionReference callback_;
};

}  // namespace postern
