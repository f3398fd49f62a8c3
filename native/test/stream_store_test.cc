#include "core/stream_store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace postern;

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string stored(StreamStore& store, ChunkPool& pool) {
  Bytes out(store.end() - store.begin());
  store.copy_out(pool, store.begin(), out);
  return text_of(out);
}

/// The store and the plain vector that says what it should hold.
class Modelled {
 public:
  Modelled(std::uint32_t seed, std::size_t chunks) : pool_(chunks), random_(seed) {}
  ~Modelled() { store_.release(pool_); }

  void step() {
    switch (below(9)) {
      case 0:
      case 1:
      case 2:
        append();
        break;
      case 3:
        discard();
        break;
      case 4:
        fill();
        break;
      case 5:
      case 6:
        impose();
        break;
      case 7:
        if (below(20) == 0) skip();
        break;
      default:
        read_runs();
    }
    check();
  }

  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::byte octet() { return static_cast<std::byte>(random_()); }
  std::uint64_t some_offset() {
    return begin_ + below(model_.size() + 3) - std::min<std::uint64_t>(begin_, below(3));
  }

  void append() {
    Bytes bytes(below(below(4) == 0 ? 3 * kChunkBytes : 40));
    std::generate(bytes.begin(), bytes.end(), [this] { return octet(); });
    if (store_.append(pool_, bytes)) {
      model_.insert(model_.end(), bytes.begin(), bytes.end());
    } else {
      ++refused_;
    }
  }

  void discard() {
    const std::uint64_t to = some_offset();
    store_.discard_before(pool_, to);
    const std::uint64_t count =
        std::min<std::uint64_t>(to > begin_ ? to - begin_ : 0, model_.size());
    model_.erase(model_.begin(), model_.begin() + static_cast<std::ptrdiff_t>(count));
    begin_ += count;
  }

  void fill() {
    const std::uint64_t offset = some_offset();
    const std::uint64_t length = below(5) == 0 ? ~std::uint64_t{0} : below(kChunkBytes * 2);
    const std::byte with = octet();
    store_.fill(pool_, offset, length, with);
    for (std::size_t i = 0; i < model_.size(); ++i) {
      if (begin_ + i >= offset && begin_ + i - offset < length) model_[i] = with;
    }
  }

  void impose() {
    const std::uint64_t offset = some_offset();
    Bytes payload(below(kChunkBytes * 2));
    std::generate(payload.begin(), payload.end(), [this] { return octet(); });
    Bytes expected = payload;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::uint64_t at = offset + i;
      if (at >= begin_ && at - begin_ < model_.size()) expected[i] = model_[at - begin_];
    }
    const bool differs = expected != payload;
    REQUIRE(store_.impose(pool_, offset, payload) == differs);
    REQUIRE(payload == expected);
    REQUIRE_FALSE(store_.impose(pool_, offset, payload));
  }

  void skip() {
    begin_ += model_.size() + below(100'000);
    model_.clear();
    store_.skip_to(pool_, begin_);
  }

  void read_runs() {
    const std::uint64_t from = begin_ + below(model_.size() + 1);
    std::uint64_t at = from;
    while (true) {
      const std::span<const std::byte> run = store_.run_at(pool_, at);
      if (run.empty()) break;
      REQUIRE(std::equal(run.begin(), run.end(),
                         model_.begin() + static_cast<std::ptrdiff_t>(at - begin_)));
      at += run.size();
    }
    REQUIRE(at == store_.end());
  }

  void check() {
    REQUIRE(store_.begin() == begin_);
    REQUIRE(store_.end() == begin_ + model_.size());
    Bytes out(model_.size());
    store_.copy_out(pool_, begin_, out);
    REQUIRE(out == model_);
    REQUIRE(pool_.used_chunks() <= model_.size() / kChunkBytes + 2);
    if (model_.empty()) REQUIRE(pool_.used_chunks() <= 1);
  }

  ChunkPool pool_;
  StreamStore store_;
  std::mt19937 random_;
  Bytes model_;
  std::uint64_t begin_ = 0;
  std::size_t refused_ = 0;
};

}  // namespace

TEST_CASE("stream store: any sequence of steps leaves what a plain vector would hold") {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U}) {
    INFO("seed ", seed);
    Modelled modelled(seed, 5);
    for (int i = 0; i < 1'500; ++i) modelled.step();
    // The pool is small enough that both answers of append() were seen.
    CHECK(modelled.refused() > 0);
  }
}

TEST_CASE("stream store: a full pool adds nothing, not even what would fit") {
  ChunkPool pool(2);
  StreamStore store;
  REQUIRE(store.append(pool, Bytes(kChunkBytes + 10, std::byte{'a'})));
  CHECK(pool.free_chunks() == 0);
  CHECK_FALSE(store.append(pool, Bytes(kChunkBytes, std::byte{'b'})));
  CHECK(store.end() == kChunkBytes + 10);
  CHECK(store.append(pool, Bytes(kChunkBytes - 10, std::byte{'c'})));
  CHECK_FALSE(store.append(pool, Bytes(1, std::byte{'d'})));

  StreamStore another;
  CHECK_FALSE(another.append(pool, Bytes(1, std::byte{'e'})));
  CHECK(another.append(pool, {}));
  store.discard_before(pool, kChunkBytes);
  CHECK(another.append(pool, Bytes(1, std::byte{'e'})));
  store.release(pool);
  another.release(pool);
  CHECK(pool.used_chunks() == 0);
}

TEST_CASE("stream store: a store whose octets are all discarded holds no memory") {
  ChunkPool pool(4);
  StreamStore store;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(store.append(pool, bytes_of("NOOP\r\n")));
    store.discard_before(pool, store.end());
    CHECK(pool.used_chunks() == 0);
  }
  CHECK(store.begin() == 600);
}

TEST_CASE("stream store: a retransmission that differs is overwritten where octets are known") {
  ChunkPool pool(4);
  StreamStore store;
  REQUIRE(store.append(pool, bytes_of("NOOP\r\nVRFY x\r\n")));
  store.discard_before(pool, 4);

  Bytes same = bytes_of("\r\nVRFY");
  CHECK_FALSE(store.impose(pool, 4, same));
  Bytes other = bytes_of("XXXX\r\nEXPN y\r\nQUIT\r\n");
  CHECK(store.impose(pool, 0, other));
  CHECK(text_of(other) == "XXXX\r\nVRFY x\r\nQUIT\r\n");
  Bytes before = bytes_of("XXXX");
  CHECK_FALSE(store.impose(pool, 0, before));
  Bytes behind = bytes_of("QUIT");
  CHECK_FALSE(store.impose(pool, 14, behind));
  CHECK(text_of(behind) == "QUIT");
  store.release(pool);
}

TEST_CASE("stream store: what was masked stays masked when it is sent again") {
  ChunkPool pool(4);
  StreamStore store;
  REQUIRE(store.append(pool, bytes_of("250-ETRN\r\n")));
  store.fill(pool, 4, 4, std::byte{'X'});
  CHECK(stored(store, pool) == "250-XXXX\r\n");
  Bytes again = bytes_of("250-ETRN\r\n");
  CHECK(store.impose(pool, 0, again));
  CHECK(text_of(again) == "250-XXXX\r\n");
  store.release(pool);
}

TEST_CASE("stream store: offsets go on beyond 32 bits") {
  ChunkPool pool(4);
  StreamStore store;
  const std::uint64_t far = (std::uint64_t{5} << 32U) - 3;
  store.skip_to(pool, far);
  REQUIRE(store.append(pool, bytes_of("abcdef")));
  CHECK(store.begin() == far);
  CHECK(text_of(store.run_at(pool, far + 2)) == "cdef");
  Bytes copy = bytes_of("xxxxxx");
  CHECK(store.impose(pool, far, copy));
  CHECK(text_of(copy) == "abcdef");
  store.release(pool);
}

TEST_CASE("chunk pool: hands out each chunk once, and an empty pool none") {
  ChunkPool pool(3);
  std::vector<std::uint32_t> taken = {pool.take(), pool.take(), pool.take()};
  CHECK(pool.take() == ChunkPool::kNone);
  std::sort(taken.begin(), taken.end());
  CHECK(taken == std::vector<std::uint32_t>{0, 1, 2});
  pool.give_back(1);
  CHECK(pool.take() == 1);
  ChunkPool none(0);
  CHECK(none.take() == ChunkPool::kNone);
}
