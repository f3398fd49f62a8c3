#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/flow_table.h"
#include "core/keyed_hash.h"
#include "core/packet.h"
#include "core/proxied_table.h"
#include "core/zeroed_array.h"

namespace postern {

inline constexpr std::uint32_t kNoEntry = 0xFFFF'FFFFU;
inline constexpr std::uint32_t kNoHost = 0xFFFF'FFFFU;

/// A connection whose handshake is not complete, unpacked: what its SYN and SYN-ACK said, as much
/// of it as the tracker needs.
struct HalfOpen {
  std::uint32_t index = kNoEntry;
  std::uint32_t generation = 0;
  FlowKey key;
  std::uint32_t initiator_sequence = 0;  ///< ISS of the initiator
  std::uint32_t responder_sequence = 0;  ///< ISS of the responder, once answered
  std::uint16_t initiator_window = 0;    ///< of the SYN, unscaled
  std::uint16_t responder_window = 0;
  std::uint16_t initiator_mss = 536;  ///< rounded down to what the record can hold
  std::uint16_t responder_mss = 536;
  std::optional<std::uint8_t> initiator_window_scale;
  std::optional<std::uint8_t> responder_window_scale;
  bool initiator_timestamps = false;
  bool responder_timestamps = false;
  bool initiator_sack = false;  ///< selective acknowledgements are welcome (RFC 2018 2)
  bool responder_sack = false;
  bool answered = false;        ///< the SYN-ACK was passed on
  bool turned = false;          ///< it left by the interface it came in by, as the SYN did not
  std::int64_t created_ms = 0;  ///< rounded down to 10 ms
  /// The kernel's SYNPROXY has the initiator's handshake behind it. Kept by the gate, not here.
  std::optional<Proxied> proxied;
};

/// Fixed-size records of at most 64 octets, links included, in a table with a keyed hash; entries
/// in the order of their age, over all and for each responder host. Memory is touched only as
/// entries come. Not thread-safe: engine/gate.h guards it.
///
/// A host has a record while it has an entry or is blocked: how many half-open connections it has,
/// and its oldest.
class HalfOpenTable {
 public:
  static constexpr std::size_t kRecordBytes = 64;
  /// Indexes and generations share words with other things: more would not fit.
  static constexpr std::size_t kEntriesLimit = std::size_t{1} << 24U;
  static constexpr std::size_t kHostsLimit = std::size_t{1} << 20U;

  /// With a capacity of 0 (also when the memory was refused) every insert answers kNoEntry.
  HalfOpenTable(std::size_t entries_max, std::size_t hosts_max, const HashKey& hash_key) noexcept;
  HalfOpenTable(const HalfOpenTable&) = delete;
  HalfOpenTable& operator=(const HalfOpenTable&) = delete;

  /// The entry between the two ends, whichever of them sends; kNoEntry if there is none.
  [[nodiscard]] std::uint32_t find(const Endpoint& source,
                                   const Endpoint& destination) const noexcept;
  /// Adds an entry that must not be there yet, as the newest of all and of its host. kNoEntry when
  /// there is no room for it or for its host. A time before an earlier entry's counts as that.
  [[nodiscard]] std::uint32_t insert(const HalfOpen& entry) noexcept;
  /// Overwrites what the handshake said so far; ends, age and generation stay.
  void update(std::uint32_t index, const HalfOpen& entry) noexcept;
  /// The same ends begin anew: the entry becomes the newest, and its generation changes.
  void renew(std::uint32_t index, const HalfOpen& entry) noexcept;
  /// Removes an entry that is there; its index may be given out again at once.
  void erase(std::uint32_t index) noexcept;

  [[nodiscard]] HalfOpen get(std::uint32_t index) const noexcept;
  [[nodiscard]] bool used(std::uint32_t index) const noexcept {
    return index < capacity_ && ((used_bits_[index / 64] >> (index % 64)) & 1U) != 0;
  }
  /// Whether this very connection is still there: same ends, same SYN, same generation.
  [[nodiscard]] bool holds(const HalfOpen& entry) const noexcept;
  /// The first entry in use at or after `from`, kNoEntry behind the last.
  [[nodiscard]] std::uint32_t next_used(std::uint32_t from) const noexcept;
  [[nodiscard]] std::uint32_t oldest() const noexcept { return age_.oldest - 1; }  // 0: kNoEntry
  /// The next younger one of all entries.
  [[nodiscard]] std::uint32_t younger(std::uint32_t index) const noexcept {
    return records_[index].age.next - 1;
  }
  [[nodiscard]] std::int64_t created_ms(std::uint32_t index) const noexcept;

  /// kNoHost when it has no record.
  [[nodiscard]] std::uint32_t find_host(const Address& address) const noexcept;
  [[nodiscard]] std::uint32_t host_of(std::uint32_t index) const noexcept;
  [[nodiscard]] const Address& host_address(std::uint32_t host) const noexcept {
    return hosts_[host].address;
  }
  [[nodiscard]] std::uint32_t host_entries(std::uint32_t host) const noexcept {
    return hosts_[host].entries;
  }
  [[nodiscard]] std::uint32_t oldest_of_host(std::uint32_t host) const noexcept {
    return hosts_[host].age.oldest - 1;
  }
  [[nodiscard]] bool blocked(std::uint32_t host) const noexcept { return hosts_[host].blocked; }
  /// Makes the host's record if it has none. False when there is no room for it.
  bool block(const Address& address) noexcept;
  void unblock(const Address& address) noexcept;
  /// Whether insert() would find a record, or room for one, for this responder.
  [[nodiscard]] bool has_host_room(const Address& address) const noexcept;
  [[nodiscard]] std::size_t blocked_hosts() const noexcept { return blocked_hosts_; }
  [[nodiscard]] std::size_t hosts() const noexcept { return hosts_size_; }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  /// Links hold an index plus one, so that zeroed memory means "none".
  struct Links {
    std::uint32_t previous;
    std::uint32_t next;
  };
  struct AgeList {
    std::uint32_t oldest;
    std::uint32_t newest;
  };
  struct Record {
    std::array<std::byte, 16> initiator_address;  ///< of the version of the host's address
    std::uint32_t initiator_sequence;
    std::uint32_t responder_sequence;
    std::uint32_t created;         ///< units of kAgeUnitMs, modulo 2^32
    std::uint32_t next_in_bucket;  ///< in the free list while unused
    Links age;
    Links host_age;
    std::uint32_t host_and_generation;  ///< host index below, generation in the upper 12 bits
    std::uint16_t initiator_port;
    std::uint16_t responder_port;
    std::uint16_t initiator_window;
    std::uint16_t responder_window;
    std::array<std::uint8_t, 2> mss;  ///< units of kMssUnitBytes
    std::uint8_t window_scales;       ///< four bits a side, kNoScale where none was offered
    std::uint8_t flags;
  };
  static_assert(sizeof(Record) <= kRecordBytes);
  struct Host {
    Address address;
    bool blocked;
    std::uint32_t entries;
    AgeList age;
    std::uint32_t next_in_bucket;  ///< in the free list while unused
  };

  void write_facts(Record& record, const HalfOpen& entry) noexcept;
  [[nodiscard]] std::uint32_t unit_of(std::int64_t now_ms) noexcept;
  [[nodiscard]] bool joins(const Record& record, const Endpoint& one,
                           const Endpoint& another) const noexcept;
  [[nodiscard]] FlowKey key_of(const Record& record) const noexcept;
  [[nodiscard]] std::uint32_t& bucket_of(const FlowKey& key) noexcept;
  void append(AgeList& list, Links Record::*links, std::uint32_t link) noexcept;
  void remove(AgeList& list, Links Record::*links, std::uint32_t link) noexcept;
  [[nodiscard]] std::uint32_t take_index() noexcept;
  [[nodiscard]] std::uint32_t take_host(const Address& address) noexcept;
  void release_host(std::uint32_t host) noexcept;

  HashKey hash_key_;
  ZeroedArray<Record> records_;
  ZeroedArray<std::uint32_t> buckets_;
  ZeroedArray<std::uint64_t> used_bits_;
  ZeroedArray<Host> hosts_;
  ZeroedArray<std::uint32_t> host_buckets_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t hosts_size_ = 0;
  std::size_t blocked_hosts_ = 0;
  AgeList age_{};
  std::uint32_t first_free_ = 0;  ///< index plus one
  std::uint32_t untouched_ = 0;   ///< indexes from here on were never given out
  std::uint32_t first_free_host_ = 0;
  std::uint32_t untouched_hosts_ = 0;
  std::int64_t newest_unit_ = 0;  ///< of all times so far: `created` is counted back from it
};

}  // namespace postern
