// Two stream stores that share a small pool, against plain vectors.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/stream_store.h"
#include "fuzz/fuzzing.h"

namespace {

using namespace postern;
using postern::fuzz::require;
using Bytes = std::vector<std::byte>;

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  std::uint32_t octet() {
    if (bytes_.empty()) return 0;
    const std::uint32_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint32_t word() {
    const std::uint32_t high = octet();
    return (high << 8U) | octet();
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct Modelled {
  StreamStore store;
  Bytes model;
  std::uint64_t begin = 0;

  /// An offset inside, or a little outside of what is stored.
  [[nodiscard]] std::uint64_t offset(std::uint32_t number) const {
    const std::uint64_t at = begin + number % (model.size() + 9);
    return at < 4 ? at : at - 4;
  }
};

Bytes octets(Input& input, std::size_t count) {
  Bytes bytes(count);
  std::uint32_t value = input.octet();
  for (std::byte& octet : bytes) octet = static_cast<std::byte>(value++ / 3);
  return bytes;
}

void append(Input& input, ChunkPool& pool, Modelled& side) {
  const Bytes bytes = octets(input, input.word() % (3 * kChunkBytes));
  const std::size_t free_bytes = pool.free_chunks() * kChunkBytes;
  const std::size_t used_before = pool.used_chunks();
  if (side.store.append(pool, bytes)) {
    side.model.insert(side.model.end(), bytes.begin(), bytes.end());
  } else {
    require(bytes.size() > free_bytes && pool.used_chunks() == used_before);
  }
}

void discard(std::uint64_t to, ChunkPool& pool, Modelled& side) {
  side.store.discard_before(pool, to);
  const std::uint64_t ahead = to > side.begin ? to - side.begin : 0;
  const std::uint64_t count = std::min<std::uint64_t>(ahead, side.model.size());
  side.model.erase(side.model.begin(), side.model.begin() + static_cast<std::ptrdiff_t>(count));
  side.begin += count;
}

void fill(Input& input, ChunkPool& pool, Modelled& side) {
  const std::uint64_t offset = side.offset(input.word());
  const std::uint64_t length = input.word();
  const auto with = static_cast<std::byte>(input.octet());
  side.store.fill(pool, offset, length, with);
  for (std::size_t i = 0; i < side.model.size(); ++i) {
    const std::uint64_t at = side.begin + i;
    if (at >= offset && at - offset < length) side.model[i] = with;
  }
}

void impose(Input& input, ChunkPool& pool, Modelled& side) {
  const std::uint64_t offset = side.offset(input.word());
  Bytes payload = octets(input, input.word() % (2 * kChunkBytes));
  Bytes expected = payload;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::uint64_t at = offset + i;
    if (at >= side.begin && at - side.begin < side.model.size()) {
      expected[i] = side.model[at - side.begin];
    }
  }
  const bool differs = payload != expected;
  require(side.store.impose(pool, offset, payload) == differs);
  require(payload == expected);
}

void check(ChunkPool& pool, Modelled& side) {
  require(side.store.begin() == side.begin);
  require(side.store.end() == side.begin + side.model.size());
  Bytes out(side.model.size());
  side.store.copy_out(pool, side.begin, out);
  require(out == side.model);
  const std::span<const std::byte> run = side.store.run_at(pool, side.begin);
  require(run.empty() == side.model.empty() && run.size() <= kChunkBytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kStepsMax = 300;
  Input input({data, size});
  ChunkPool pool(7);
  std::array<Modelled, 2> sides;
  for (int i = 0; i < kStepsMax && !input.empty(); ++i) {
    const std::uint32_t step = input.octet();
    Modelled& side = sides[step & 1U];
    switch ((step >> 1U) % 6) {
      case 0:
      case 1:
        append(input, pool, side);
        break;
      case 2:
        discard(side.offset(input.word()), pool, side);
        break;
      case 3:
        fill(input, pool, side);
        break;
      case 4:
        impose(input, pool, side);
        break;
      default:
        discard(side.store.end(), pool, side);
        side.begin += input.word();
        side.store.skip_to(pool, side.begin);
    }
    check(pool, sides[0]);
    check(pool, sides[1]);
  }
  for (Modelled& side : sides) side.store.release(pool);
  require(pool.used_chunks() == 0);
  return 0;
}
