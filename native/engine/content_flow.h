#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "core/framer.h"
#include "engine/content_scan.h"

namespace postern {

/// The walk over the message that a flow's initiator is sending: from the order that begins it
/// until the message, or the reading of the flow, is over.
struct FlowContent {
  FlowContent(std::shared_ptr<ContentScanner> with, FramingMode of)
      : scanner(std::move(with)), scan(*scanner, of == FramingMode::mail_data), framing(of) {}

  std::shared_ptr<ContentScanner> scanner;  ///< outlives the scan
  ContentScan scan;
  FramingMode framing;     ///< what of the stream goes through it: mail_data, or counted
  std::uint64_t seen = 0;  ///< octets of the initiator before this came to it once
  /// The message is complete: what is left is told before the frame that is held has its answer.
  bool finishing = false;
};

/// The content plans of one packet loop by their numbers, each with the memory that scans of it
/// share. A number is given once: who holds one that was released gets nothing by it, and never
/// another plan.
class ContentPlans {
 public:
  /// Takes the memory of its scans; not for the packet path. 0: too many plans, or no memory.
  [[nodiscard]] std::uint32_t define(std::shared_ptr<const ContentPlan> plan);
  /// Nothing begins with it any more; scans under way keep it.
  void release(std::uint32_t plan) noexcept;
  /// Null for a number that is not, or no longer, known.
  [[nodiscard]] std::shared_ptr<ContentScanner> find(std::uint32_t plan) const noexcept;
  /// A scan has ended: forgets plans that were released and that nobody scans with.
  void prune() noexcept;
  /// Those that were released and are still in use, too.
  [[nodiscard]] std::size_t size() const noexcept { return plans_.size(); }

 private:
  struct Plan {
    std::shared_ptr<ContentScanner> scanner;
    bool released = false;
  };
  std::map<std::uint32_t, Plan> plans_;
  std::uint32_t last_ = 0;
  std::size_t released_ = 0;  ///< of them
};

}  // namespace postern
