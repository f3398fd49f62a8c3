#pragma once

#include <string>
#include <string_view>
#include <vector>

/// TLS hellos as octets, made from their parts.
namespace postern::test {

inline std::string u16(std::size_t value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)};
}
inline std::string vector8(std::string_view body) {
  return static_cast<char>(body.size()) + std::string(body);
}
inline std::string vector16(std::string_view body) {
  return u16(body.size()) + std::string(body);
}
inline std::string extension(std::size_t type, std::string_view data) {
  return u16(type) + vector16(data);
}
inline std::string server_name(std::string_view name) {
  return extension(0, vector16('\0' + vector16(name)));
}
inline std::string alpn(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += vector8(name);
  return extension(16, vector16(list));
}

/// A handshake message.
inline std::string handshake(char type, std::string_view body) {
  return std::string{type, '\0'} + vector16(body);
}
inline std::string record(std::string_view body) {
  return "\x16\x03\x01" + vector16(body);
}

struct HelloParts {
  std::string version = "\x03\x03";
  std::string session_id{};
  std::string ciphers = "\x13\x01\xc0\x2f";
  std::string compression = std::string(1, '\0');
  std::string extensions{};  ///< empty: none at all
};

inline std::string client_hello(const HelloParts& parts) {
  const std::string random(32, 'r');
  const std::string end = parts.extensions.empty() ? "" : vector16(parts.extensions);
  return handshake(1, parts.version + random + vector8(parts.session_id) + vector16(parts.ciphers) +
                          vector8(parts.compression) + end);
}
/// `cipher`: the one chosen.
inline std::string server_hello(const std::string& extensions,
                                const std::string& cipher = "\x13\x01") {
  const std::string end = extensions.empty() ? "" : vector16(extensions);
  return handshake(2, "\x03\x03" + std::string(32, 'r') + vector8("") + cipher + '\0' + end);
}

}  // namespace postern::test
