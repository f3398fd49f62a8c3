// Bodies that last longer to some readers: encoded text is decoded as those have it, too.
#include "test/mime_check.h"

using namespace postern;
using namespace postern::test;
using namespace std::literals;

namespace {

constexpr std::string_view kBase64 = "Content-Transfer-Encoding: base64\r\n";
/// "SMUGGLED".
constexpr std::string_view kText = "U01VR0dMRUQ=\r\n";

std::string lasted(const MimeRecorder& told, TransferCoding coding = TransferCoding::base64) {
  const auto found = told.lasted.find(coding);
  return found == told.lasted.end() ? "" : found->second;
}

std::string with(std::initializer_list<std::string_view> pieces) {
  std::string all;
  for (const std::string_view piece : pieces) all += piece;
  return all;
}

std::string mixed(std::string_view parts) {
  return "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + std::string(parts);
}

}  // namespace

TEST_CASE("a body begins at the first line that is no header line: Postfix and Exim have it so") {
  CHECK(lasted(walk(with({kBase64, kText}))) == "SMUGGLED");
  CHECK(lasted(walk(with({kBase64, "!!!\r\n", kText}))) == "SMUGGLED");
  CHECK(lasted(walk(with({kBase64, "!!!\r\nTo: xy\r\n", kText}))).ends_with("SMUGGLED"));
  CHECK(lasted(walk(with({kBase64, "\r\r\n", kText}))) == "SMUGGLED");
  CHECK(lasted(walk(with({kBase64, " \r\n", kText}))) == "SMUGGLED");
  CHECK(lasted(walk(with({kBase64, "\n", kText}))) == "SMUGGLED");
  CHECK(lasted(walk(with({"Content-Transfer-Encoding: quoted-printable\r\n!!!\r\nSM=55GGLED\r\n"})),
               TransferCoding::quoted_printable) == "!!!\r\nSMUGGLED\r\n");
}

TEST_CASE("such a body goes on behind the empty line, and the other one begins there") {
  const MimeRecorder told = walk(with({kBase64, "U01V\r\n\r\nR0dM\r\nRUQ=\r\n"}));
  CHECK(lasted(told) == "SMUGGLED");
  CHECK(told.decoded_of(0) == "GGLED");
  CHECK(told.lines("last") == std::vector{"lasts 0"s, "lasted"s});
}

TEST_CASE("a line that begins no body for a second reader changes nothing for the first") {
  const MimeRecorder told = walk(with({kBase64, "x\r\nTo: x\r\n\r\n", kText}));
  CHECK(told.decoded_of(0) == "SMUGGLED");
}

TEST_CASE("a header line that is none comes before the encoding and again behind it") {
  CHECK(lasted(walk(with({"x\r\n", kBase64, "\r\r\n", kText}))) == "SMUGGLED");
}

TEST_CASE("a line that is a boundary line to some readers is text to others (MIM-12)") {
  for (const std::string_view odd : {"--b!\r\n"sv, "--bzzz\r\n"sv, "--b\r\r\n"sv, "--b x\r\n"sv}) {
    const std::string message = mixed(with({"--b\r\n", kBase64, "\r\n", odd, kText, "--b--\r\n"}));
    const MimeRecorder told = walk(message);
    CAPTURE(odd);
    CHECK(told.saw("boundary-line-odd"));
    CHECK(lasted(told).ends_with("SMUGGLED") == (odd == "--bzzz\r\n"));
  }
  const std::string half = with({"--b\r\n", kBase64, "\r\nU01V\r\n"});
  // The boundary itself is no base64: nothing comes between the halves.
  const MimeRecorder told =
      walk("Content-Type: multipart/mixed; boundary=\"_._\"\r\n\r\n--_._\r\n" +
           std::string(kBase64) + "\r\nU01V\r\n--_._!\r\nR0dMRUQ=\r\n");
  CHECK(told.decoded_of(1) == "SMU");
  CHECK(lasted(told) == "GGLED");
}

TEST_CASE("a body lasts to the next line that is a boundary line to all") {
  const MimeRecorder told = walk(
      mixed(with({"--b\r\n", kBase64, "\r\nU01V\r\n--bx!yz\r\n--b\r\n\r\n", kText, "--b--\r\n"})));
  CHECK(told.lines("last") == std::vector{"lasts 1"s, "lasted"s});
  CHECK(lasted(told) == "o\x1c\xb3");
}

TEST_CASE("text that nobody decodes does not last, nor does anything without decoding") {
  CHECK(walk("Subject: x\r\n!!!\r\nU01VR0dMRUQ=\r\n").lines("last").empty());
  CHECK(walk(mixed("--b\r\n\r\nx\r\n--bx\r\ny\r\n--b--\r\n")).lines("last").empty());
  const MimeRecorder told = walk_cut(with({kBase64, kText}), {}, {});
  CHECK(told.lines("last").empty());
}

TEST_CASE("padding that is not the end: to some readers it is nothing (MIM-148)") {
  CHECK(walk(with({kBase64, "\r\nU01=VR0dMRUQ=\r\n"})).unpadded == "UGGLED");
  CHECK(walk(with({kBase64, "\r\nU0=1VR0dM=\r\nRUQ=\r\n"})).unpadded == "MUGGLED");
  CHECK(walk(with({kBase64, "\r\nU01V=R0dM\r\n"})).unpadded.empty());
  CHECK(walk(with({kBase64, "\r\n====U01VR0dMRUQ=\r\n"})).unpadded.empty());
  CHECK(walk(with({kBase64, "\r\nU01VR0dMRUQ=\r\n!\r\n"})).padless_parts.empty());
  const MimeRecorder told = walk(mixed(with(
      {"--b\r\n", kBase64, "\r\nU0=1V\r\n--bx\r\nzz\r\n--b\r\n", kBase64, "\r\nR=0\r\n--b--"})));
  CHECK(told.padless_parts == std::vector<std::uint32_t>{1, 3});
  CHECK(told.unpadded == "MUG");
}

TEST_CASE("quoted-printable: a soft line break before a line that may be a boundary line") {
  const MimeRecorder told = walk(mixed(
      "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSM=\r\n--b=\r\nUG\r\n--b--"));
  CHECK(lasted(told, TransferCoding::quoted_printable) == "--bUG\r\n");
}
