#include "io/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "io/file_descriptor.h"

namespace postern {

std::optional<std::string> read_proc_file(const char* path) {
  const FileDescriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  std::string text;
  std::array<char, 4096> piece;
  while (text.size() < kProcFileBytesMax) {
    const ssize_t taken = ::read(file.get(), piece.data(), piece.size());
    if (taken == 0) break;
    if (taken < 0) {
      if (errno == EINTR) continue;
      return std::nullopt;
    }
    text.append(piece.data(), static_cast<std::size_t>(taken));
  }
  return text;
}

std::string_view take_word(std::string_view& line) noexcept {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

std::string_view take_line(std::string_view& text) noexcept {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace postern
