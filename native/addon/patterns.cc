// Sets of patterns as JavaScript sees them: compiled on a thread of libuv's pool, away from both
// the packet path and the main thread, and known to all environments of the process by a number.
#include "addon/patterns.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/pattern_set_scan.h"

namespace postern {
namespace {

class PatternSets {
 public:
  static PatternSets& instance() {
    static PatternSets sets;
    return sets;
  }
  std::uint32_t add(std::shared_ptr<const PatternSet> set) {
    const std::lock_guard lock(mutex_);
    sets_.emplace(++last_, std::move(set));
    return last_;
  }
  std::shared_ptr<const PatternSet> find(std::uint32_t handle) {
    const std::lock_guard lock(mutex_);
    const auto found = sets_.find(handle);
    return found == sets_.end() ? nullptr : found->second;
  }
  void remove(std::uint32_t handle) {
    const std::lock_guard lock(mutex_);
    sets_.erase(handle);
  }

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<const PatternSet>> sets_;
  std::uint32_t last_ = 0;
};

/// A string whose characters are octets; the index of the first that is none, or its length.
std::size_t read_octets(const Napi::Value& value, std::string& to) {
  const std::u16string text = value.As<Napi::String>().Utf16Value();
  const auto wide = std::ranges::find_if(text, [](char16_t c) { return c > 0xFF; });
  std::transform(text.begin(), wide, std::back_inserter(to),
                 [](char16_t c) { return static_cast<char>(c); });
  return to.size() == text.size() ? std::string::npos : to.size();
}

PatternPlace place_of(const Napi::Value& value) {
  const std::string name = value.As<Napi::String>().Utf8Value();
  if (name == "body") return PatternPlace::body;
  return name == "line" ? PatternPlace::line : PatternPlace::field;
}

Napi::Value number_or_null(const Napi::Env& env, std::size_t value, std::size_t none) {
  return value == none ? env.Null() : Napi::Number::New(env, static_cast<double>(value));
}

Napi::Value error_value(const Napi::Env& env, const PatternError& error) {
  const Napi::Error refusal = Napi::Error::New(env, error.message);
  Napi::Object object = refusal.Value();
  object.Set("index", number_or_null(env, error.index, kNoPattern));
  object.Set("column", number_or_null(env, error.column, kNoColumn));
  return object;
}

class Compilation final : public Napi::AsyncWorker {
 public:
  Compilation(Napi::Env env, PatternPlace place) : AsyncWorker(env), deferred_(env) {
    options_.place = place;
  }
  [[nodiscard]] Napi::Promise promise() const { return deferred_.Promise(); }

  /// Takes over what JavaScript says; false, with the error, where it is no text of octets.
  [[nodiscard]] bool read(const Napi::Array& list) {
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
      const Napi::Object object = list.Get(i).As<Napi::Object>();
      const Napi::Value id = object.Get("id");
      Pattern pattern{id.IsNumber() ? id.As<Napi::Number>().Uint32Value() : i,
                      {},
                      object.Get("caseless").ToBoolean().Value()};
      const std::size_t wide = read_octets(object.Get("expression"), pattern.expression);
      patterns_.push_back(std::move(pattern));
      if (wide == std::string::npos) continue;
      result_.error = {i, "A character is written as the octets of its character set", wide};
      return false;
    }
    return true;
  }
  void refuse() { deferred_.Reject(error_value(Env(), result_.error)); }

 protected:
  void Execute() override { result_ = PatternSet::compile(patterns_, options_); }
  void OnOK() override {
    if (result_.set == nullptr) return refuse();
    deferred_.Resolve(
        Napi::Number::New(Env(), PatternSets::instance().add(std::move(result_.set))));
  }

 private:
  Napi::Promise::Deferred deferred_;
  PatternSetOptions options_;
  std::vector<Pattern> patterns_;
  PatternSet::Result result_;
};

/// compilePatterns(patterns, place): a promise of a number.
Napi::Value compile_patterns(const Napi::CallbackInfo& info) {
  auto compilation = std::make_unique<Compilation>(info.Env(), place_of(info[1]));
  const Napi::Promise promise = compilation->promise();
  if (compilation->read(info[0].As<Napi::Array>())) {
    compilation.release()->Queue();  // deletes itself
  } else {
    compilation->refuse();
  }
  return promise;
}

ScanEnd scan_once(const std::shared_ptr<const PatternSet>& set, std::span<const std::byte> text,
                  PatternMatches& matches) {
  PatternScratch scratch;
  if (!scratch.prepare(*set)) return ScanEnd::failed;
  if (set->place() != PatternPlace::body) return scratch.scan(*set, text, matches);
  PatternStreams streams(set, 1);
  const std::uint32_t stream = streams.open();
  if (stream == kNoPatternStream) return ScanEnd::failed;
  const ScanEnd end = streams.scan(stream, text, scratch, matches);
  const ScanEnd last = streams.close(stream, scratch, matches);
  return end == ScanEnd::done ? last : end;
}

/// The ids found, rising, each once.
Napi::Value id_list(const Napi::Env& env, std::span<const PatternMatch> found) {
  std::vector<std::uint32_t> ids;
  ids.reserve(found.size());
  for (const PatternMatch& match : found) ids.push_back(match.id);
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
  Napi::Array list = Napi::Array::New(env, ids.size());
  for (std::uint32_t i = 0; i < ids.size(); ++i) list.Set(i, Napi::Number::New(env, ids[i]));
  return list;
}

/// matchOnce(set, text): the ids of the patterns found.
Napi::Value match_once(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto fail = [&env](const char* why) {
    Napi::Error::New(env, why).ThrowAsJavaScriptException();
    return env.Undefined();
  };
  const auto set = find_pattern_set(info[0].As<Napi::Number>().Uint32Value());
  if (set == nullptr) return fail("no such patterns");
  std::string text;
  if (read_octets(info[1], text) != std::string::npos) return fail("the text is not of octets");
  std::vector<PatternMatch> room(set->patterns());
  PatternMatches matches(room);
  if (scan_once(set, std::as_bytes(std::span(text)), matches) != ScanEnd::done) {
    return fail("the pattern engine failed");
  }
  return id_list(env, matches.found());
}

/// A set as one thread holds it: freed with the object that JavaScript has.
struct SetInUse {
  std::shared_ptr<const PatternSet> set;
  std::vector<PatternMatch> room;
};

constexpr napi_type_tag kSetInUseTag{0x7a1f'5b0e'93c4'4d21, 0x8e66'04d2'b9a7'31f5};

/// Of this thread, for all sets it uses.
PatternScratch& thread_scratch() {
  thread_local PatternScratch scratch;
  return scratch;
}

/// usePatterns(set): the object by which this thread matches.
Napi::Value use_patterns(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto fail = [&env](const char* why) {
    Napi::Error::New(env, why).ThrowAsJavaScriptException();
    return env.Undefined();
  };
  auto set = find_pattern_set(info[0].As<Napi::Number>().Uint32Value());
  if (set == nullptr) return fail("no such patterns");
  if (set->place() == PatternPlace::body) return fail("patterns of bodies match no text alone");
  if (!thread_scratch().prepare(*set)) return fail("no memory for the patterns");
  const std::size_t patterns = set->patterns();
  auto in_use =
      std::make_unique<SetInUse>(SetInUse{std::move(set), std::vector<PatternMatch>(patterns)});
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", "patterns");
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<SetInUse*>(data); };
  const napi_status wrapped = napi_wrap(env, object, in_use.get(), finalize, nullptr, nullptr);
  if (wrapped != napi_ok) return fail("the patterns cannot be held");
  static_cast<void>(in_use.release());  // the object's from now on
  if (napi_type_tag_object(env, object, &kSetInUseTag) != napi_ok)
    return fail("the patterns cannot be held");
  return object;
}

/// The set behind an object of usePatterns; null for any other value.
SetInUse* set_in_use(const Napi::Env& env, const Napi::Value& value) {
  bool ours = false;
  void* data = nullptr;
  if (!value.IsObject()) return nullptr;
  if (napi_check_object_type_tag(env, value, &kSetInUseTag, &ours) != napi_ok || !ours)
    return nullptr;
  return napi_unwrap(env, value, &data) == napi_ok ? static_cast<SetInUse*>(data) : nullptr;
}

/// matchText(patterns, text): the ids of the patterns found. On the packet path.
Napi::Value match_text(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto fail = [&env](const char* why) {
    Napi::Error::New(env, why).ThrowAsJavaScriptException();
    return env.Undefined();
  };
  SetInUse* const in_use = set_in_use(env, info[0]);
  if (in_use == nullptr) return fail("these are no patterns");
  std::string text;
  if (read_octets(info[1], text) != std::string::npos) return fail("the text is not of octets");
  PatternMatches matches(in_use->room);
  const auto octets = std::as_bytes(std::span(text));
  if (thread_scratch().scan(*in_use->set, octets, matches) != ScanEnd::done)
    return fail("the pattern engine failed");
  return id_list(env, matches.found());
}

Napi::Value release_patterns(const Napi::CallbackInfo& info) {
  PatternSets::instance().remove(info[0].As<Napi::Number>().Uint32Value());
  return info.Env().Undefined();
}

}  // namespace

std::shared_ptr<const PatternSet> find_pattern_set(std::uint32_t handle) {
  return PatternSets::instance().find(handle);
}

void export_patterns(Napi::Env env, Napi::Object exports) {
  exports.Set("compilePatterns", Napi::Function::New(env, compile_patterns));
  exports.Set("matchOnce", Napi::Function::New(env, match_once));
  exports.Set("usePatterns", Napi::Function::New(env, use_patterns));
  exports.Set("matchText", Napi::Function::New(env, match_text));
  exports.Set("releasePatterns", Napi::Function::New(env, release_patterns));
}

}  // namespace postern
