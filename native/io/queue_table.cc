#include "io/queue_table.h"

#include <charconv>

#include "io/netlink_port.h"
#include "io/proc_file.h"

namespace postern {
namespace {

// Of this thread, not of the process: a thread may live in a network namespace of its own. Unlike
// /proc/net it is also there under systemd's ProcSubset=pid.
constexpr const char* kTablePath = "/proc/thread-self/net/netfilter/nfnetlink_queue";

template <typename Number>
bool take_number(std::string_view& line, Number& number) noexcept {
  const std::string_view word = take_word(line);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc{} && end == word.data() + word.size();
}

bool parse_entry(std::string_view line, QueueEntry& entry) noexcept {
  return take_number(line, entry.queue) && take_number(line, entry.port_id) &&
         take_number(line, entry.waiting) && take_number(line, entry.copy_mode) &&
         take_number(line, entry.copy_range_bytes) && take_number(line, entry.queue_dropped) &&
         take_number(line, entry.user_dropped) && take_number(line, entry.last_id);
}

std::optional<QueueEntry> read_entry(std::uint16_t queue) {
  const std::optional<std::string> table = read_proc_file(kTablePath);
  if (!table) return std::nullopt;
  return find_queue_entry(*table, queue);
}

}  // namespace

std::optional<QueueEntry> find_queue_entry(std::string_view table, std::uint16_t queue) {
  while (!table.empty()) {
    QueueEntry entry;
    if (parse_entry(take_line(table), entry) && entry.queue == queue) return entry;
  }
  return std::nullopt;
}

std::optional<QueueOwner> queue_owner(std::uint16_t queue) {
  const std::optional<QueueEntry> entry = read_entry(queue);
  if (!entry) return std::nullopt;
  QueueOwner owner{.port_id = entry->port_id, .pid = process_of_port(entry->port_id), .name = {}};
  if (owner.pid) owner.name = process_name(*owner.pid);
  return owner;
}

std::optional<QueueDrops> queue_drops(std::uint16_t queue) {
  const std::optional<QueueEntry> entry = read_entry(queue);
  if (!entry) return std::nullopt;
  return QueueDrops{.queue_dropped = entry->queue_dropped,
                    .user_dropped = entry->user_dropped,
                    .waiting = entry->waiting};
}

std::string describe(const QueueOwner& owner) {
  if (!owner.pid) return "port id " + std::to_string(owner.port_id);
  std::string text = "pid " + std::to_string(*owner.pid);
  if (!owner.name.empty()) text += " (" + owner.name + ")";
  return text;
}

}  // namespace postern
