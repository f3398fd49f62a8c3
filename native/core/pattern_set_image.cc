// A set as octets: a head of its own, then each database as the engine writes it.
#include <hs.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/bytes.h"
#include "core/pattern_set.h"

namespace postern {
namespace {

constexpr std::uint32_t kMagic = 0x50'50'53'01;  // "PPS", version 1
constexpr std::size_t kHeadBytes = 16;

struct Head {
  PatternPlace place = PatternPlace::field;
  bool every_match = false;
  std::uint32_t patterns = 0;
  std::uint32_t databases = 0;
};

void write_head(std::span<std::byte> to, const Head& head) {
  write_u32(to, 0, kMagic);
  write_u16(to, 4, static_cast<std::uint16_t>(head.place));
  write_u16(to, 6, head.every_match ? 1 : 0);
  write_u32(to, 8, head.patterns);
  write_u32(to, 12, head.databases);
}

bool read_head(std::span<const std::byte> from, Head& head) {
  if (from.size() < kHeadBytes || read_u32(from, 0) != kMagic) return false;
  const std::uint16_t place = read_u16(from, 4);
  const std::uint16_t every = read_u16(from, 6);
  head = {static_cast<PatternPlace>(place), every == 1, read_u32(from, 8), read_u32(from, 12)};
  return place <= static_cast<std::uint16_t>(PatternPlace::body) && every <= 1 &&
         head.databases > 0 && head.databases <= head.patterns;
}

struct FreeOctets {
  void operator()(char* octets) const noexcept { std::free(octets); }
};

const char* words_of(int fault) noexcept {
  if (fault == HS_DB_VERSION_ERROR) return "The set was compiled by another version of the engine";
  if (fault == HS_DB_PLATFORM_ERROR) return "The set was compiled for another processor";
  if (fault == HS_NOMEM) return "Memory was refused";
  return "The set is damaged";
}

}  // namespace

std::vector<std::byte> PatternSet::serialize() const {
  std::vector<std::byte> image(kHeadBytes);
  write_head(image, {place_, every_match_, static_cast<std::uint32_t>(patterns_),
                     static_cast<std::uint32_t>(databases_.size())});
  for (const Database& database : databases_) {
    char* octets = nullptr;
    std::size_t length = 0;
    if (hs_serialize_database(database.get(), &octets, &length) != HS_SUCCESS) return {};
    const std::unique_ptr<char, FreeOctets> owner(octets);
    std::array<std::byte, 4> prefix{};
    write_u32(prefix, 0, static_cast<std::uint32_t>(length));
    image.insert(image.end(), prefix.begin(), prefix.end());
    const auto bytes = std::as_bytes(std::span(octets, length));
    image.insert(image.end(), bytes.begin(), bytes.end());
  }
  return image;
}

PatternSet::Result PatternSet::deserialize(std::span<const std::byte> image) {
  std::unique_ptr<PatternSet> set(new PatternSet());
  std::string fault = set->restore(image);
  if (!fault.empty()) return {nullptr, {kNoPattern, std::move(fault), kNoColumn}};
  return {std::move(set), {}};
}

std::string PatternSet::restore(std::span<const std::byte> image) {
  Head head;
  if (!read_head(image, head)) return words_of(HS_INVALID);
  place_ = head.place;
  every_match_ = head.every_match;
  patterns_ = head.patterns;
  std::span<const std::byte> rest = image.subspan(kHeadBytes);
  for (std::uint32_t i = 0; i < head.databases; ++i) {
    if (rest.size() < 4 || read_u32(rest, 0) > rest.size() - 4) return words_of(HS_INVALID);
    const std::size_t length = read_u32(rest, 0);
    const std::span<const std::byte> octets = rest.subspan(4, length);
    rest = rest.subspan(4 + length);
    hs_database_t* database = nullptr;
    const hs_error_t end = hs_deserialize_database(reinterpret_cast<const char*>(octets.data()),
                                                   octets.size(), &database);
    if (end != HS_SUCCESS) return words_of(end);
    if (std::string fault = take(Database(database), {}); !fault.empty()) return fault;
  }
  return rest.empty() ? std::string() : std::string(words_of(HS_INVALID));
}

}  // namespace postern
