// Stories of messages whose content is scanned: judged before it leaves, in every segmentation.
#include <doctest/doctest.h>

#include <array>
#include <utility>

#include "content_lab.h"

namespace postern::test {

using Strings = std::vector<std::string>;
constexpr Side I = Side::initiator;
constexpr Side R = Side::responder;

namespace {

const std::string kMarked = "Subject: a\r\n\r\nbody ! more\r\nlast\r\n.\r\n";
const std::string kPlain = "Subject: a\r\n\r\nbody\r\n.\r\n";
const std::string kChunks =
    "BDAT 20\r\nSubject: a\r\n\r\nbody !BDAT 6\r\n more\nBDAT 0 LAST\r\nQUIT\r\n";

void send_in(LoopLab& lab, std::uint32_t offset, std::string_view text, std::size_t octets_each) {
  for (const std::string_view piece : pieces_of(text, octets_each)) {
    lab.send(I, offset, piece);
    offset += static_cast<std::uint32_t>(piece.size());
  }
}

}  // namespace

TEST_CASE("content is judged before it leaves, however the message was cut") {
  for (std::size_t each = 1; each <= kMarked.size(); ++each) {
    INFO("pieces of " << each);
    ContentLab passes(plan_for_marks(1, 20));
    passes.open_data();
    send_in(passes.lab, 6, kMarked, each);
    CHECK(passes.told == Strings{"body 1", "length 20", "finished"});
    CHECK(passes.got(R) == "DATA\r\n" + kMarked);
    CHECK(passes.lab.loop.counters()[Counter::content_scanned_octets] == kMarked.size());

    ContentLab refused(plan_for_marks(1, 20));
    refused.refuses = true;
    refused.open_data();
    send_in(refused.lab, 6, kMarked, each);
    CHECK(refused.told == Strings{"body 1", "length 20"});
    CHECK(refused.got(R).size() <= 6 + 20);
    CHECK(refused.got(I) == "220 hi\r\n354 go\r\n554 no\r\n");
  }
}

TEST_CASE("chunks are one message, however they were cut") {
  for (std::size_t each = 1; each <= kChunks.size(); ++each) {
    INFO("pieces of " << each);
    ContentLab passes(plan_for_marks(1, 20));
    send_in(passes.lab, 0, kChunks, each);
    CHECK(passes.told == Strings{"body 1", "length 20", "finished"});
    CHECK(passes.got(R) == kChunks);
    CHECK(passes.lab.loop.counters()[Counter::content_scanned_octets] == 26);
    CHECK(passes.lab.loop.counters()[Counter::content_octets] == 26);

    ContentLab refused(plan_for_marks(1, 20));
    refused.refuses = true;
    send_in(refused.lab, 0, kChunks, each);
    CHECK(refused.told == Strings{"body 1", "length 20"});
    CHECK(refused.got(R).find(" more") == std::string::npos);
    CHECK(refused.got(I) == "554 no\r\n");
  }
}

TEST_CASE("a message is refused in its middle: RST for the server, the client is heard out") {
  ContentLab story(plan_for_marks(1, 20));
  story.refuses = true;
  LoopLab& lab = story.lab;
  SUBCASE("of DATA") {
    story.open_data();
    CHECK(lab.fate(lab.send(I, 6, "Subject: a\r\n\r\nbody")) == "accept");
    lab.sender.sent.clear();
    CHECK(lab.fate(lab.send(I, 24, " ! more\r\n")) == "rst@24");
    CHECK(lab.injected(I) == Strings{" ack 33"});
    CHECK(lab.fate(lab.send(I, 33, "last\r\n.\r\n")) == "drop");
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 42"});
    CHECK(story.kinds.back() == EventKind::content);
  }
  SUBCASE("of a chunk") {
    CHECK(lab.fate(lab.send(I, 0, "BDAT 30\r\nSubject: a\r\n\r\n")) == "accept");
    CHECK(lab.fate(lab.send(I, 23, "body ! more")) == "rst@23");
    CHECK(lab.injected(I) == Strings{" ack 34"});
    CHECK(lab.fate(lab.send(I, 34, "12345")) == "drop");
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 39"});
  }
  SUBCASE("in the packet that ends it") {
    story.open_data();
    CHECK(lab.fate(lab.send(I, 6, kMarked)) == "rst@6");
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 42"});
  }
  CHECK(lab.injected(R).empty());
  CHECK(lab.loop.counters()[Counter::content_facts] == 2);
}

TEST_CASE("a message is refused at its end: the server never gets it") {
  ContentLab story;
  story.refuses = true;
  LoopLab& lab = story.lab;
  SUBCASE("of DATA") {
    story.open_data();
    CHECK(lab.fate(lab.send(I, 6, kMarked.substr(0, 30))) == "accept");
    CHECK(lab.fate(lab.send(I, 36, "t\r\n.\r\n")) == "rst@36");
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 42"});
  }
  SUBCASE("of the last chunk") {
    CHECK(lab.fate(lab.send(I, 0, "BDAT 9 LAST\r\nA: b\r\n\r\n")) == "accept");
    CHECK(lab.fate(lab.send(I, 21, "!")) == "rst@21");
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 22"});
  }
  SUBCASE("by a chunk of nothing") {
    CHECK(lab.fate(lab.send(I, 0, "BDAT 9\r\nA: b\r\n\r\n!")) == "accept");
    CHECK(lab.fate(lab.send(I, 17, "BDAT 0 LAST\r\n")) == "rst@17");
    CHECK(lab.injected(I) == Strings{"554 no\r\n<fin> ack 30"});
  }
  CHECK(lab.loop.counters()[Counter::content_facts] == 1);
}

TEST_CASE("what ends a message waits until the scan has told the rest") {
  ContentLab story;
  LoopLab& lab = story.lab;
  SUBCASE("the end of data") {
    story.open_data();
    CHECK(lab.fate(lab.send(I, 6, kPlain)) == "accept");
    CHECK(story.kinds[story.kinds.size() - 2] == EventKind::data_end);
  }
  SUBCASE("the last chunk, with its command in one packet") {
    CHECK(lab.fate(lab.send(I, 0, "BDAT 9 LAST\r\nA: b\r\n\r\ncQUIT\r\n")) == "accept");
    CHECK(lab.lines == Strings{"I: BDAT 9 LAST", "I: QUIT"});
  }
  SUBCASE("a chunk of nothing") {
    lab.send(I, 0, "BDAT 9\r\nA: b\r\n\r\nc");
    CHECK(lab.fate(lab.send(I, 17, "BDAT 0 LAST\r\n")) == "accept");
    CHECK(lab.lines.back() == "I: BDAT 0 LAST");
  }
  SUBCASE("a chunk of nothing, judged at its CR") {
    lab.send(I, 0, "BDAT 9\r\nA: b\r\n\r\nc");
    CHECK(lab.fate(lab.send(I, 17, "BDAT 0 LAST\r")) == "accept");
    CHECK(story.told == Strings{"finished"});
    CHECK(lab.fate(lab.send(I, 29, "\nQUIT\r\n")) == "accept");
    CHECK(lab.lines.back() == "I: QUIT");
  }
  CHECK(story.told == Strings{"finished"});
  CHECK_FALSE(lab.loop.flow(0).content);
}

TEST_CASE("octets that come early, again or otherwise are scanned once, as they were seen first") {
  ContentLab story;
  LoopLab& lab = story.lab;
  story.open_data();
  lab.send(I, 26, kMarked.substr(20));
  lab.send(I, 6, "Subject: a\r\n\r\n");
  lab.send(I, 6, "Subject: !\r\n\r\nX");
  CHECK(story.told.empty());
  lab.send(I, 20, "body !");
  lab.send(I, 20, "bodyX!");
  CHECK(story.told == Strings{"body 1", "finished"});
  // The octet of the first overlap came first and is the one that counts.
  const std::string sent = "Subject: a\r\n\r\nXody ! more\r\nlast\r\n.\r\n";
  CHECK(story.got(R) == "DATA\r\n" + sent);
  CHECK(lab.loop.counters()[Counter::content_scanned_octets] == sent.size());
}

TEST_CASE("a new plan in the middle of a message leaves the message its own") {
  ContentLab story;
  LoopLab& lab = story.lab;
  story.open_data();
  lab.send(I, 6, "Subject: a\r\n\r\n");
  const std::uint32_t old = std::exchange(story.plan, lab.loop.define_plan(plan_for_marks(7)));
  CHECK(story.plan != old);
  lab.loop.release_plan(old);
  CHECK(lab.loop.plans() == 2);
  lab.send(I, 20, "a !\r\n.\r\n");
  CHECK(story.told == Strings{"body 1", "finished"});
  CHECK(lab.loop.plans() == 1);
  lab.send(I, 28, "BDAT 9 LAST\r\nA: b\r\n\r\n!");
  CHECK(story.told == Strings{"body 1", "finished", "body 7", "finished"});
  SUBCASE("and nothing begins with the one that went") {
    story.plan = old;
    CHECK(lab.fate(lab.send(I, 50, "BDAT 9 LAST\r\n")) == "rst@50");
    CHECK(lab.seen.back().extra == static_cast<std::uint32_t>(EndReason::engine_error));
  }
}

TEST_CASE("plans are bounded") {
  ContentLab story;
  const auto plan = std::make_shared<ContentPlan>();
  std::uint32_t last = 0;
  for (std::size_t i = 1; i < kContentPlansMax; ++i) last = story.lab.loop.define_plan(plan);
  CHECK(last != 0);
  CHECK(story.lab.loop.define_plan(plan) == 0);
  story.lab.loop.release_plan(last);
  story.lab.loop.release_plan(last);
  CHECK(story.lab.loop.define_plan(plan) > last);
  CHECK(story.lab.loop.define_plan(plan) == 0);
}

TEST_CASE("without matches only the end of a message is told, and without a scan nothing") {
  ContentLab story;
  story.open_data();
  story.lab.send(I, 6, kPlain);
  CHECK(story.told == Strings{"finished"});
  CHECK(story.lab.loop.counters()[Counter::content_facts] == 0);
  story.lab.send(I, 6 + static_cast<std::uint32_t>(kPlain.size()), "! !\r\n");
  CHECK(story.told == Strings{"finished"});
  CHECK(story.lab.loop.counters()[Counter::content_octets] == kPlain.size());
}

TEST_CASE("a scan that was dropped tells nothing more") {
  ContentLab story;
  LoopLab& lab = story.lab;
  lab.send(I, 0, "BDAT 8\r\nA: b\r\n\r\nRSET\r\n");
  CHECK_FALSE(lab.loop.flow(0).content);
  lab.answer = LoopLab::forward_all;
  CHECK(lab.fate(lab.send(I, 22, "!!\r\n")) == "accept");
  CHECK(story.told.empty());
}

TEST_CASE("a flow rests only when its message is over") {
  ContentLab story;
  LoopLab& lab = story.lab;
  lab.send(I, 0, "BDAT 8\r\nA: b\r\n\r\n");
  lab.acknowledged[1] = 16;
  lab.send(R, 0, "250 ok\r\n");
  lab.acknowledged[0] = 8;
  lab.send(I, 16, "", kAck);
  CHECK(lab.loop.flows_awake() == 1);
  lab.send(I, 16, "BDAT 0 LAST\r\n");
  lab.acknowledged[1] = 29;
  lab.send(R, 8, "250 ok\r\n");
  lab.acknowledged[0] = 16;
  lab.send(I, 29, "", kAck);
  CHECK(lab.loop.flows_awake() == 0);
}

TEST_CASE("look-alikes and budgets are told behind what the scan found before them") {
  ContentLab story(plan_for_marks(1, 5));
  story.data_max = 30;
  story.open_data();
  SUBCASE("a look-alike") {
    story.lab.send(I, 6, "A: b\r\n\r\n!\n.\r\n");
    CHECK(story.kinds.back() == EventKind::look_alike);
  }
  SUBCASE("a budget") {
    story.lab.send(I, 6, "A: b\r\n\r\n!\r\n" + std::string(40, 'a'));
    CHECK(story.kinds.back() == EventKind::over_budget);
  }
  CHECK(story.kinds[story.kinds.size() - 2] == EventKind::content);
  CHECK(story.told == Strings{"length 5"});
  CHECK(story.got(R).size() <= 6 + 5);
}

TEST_CASE("orders of content that cannot be carried out end the flow") {
  ContentLab story;
  LoopLab& lab = story.lab;
  SUBCASE("a plan that is unknown") {
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      LoopLab::forward_all(event, orders);
      if (event.kind == EventKind::line) orders.content(event.flow, ContentOrder::begin_data, 99);
    };
  }
  SUBCASE("the end of what has not begun") {
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      if (event.kind == EventKind::line) orders.content(event.flow, ContentOrder::finish);
    };
  }
  SUBCASE("none that there is") {
    lab.answer = [](const SeenEvent& event, Orders& orders) {
      orders.forward(event.flow, event.side);
      orders.content(event.flow, ContentOrder{9});
    };
  }
  SUBCASE("a beginning behind the end, in one answer") {
    lab.answer = [plan = story.plan](const SeenEvent& event, Orders& orders) {
      orders.content(event.flow, ContentOrder::begin_chunks, plan);
      orders.content(event.flow, ContentOrder::finish);
      orders.content(event.flow, ContentOrder::begin_chunks, plan);
    };
  }
  CHECK(lab.fate(lab.send(I, 0, "BDAT 8\r\n")) == "rst@0");
  CHECK(lab.injected(I) == Strings{"rst@0"});
}

TEST_CASE("only a frame of the client is put aside for the end of a scan") {
  ContentLab story;
  LoopLab& lab = story.lab;
  lab.answer = [plan = story.plan](const SeenEvent& event, Orders& orders) {
    LoopLab::forward_all(event, orders);
    if (event.kind != EventKind::line) return;
    const bool client = event.side == I;
    orders.content(event.flow, client ? ContentOrder::begin_chunks : ContentOrder::finish, plan);
  };
  CHECK(lab.fate(lab.send(I, 0, "BDAT 8\r\n")) == "accept");
  CHECK(lab.fate(lab.send(R, 0, "250 ok\r\n")).starts_with("rst@"));
}

TEST_CASE("what was found is not let go by an answer that is none") {
  ContentLab story(plan_for_marks(1, 5));
  LoopLab& lab = story.lab;
  story.open_data();
  lab.answer = [](const SeenEvent& event, Orders& orders) { orders.idle(event.flow, 60); };
  CHECK(lab.fate(lab.send(I, 6, "A: b\r\n\r\n!\r\n")) == "rst@6");
  CHECK(story.got(R) == "DATA\r\n");
}

TEST_CASE("what ends the reading of a flow ends its scan") {
  LoopOptions options = LoopLab::with_mail_ports();
  options.fail_open = true;
  ContentLab story;
  LoopLab& lab = story.lab;
  lab.loop.configure(options);
  lab.send(I, 0, "BDAT 8\r\nA: b\r\n\r\n");
  REQUIRE(lab.loop.flow(0).content);
  SUBCASE("a judge that was replaced") {
    lab.loop.abandon_sessions();
  }
  SUBCASE("reading anew") {
    const std::array<std::uint32_t, 2> again{8, 0};
    CHECK(lab.loop.apply_orders(again));
  }
  SUBCASE("a session that is cleared") {
    const std::array<std::uint32_t, 3> end{10, 0, static_cast<std::uint32_t>(EndReason::cleared)};
    CHECK(lab.loop.apply_orders(end));
  }
  CHECK_FALSE(lab.loop.flow(0).content);
  lab.loop.release_plan(story.plan);
  CHECK(lab.loop.plans() == 0);
}

}  // namespace postern::test
