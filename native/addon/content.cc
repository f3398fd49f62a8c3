// Plans for the content of messages as a worker's JavaScript defines them, in the loop it serves.
#include "addon/content.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/patterns.h"
#include "addon/registry.h"

namespace postern {
namespace {

/// What a plan was made of, or why it is none.
struct PlanResult {
  std::shared_ptr<ContentPlan> plan = std::make_shared<ContentPlan>();
  std::string error;

  /// The set that the object names, for texts of this place; null where it names none.
  std::shared_ptr<const PatternSet> set(const Napi::Object& object, const char* name,
                                        PatternPlace place) {
    const Napi::Value handle = object.Get(name);
    if (!handle.IsNumber()) return nullptr;
    auto found = find_pattern_set(handle.As<Napi::Number>().Uint32Value());
    if (found == nullptr) {
      error = std::string("no such patterns: ") + name;
    } else if (found->place() != place) {
      error = std::string("patterns of another place: ") + name;
    }
    return found;
  }
};

/// Rising, each once, as the plan wants them.
std::vector<std::uint64_t> lengths_of(const Napi::Value& value) {
  std::vector<std::uint64_t> lengths;
  const Napi::Array list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const std::int64_t length = list.Get(i).As<Napi::Number>().Int64Value();
    lengths.push_back(static_cast<std::uint64_t>(std::max<std::int64_t>(length, 0)));
  }
  std::ranges::sort(lengths);
  const auto repeated = std::ranges::unique(lengths);
  lengths.erase(repeated.begin(), repeated.end());
  return lengths;
}

PlanResult plan_of(const Napi::Object& object) {
  PlanResult result;
  ContentPlan& plan = *result.plan;
  plan.header = result.set(object, "header", PatternPlace::field);
  plan.body = result.set(object, "body", PatternPlace::body);
  plan.decoded = result.set(object, "decoded", PatternPlace::body);
  plan.content_type = result.set(object, "contentType", PatternPlace::field);
  plan.encodings = object.Get("encodings").ToBoolean().Value();
  plan.header_lengths = lengths_of(object.Get("headerLengths"));
  plan.data_lengths = lengths_of(object.Get("dataLengths"));
  return result;
}

std::shared_ptr<PacketHost> host_of(const Napi::CallbackInfo& info) {
  return Registry::instance().find(info[0].As<Napi::Number>().Uint32Value());
}

/// definePlan(host, plan): its number.
Napi::Value define_plan(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto fail = [&env](const std::string& why) {
    Napi::Error::New(env, why).ThrowAsJavaScriptException();
    return env.Undefined();
  };
  const auto host = host_of(info);
  if (host == nullptr) return fail("no such packet host");
  PlanResult result = plan_of(info[1].As<Napi::Object>());
  if (!result.error.empty()) return fail(result.error);
  const std::uint32_t number = host->loop().define_plan(std::move(result.plan));
  if (number == 0) return fail("too many content plans, or no memory for their patterns");
  // A worker that ends without releasing its plans leaves none of them to the next.
  Napi::Env(env).AddCleanupHook([plans_of = std::weak_ptr(host), number] {
    if (const auto alive = plans_of.lock()) alive->loop().release_plan(number);
  });
  return Napi::Number::New(env, number);
}

Napi::Value release_plan(const Napi::CallbackInfo& info) {
  if (const auto host = host_of(info))
    host->loop().release_plan(info[1].As<Napi::Number>().Uint32Value());
  return info.Env().Undefined();
}

}  // namespace

void export_content(Napi::Env env, Napi::Object exports) {
  exports.Set("definePlan", Napi::Function::New(env, define_plan));
  exports.Set("releasePlan", Napi::Function::New(env, release_plan));
}

}  // namespace postern
