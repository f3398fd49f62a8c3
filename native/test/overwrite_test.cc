// Look-alikes of the end of data that are overwritten instead of refused (line-endings tolerant).
#include <string>

#include "loop_lab.h"
#include "test/framer_cuts.h"

using namespace postern;
using namespace postern::test;
using namespace std::literals;

namespace {

constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

constexpr Framing kTolerant{.mode = FramingMode::mail_data, .bytes = kNoBudget, .tolerant = true};

struct Delivered {
  std::string text;  ///< what the server gets, the end of data included
  std::string end;   ///< "data_end", "refused", or empty where the message goes on
};

/// Feeds the text in pieces and overwrites what the framer says can be.
Delivered deliver(const std::string& text, std::size_t piece) {
  Framer framer(kTolerant);
  Delivered delivered;
  for (std::size_t at = 0; at < text.size();) {
    const Cut cut = framer.next(octets(text).subspan(at, std::min(piece, text.size() - at)));
    delivered.text += text.substr(at, cut.taken);
    at += cut.taken;
    if (cut.kind == CutKind::data_end) {
      delivered.end = "data_end";
      return delivered;
    }
    if (cut.kind != CutKind::look_alike) continue;
    if (!cut.well_formed) {
      delivered.text.pop_back();
      delivered.end = "refused";
      return delivered;
    }
    delivered.text.back() = ' ';
    framer.mend();
  }
  return delivered;
}

/// What a reader that takes no liberties finds first.
std::string strict_cut(const std::string& text) {
  return cuts_at({.framing = {.mode = FramingMode::mail_data, .bytes = kNoBudget}, .stream = text},
                 {});
}

/// Opens mail data behind the server's first line, overwrites and forwards.
void overwrite(const SeenEvent& event, Orders& orders) {
  if (event.kind == EventKind::look_alike) orders.mask(event.flow, 0, 1, ' ');
  LoopLab::forward_all(event, orders);
  if (event.kind == EventKind::line && event.side == R)
    orders.frame(event.flow, I, FramingMode::mail_data, 1'000'000, true);
}

}  // namespace

TEST_CASE("a dot behind a loose line end is overwritten before anybody has seen it") {
  CHECK(deliver("x\n.\nMAIL\r\n.\r\n", 99).text == "x\n \nMAIL\r\n.\r\n");
  CHECK(deliver("x\r.\r\nMAIL\r\n.\r\n", 99).text == "x\r \r\nMAIL\r\n.\r\n");
  CHECK(deliver("x\r\n\0.\r\nMAIL\r\n.\r\n"s, 99).text == "x\r\n\0 \r\nMAIL\r\n.\r\n"s);
  // The CRLF behind it may be the one that the true end needs.
  CHECK(deliver("x\n.\r\n.\r\n", 99).text == "x\n \r\n.\r\n");
  CHECK(deliver("x\n.\r\n.\r\n", 99).end == "data_end");
}

TEST_CASE("behind CRLF and a dot the line end is overwritten, unless it begins with CR") {
  CHECK(deliver("x\r\n.\nMAIL\r\n.\r\n", 99).text == "x\r\n. MAIL\r\n.\r\n");
  CHECK(deliver("x\r\n.\0\r\n.\r\n"s, 99).text == "x\r\n. \r\n.\r\n");
  CHECK(deliver("x\r\n.\rMAIL", 99).end == "refused");
  CHECK(deliver("x\r\n.\rMAIL", 1).end == "refused");
}

TEST_CASE("what is no look-alike stays as it is") {
  for (const std::string& text :
       {"x\r\n..\r\n.y\r\n. \r\nz.\r\n.\r\n"s, ".\r\n"s, "a\nb\rc\0d\r\n.\r\n"s}) {
    CHECK(deliver(text, 99).text == text);
    CHECK(deliver(text, 99).end == "data_end");
  }
}

TEST_CASE("no text delivers a look-alike, and none depends on how it was cut") {
  for_every_text("\r\n\0.a"s, 7, [](const std::string& text) {
    const Delivered whole = deliver(text, 99);
    const std::string cut = strict_cut(whole.text);
    const bool ended = whole.end == "data_end";
    const bool right = ended ? cut.starts_with("data_end") : cut.empty();
    const Delivered pieces = deliver(text, 1);
    const bool same = pieces.text == whole.text && pieces.end == whole.end;
    if (!right || !same || text.size() < 4) {
      CAPTURE(text);
      CHECK(cut.substr(0, 8) == (ended ? "data_end" : ""));
      CHECK(pieces.text == whole.text);
      CHECK(pieces.end == whole.end);
    }
  });
}

TEST_CASE("the budget holds for what was overwritten too") {
  const auto cuts = [](std::string_view text, std::uint64_t budget) {
    return cuts_of({.framing = {.mode = FramingMode::mail_data, .bytes = budget, .tolerant = true},
                    .stream = text,
                    .at_cut =
                        [](Framer& framer, const Cut& cut) {
                          if (cut.kind == CutKind::look_alike) framer.mend();
                        },
                    .after_refusal = AfterRefusal::feed_on});
  };
  CHECK(cuts("a\n.b\r\n.\r\n", 6) == "look_alike:3:3 data_end:9:9");
  CHECK(cuts("a\n.bc\r\n.\r\n", 4).starts_with("look_alike:3:3 over_budget:4:4"));
}

TEST_CASE("the packet loop overwrites the octet and goes on with the message") {
  LoopLab lab;
  lab.answer = overwrite;
  lab.connect();
  lab.send(R, 0, "354 go\r\n");
  lab.acknowledged[0] = 8;
  CHECK(lab.fate(lab.send(I, 0, "x\n.\nMAIL\r\n")) == "rewrite x\n \nMAIL\r\n");
  CHECK(lab.fate(lab.send(I, 10, "y\n")) == "accept");
  CHECK(lab.fate(lab.send(I, 12, ".")) == "rewrite  ");
  // Sent again it stays overwritten.
  CHECK(lab.fate(lab.send(I, 12, ".")) == "rewrite  ");
  CHECK(lab.fate(lab.send(I, 13, "\r\n.\r\nNOOP\r\n")) == "accept");
  CHECK(lab.lines == std::vector<std::string>{"R: 354 go", "I: NOOP"});
}

TEST_CASE("a look-alike that is only forwarded ends the session") {
  LoopLab lab;
  lab.answer = [](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.kind == EventKind::line && event.side == R)
      orders.frame(event.flow, I, FramingMode::mail_data, 1'000'000, true);
  };
  lab.connect();
  lab.send(R, 0, "354 go\r\n");
  lab.acknowledged[0] = 8;
  CHECK(lab.fate(lab.send(I, 0, "x\n.\nMAIL\r\n")).starts_with("rst"));
}

TEST_CASE("a look-alike whose CR may be gone cannot be overwritten") {
  LoopLab lab;
  lab.answer = overwrite;
  lab.connect();
  lab.send(R, 0, "354 go\r\n");
  lab.acknowledged[0] = 8;
  CHECK(lab.fate(lab.send(I, 0, "x\r\n.\rMAIL\r\n")).starts_with("rst"));
}
