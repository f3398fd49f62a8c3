#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/mime_walk_sink.h"

namespace postern {

struct MimeOptions {
  /// The octets are those of DATA: dot-stuffed, with the line that ends them (RFC 5321 4.5.2).
  /// Without it they are those of BDAT.
  bool dot_stuffed = false;
  /// Base64 and quoted-printable are decoded beside the raw pieces.
  bool decode = false;
  /// All fields are told, and what is wrong with octets of headers and bodies. Without it only
  /// Content-Type and Content-Transfer-Encoding are, of others that they were there (`other_field`,
  /// the cheaper by far), and not: space_before_colon, bare_cr_in_header, nul_in_header,
  /// eight_bit_in_header, bare_lf_in_body.
  bool details = true;
};

class MimeWalkState;

/// Walks through one message after the other as it goes by (RFC 5322, 2045, 2046), octets coming in
/// any pieces, and tells a sink what is there. It holds back no more than a line that may be a
/// boundary line, and one header field; the rest is told in the call that brings it. It allocates
/// for a message, its fields and its multiparts, never for a piece of body; between messages it is
/// one pointer.
///
/// Lines end with CRLF. A bare LF is a line end too, and an anomaly; a bare CR is none.
///
/// Where mail readers differ the walk takes every reading that shows more, and names the anomaly:
/// doubtful header lines are told as fields and as pieces of body, all readings of a boundary
/// count, both decodings come.
class MimeWalk {
 public:
  MimeWalk() noexcept;
  ~MimeWalk();
  MimeWalk(MimeWalk&&) noexcept;
  MimeWalk& operator=(MimeWalk&&) noexcept;

  /// A message begins; one under way is forgotten.
  void begin(const MimeOptions& options);
  [[nodiscard]] bool active() const noexcept { return state_ != nullptr; }
  /// The next octets of the message. Without a message under way they are ignored.
  void feed(std::span<const std::byte> octets, MimeSink& sink);
  /// The message ends with the octets fed so far: the last parts end, and its memory is free.
  void finish(MimeSink& sink);

  /// `match header length`: octets of the message's own header so far, without the empty line.
  [[nodiscard]] std::uint64_t header_octets() const noexcept;
  /// What header_octets() would come to if all octets fed, of which it is not known yet, were of
  /// the header.
  [[nodiscard]] std::uint64_t header_octets_most() const noexcept;
  /// `match data-length`: octets fed so far, without the line that ends the data.
  [[nodiscard]] std::uint64_t data_octets() const noexcept;

 private:
  std::unique_ptr<MimeWalkState> state_;
};

}  // namespace postern
