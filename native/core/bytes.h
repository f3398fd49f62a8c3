#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

/// Network byte order over spans, without a cast or an unaligned access. The caller has checked
/// that the octets are there; a debug build asserts it.
namespace postern {

inline constexpr std::byte kNul{0x00};
inline constexpr std::byte kLf{0x0A};
inline constexpr std::byte kCr{0x0D};
inline constexpr std::byte kDot{0x2E};

[[nodiscard]] constexpr std::uint8_t read_u8(std::span<const std::byte> bytes,
                                             std::size_t at) noexcept {
  assert(at < bytes.size());
  return std::to_integer<std::uint8_t>(bytes[at]);
}

[[nodiscard]] constexpr std::uint16_t read_u16(std::span<const std::byte> bytes,
                                               std::size_t at) noexcept {
  const unsigned high = read_u8(bytes, at);
  const unsigned low = read_u8(bytes, at + 1);
  return static_cast<std::uint16_t>(high << 8U | low);
}

[[nodiscard]] constexpr std::uint32_t read_u32(std::span<const std::byte> bytes,
                                               std::size_t at) noexcept {
  const std::uint32_t high = read_u16(bytes, at);
  const std::uint32_t low = read_u16(bytes, at + 2);
  return high << 16U | low;
}

constexpr void write_u8(std::span<std::byte> bytes, std::size_t at, std::uint8_t value) noexcept {
  assert(at < bytes.size());
  bytes[at] = std::byte{value};
}

constexpr void write_u16(std::span<std::byte> bytes, std::size_t at, std::uint16_t value) noexcept {
  write_u8(bytes, at, static_cast<std::uint8_t>(value >> 8U));
  write_u8(bytes, at + 1, static_cast<std::uint8_t>(value & 0xFFU));
}

constexpr void write_u32(std::span<std::byte> bytes, std::size_t at, std::uint32_t value) noexcept {
  write_u16(bytes, at, static_cast<std::uint16_t>(value >> 16U));
  write_u16(bytes, at + 2, static_cast<std::uint16_t>(value & 0xFFFFU));
}

}  // namespace postern
