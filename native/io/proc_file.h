#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

/// Tables under /proc are read up to here: some 400,000 sockets or 150,000 queues.
inline constexpr std::size_t kProcFileBytesMax = 32U << 20U;

/// The whole text of a file under /proc; on failure nothing, with errno set.
[[nodiscard]] std::optional<std::string> read_proc_file(const char* path);

/// Takes the next word, separated by blanks, off the front of `line`; empty at its end.
[[nodiscard]] std::string_view take_word(std::string_view& line) noexcept;

/// Takes the next line, without its end, off the front of `text`.
[[nodiscard]] std::string_view take_line(std::string_view& text) noexcept;

}  // namespace postern
