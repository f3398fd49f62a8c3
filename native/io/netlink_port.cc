#include "io/netlink_port.h"

#include <dirent.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <memory>

#include "io/proc_file.h"

namespace postern {
namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirectoryCloser>;

template <typename Number>
std::optional<Number> number_of(std::string_view word) noexcept {
  Number number{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

bool holds_socket(const std::string& descriptors_path, std::string_view socket_name) {
  const Directory directory(::opendir(descriptors_path.c_str()));
  if (!directory) return false;
  std::array<char, 64> target;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string path = descriptors_path + "/" + entry->d_name;
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length > 0 &&
        std::string_view(target.data(), static_cast<std::size_t>(length)) == socket_name) {
      return true;
    }
  }
  return false;
}

std::optional<pid_t> process_with_socket(std::uint64_t inode) {
  const std::string socket_name = "socket:[" + std::to_string(inode) + "]";
  const Directory processes(::opendir("/proc"));
  if (!processes) return std::nullopt;
  while (const dirent* entry = ::readdir(processes.get())) {
    const std::optional<pid_t> pid = number_of<pid_t>(entry->d_name);
    if (pid && holds_socket(std::string("/proc/") + entry->d_name + "/fd", socket_name)) return pid;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> find_netfilter_inode(std::string_view table, std::uint32_t port_id) {
  while (!table.empty()) {
    std::string_view line = take_line(table);
    // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
    std::array<std::string_view, 10> columns;
    for (std::string_view& column : columns) column = take_word(line);
    if (number_of<int>(columns[1]) != NETLINK_NETFILTER) continue;
    if (number_of<std::uint32_t>(columns[2]) != port_id) continue;
    return number_of<std::uint64_t>(columns[9]);
  }
  return std::nullopt;
}

std::optional<pid_t> process_of_port(std::uint32_t port_id) {
  if (const auto table = read_proc_file("/proc/thread-self/net/netlink")) {
    const std::optional<std::uint64_t> inode = find_netfilter_inode(*table, port_id);
    const std::optional<pid_t> pid = inode ? process_with_socket(*inode) : std::nullopt;
    if (pid) return pid;
  }
  if (port_id == 0 || port_id > INT_MAX) return std::nullopt;
  const auto pid = static_cast<pid_t>(port_id);
  return process_name(pid).empty() ? std::nullopt : std::optional(pid);
}

std::string process_name(pid_t pid) {
  const auto text = read_proc_file(("/proc/" + std::to_string(pid) + "/comm").c_str());
  if (!text) return {};
  std::string_view rest = *text;
  return std::string(take_line(rest));
}

}  // namespace postern
