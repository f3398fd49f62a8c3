#include <hs.h>

#include "test/content_scan_lab.h"

using namespace postern;
using namespace postern::test;

/// The pattern engine fails on no text that a test can write, so the linker puts these in its place
/// (CMakeLists.txt): after so many calls more, it has no memory.
namespace {

constexpr int kNever = -1;
int calls_left = kNever;

bool fails_now() noexcept {
  if (calls_left == kNever) return false;
  if (calls_left == 0) return true;
  --calls_left;
  return false;
}

/// The engine fails behind so many calls, as long as this lives.
class EngineFails {
 public:
  explicit EngineFails(int after_calls) noexcept { calls_left = after_calls; }
  EngineFails(const EngineFails&) = delete;
  EngineFails& operator=(const EngineFails&) = delete;
  ~EngineFails() { calls_left = kNever; }
};

std::string told_when_failing(const Plan& plan, std::string_view message, int after_calls) {
  ContentScanner scanner(plan);
  REQUIRE(scanner.ready());
  const EngineFails fails(after_calls);
  const Told told = scan_cut(scanner, message, false, {});
  CHECK(told.failed == told.all.ends_with("limit engine\n"));
  return told.all;
}

}  // namespace

extern "C" {
hs_error_t __real_hs_scan(const hs_database_t*, const char*, unsigned, unsigned, hs_scratch_t*,
                          match_event_handler, void*);
hs_error_t __real_hs_scan_stream(hs_stream_t*, const char*, unsigned, unsigned, hs_scratch_t*,
                                 match_event_handler, void*);
hs_error_t __real_hs_reset_stream(hs_stream_t*, unsigned, hs_scratch_t*, match_event_handler,
                                  void*);

hs_error_t __wrap_hs_scan(const hs_database_t* database, const char* text, unsigned octets,
                          unsigned flags, hs_scratch_t* scratch, match_event_handler told,
                          void* context) {
  if (fails_now()) return HS_NOMEM;
  return __real_hs_scan(database, text, octets, flags, scratch, told, context);
}

hs_error_t __wrap_hs_scan_stream(hs_stream_t* stream, const char* text, unsigned octets,
                                 unsigned flags, hs_scratch_t* scratch, match_event_handler told,
                                 void* context) {
  if (fails_now()) return HS_NOMEM;
  return __real_hs_scan_stream(stream, text, octets, flags, scratch, told, context);
}

/// To rewind is no scan: nobody is told, and memory is not asked for.
hs_error_t __wrap_hs_reset_stream(hs_stream_t* stream, unsigned flags, hs_scratch_t* scratch,
                                  match_event_handler told, void* context) {
  if (told != nullptr && fails_now()) return HS_NOMEM;
  return __real_hs_reset_stream(stream, flags, scratch, told, context);
}
}

TEST_CASE("content: a pattern engine that fails is a limit, not a message without matches") {
  const std::string message = "Subject: one\r\n\r\nfirst text\r\n";
  CHECK(told_when_failing(header_plan({"one"}), message, 0) == "limit engine\n");
  CHECK(told_when_failing(header_plan({"one"}), message, 1) == "header 0 Subject\n");
  CHECK(told_when_failing(type_plan({"text"}), "Content-Type: text/plain\r\n\r\n", 0) ==
        "limit engine\n");
}

TEST_CASE("content: a pattern engine that fails in a body, or at its end, is a limit") {
  ContentPlan plan;
  plan.body = compiled(std::vector<std::string>{"first", "text$"}, PatternPlace::body);
  const Plan bodies = std::make_shared<const ContentPlan>(std::move(plan));
  const std::string message = "Subject: one\r\n\r\nfirst text";
  CHECK(told_when_failing(bodies, message, 0) == "limit engine\n");
  CHECK(told_when_failing(bodies, message, 1) == "body 0\nlimit engine\n");
  CHECK(told_when_failing(bodies, message, 100) == "body 0\nbody 1\n");
}
