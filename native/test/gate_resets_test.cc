#include "engine/gate_resets.h"

#include <doctest/doctest.h>

using namespace postern;

namespace {

/// Counts which way each segment went, and remembers where to.
class CountingSender final : public SegmentSender {
 public:
  [[nodiscard]] bool send(std::span<const std::byte>) noexcept override {
    ++looked_up;
    return true;
  }
  [[nodiscard]] bool send_as_seen(std::span<const std::byte>) noexcept override {
    ++as_seen;
    return true;
  }
  [[nodiscard]] bool meets_double_nat() const noexcept override { return double_nat; }

  std::uint32_t looked_up = 0;
  std::uint32_t as_seen = 0;
  bool double_nat = false;
};

HalfOpen entry() {
  HalfOpen half_open;
  half_open.key.initiator.port = 40'000;
  half_open.key.responder.port = 25;
  return half_open;
}

}  // namespace

TEST_CASE("a flood's resets toward the server do not wait for look-ups, and lose none") {
  CountingSender sender;
  ResetSender resets(sender);
  constexpr std::uint32_t kVictims = 5'000;
  ResetSender::Sent all;
  for (std::uint32_t i = 0; i < kVictims; ++i) {
    const ResetSender::Sent sent = resets.send(entry(), 10'000);
    all.sent += sent.sent;
    all.limited += sent.limited;
  }
  CHECK(all.sent == kVictims + kInitiatorResetsASecond);
  CHECK(all.limited == kVictims - kInitiatorResetsASecond);
  // Those toward initiators are few and always looked up.
  CHECK(sender.looked_up == kResetLookupsASecond + kInitiatorResetsASecond);
  CHECK(sender.as_seen == kVictims - kResetLookupsASecond);
}

TEST_CASE("few resets are all looked up") {
  CountingSender sender;
  ResetSender resets(sender);
  for (std::int64_t ms = 0; ms < 10'000; ms += 10) static_cast<void>(resets.send(entry(), ms));
  CHECK(sender.as_seen == 0);
}

TEST_CASE("where NAT changes both ends every one is looked up, however many there are") {
  CountingSender sender;
  sender.double_nat = true;
  ResetSender resets(sender);
  for (int i = 0; i < 5'000; ++i) static_cast<void>(resets.send(entry(), 10'000));
  CHECK(sender.as_seen == 0);
}
