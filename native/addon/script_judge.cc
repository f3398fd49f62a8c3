#include "addon/script_judge.h"

#include <string>

namespace postern {

namespace {

template <typename Element>
std::span<Element> span_of(const Napi::Object& buffers, const char* name) {
  const Napi::Value value = buffers.Get(name);
  if (!value.IsArrayBuffer()) return {};
  Napi::ArrayBuffer buffer = value.As<Napi::ArrayBuffer>();
  return {static_cast<Element*>(buffer.Data()), buffer.ByteLength() / sizeof(Element)};
}

}  // namespace

ScriptJudge::ScriptJudge(std::shared_ptr<PacketHost> host, const Napi::Object& buffers,
                         const Napi::Function& callback)
    : host_(std::move(host)),
      buffers_(Napi::Persistent(buffers)),
      callback_(Napi::Persistent(callback)) {}

SharedBuffers ScriptJudge::shared() const {
  const Napi::Object buffers = buffers_.Value();
  return {span_of<std::uint32_t>(buffers, "events"), span_of<std::byte>(buffers, "arena"),
          span_of<std::uint32_t>(buffers, "orders"), span_of<std::byte>(buffers, "orderArena")};
}

std::size_t ScriptJudge::judge(std::uint32_t events) noexcept {
  const Napi::Env env = callback_.Env();
  const Napi::HandleScope scope(env);
  const Napi::Value answer = callback_.Call({Napi::Number::New(env, events)});
  if (env.IsExceptionPending()) {
    const Napi::Error error = env.GetAndClearPendingException();
    host_->fail("the judge failed: " + error.Message());
    return kFailed;
  }
  if (answer.IsEmpty() || !answer.IsNumber()) {
    // The environment is being torn down, or the function answered nonsense.
    host_->fail("the judge did not answer");
    return kFailed;
  }
  const double words = answer.As<Napi::Number>().DoubleValue();
  return words >= 0 && words <= static_cast<double>(kOrderWordsMax)
             ? static_cast<std::size_t>(words)
             : kFailed;
}

}  // namespace postern
