#include "core/stream_store.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace postern {

ChunkPool::ChunkPool(std::size_t chunks_max) noexcept
    : memory_(std::min<std::size_t>(chunks_max, kNone)),
      next_(std::min<std::size_t>(chunks_max, kNone)) {
  if (memory_.ok() && next_.ok()) chunks_ = memory_.size();
}

std::uint32_t ChunkPool::take() noexcept {
  std::uint32_t chunk = first_free_;
  if (chunk != kNone) {
    first_free_ = next_[chunk];
  } else if (untouched_ < chunks_) {
    chunk = untouched_++;
  } else {
    return kNone;
  }
  next_[chunk] = kNone;
  ++used_;
  return chunk;
}

void ChunkPool::give_back(std::uint32_t chunk) noexcept {
  assert(chunk < untouched_ && used_ > 0);
  next_[chunk] = first_free_;
  first_free_ = chunk;
  --used_;
}

bool StreamStore::append(ChunkPool& pool, std::span<const std::byte> bytes) noexcept {
  const std::size_t room = last_chunk_ == ChunkPool::kNone ? 0 : kChunkBytes - last_used_;
  const std::size_t more = bytes.size() > room ? bytes.size() - room : 0;
  if ((more + kChunkBytes - 1) / kChunkBytes > pool.free_chunks()) return false;

  while (!bytes.empty()) {
    if (last_chunk_ == ChunkPool::kNone || last_used_ == kChunkBytes) {
      const std::uint32_t chunk = pool.take();
      if (last_chunk_ == ChunkPool::kNone) {
        first_chunk_ = chunk;
        first_used_ = 0;
      } else {
        pool.next(last_chunk_) = chunk;
      }
      last_chunk_ = chunk;
      last_used_ = 0;
    }
    const std::size_t count = std::min(bytes.size(), kChunkBytes - last_used_);
    std::memcpy(pool.bytes(last_chunk_).data() + last_used_, bytes.data(), count);
    last_used_ += static_cast<std::uint32_t>(count);
    end_ += count;
    bytes = bytes.subspan(count);
  }
  return true;
}

void StreamStore::drop_first_chunk(ChunkPool& pool) noexcept {
  const std::uint32_t chunk = first_chunk_;
  first_chunk_ = pool.next(chunk);
  first_used_ = 0;
  if (near_chunk_ == chunk) near_chunk_ = ChunkPool::kNone;
  pool.give_back(chunk);
}

void StreamStore::discard_before(ChunkPool& pool, std::uint64_t offset) noexcept {
  if (offset >= end_) {
    // The partly used last chunk goes too: an idle flow keeps no memory.
    release(pool);
    return;
  }
  while (begin_ < offset) {
    const std::uint64_t in_chunk = kChunkBytes - first_used_;
    const std::uint64_t count = std::min(in_chunk, offset - begin_);
    begin_ += count;
    if (count == in_chunk) {
      drop_first_chunk(pool);
    } else {
      first_used_ += static_cast<std::uint32_t>(count);
    }
  }
}

void StreamStore::release(ChunkPool& pool) noexcept {
  while (first_chunk_ != ChunkPool::kNone) drop_first_chunk(pool);
  last_chunk_ = ChunkPool::kNone;
  last_used_ = 0;
  begin_ = end_;
}

void StreamStore::skip_to(ChunkPool& pool, std::uint64_t offset) noexcept {
  release(pool);
  begin_ = offset;
  end_ = offset;
}

StreamStore::Place StreamStore::locate(ChunkPool& pool, std::uint64_t offset) noexcept {
  // Most questions are about the newest octets, which stand in the last chunk.
  const std::uint64_t last_offset = end_ - last_used_;
  if (offset >= last_offset) {
    return {last_chunk_, static_cast<std::uint32_t>(offset - last_offset)};
  }
  if (near_chunk_ == ChunkPool::kNone || offset < near_offset_) {
    near_chunk_ = first_chunk_;
    near_offset_ = begin_ - first_used_;
  }
  while (offset - near_offset_ >= kChunkBytes) {
    near_chunk_ = pool.next(near_chunk_);
    near_offset_ += kChunkBytes;
  }
  return {near_chunk_, static_cast<std::uint32_t>(offset - near_offset_)};
}

std::span<std::byte> StreamStore::run_at(ChunkPool& pool, std::uint64_t offset) noexcept {
  assert(offset >= begin_ && offset <= end_);
  if (offset < begin_ || offset >= end_) return {};
  const Place place = locate(pool, offset);
  const std::size_t used = place.chunk == last_chunk_ ? last_used_ : kChunkBytes;
  return pool.bytes(place.chunk).subspan(place.within, used - place.within);
}

void StreamStore::copy_out(ChunkPool& pool, std::uint64_t offset,
                           std::span<std::byte> out) noexcept {
  assert(out.empty() || (offset >= begin_ && offset <= end_ && out.size() <= end_ - offset));
  while (!out.empty()) {
    const std::span<const std::byte> run = run_at(pool, offset);
    if (run.empty()) return;
    const std::size_t count = std::min(run.size(), out.size());
    std::memcpy(out.data(), run.data(), count);
    out = out.subspan(count);
    offset += count;
  }
}

void StreamStore::fill(ChunkPool& pool, std::uint64_t offset, std::uint64_t length,
                       std::byte octet) noexcept {
  if (offset >= end_) return;
  const std::uint64_t stop = offset + std::min(length, end_ - offset);
  for (std::uint64_t at = std::max(offset, begin_); at < stop;) {
    const std::span<std::byte> run = run_at(pool, at);
    const std::uint64_t count = std::min<std::uint64_t>(run.size(), stop - at);
    std::memset(run.data(), std::to_integer<int>(octet), count);
    at += count;
  }
}

bool StreamStore::impose(ChunkPool& pool, std::uint64_t offset,
                         std::span<std::byte> payload) noexcept {
  if (offset >= end_) return false;
  const std::uint64_t stop = offset + std::min<std::uint64_t>(payload.size(), end_ - offset);
  bool differed = false;
  for (std::uint64_t at = std::max(offset, begin_); at < stop;) {
    const std::span<const std::byte> run = run_at(pool, at);
    const std::size_t count = std::min<std::uint64_t>(run.size(), stop - at);
    std::byte* const claimed = payload.data() + (at - offset);
    if (std::memcmp(claimed, run.data(), count) != 0) {
      std::memcpy(claimed, run.data(), count);
      differed = true;
    }
    at += count;
  }
  return differed;
}

}  // namespace postern
