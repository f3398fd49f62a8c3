// The surface that src/native/addon.ts declares. Arguments were checked there; here they are only
// taken.
#include <napi.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "addon/content.h"
#include "addon/gate.h"
#include "addon/options.h"
#include "addon/patterns.h"
#include "addon/registry.h"
#include "addon/script_judge.h"
#include "io/datagram.h"
#include "io/queue_table.h"
#include "io/thread_rank.h"

namespace postern {
namespace {

/// What one environment serves. It goes with the environment: the hosts stay, without a judge, for
/// the next worker.
struct Environment {
  struct Service {
    std::shared_ptr<PacketHost> host;
    std::unique_ptr<ScriptJudge> judge;
  };
  std::vector<Service> services;

  ~Environment() {
    // The loop must not call a function of an environment that is gone.
    for (Service& service : services) service.host->loop().attach({}, nullptr);
  }
};

std::shared_ptr<PacketHost> host_of(const Napi::CallbackInfo& info) {
  std::shared_ptr<PacketHost> host =
      Registry::instance().find(info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : 0);
  if (host == nullptr) {
    Napi::Error::New(info.Env(), "no such packet host").ThrowAsJavaScriptException();
  }
  return host;
}

Napi::Value opened(const Napi::Env& env, PacketHost::Opening&& opening) {
  if (opening.host == nullptr) {
    Napi::Error::New(env, opening.error).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  return Napi::Number::New(env, Registry::instance().add(std::move(opening.host)));
}

Napi::Value open_queue(const Napi::CallbackInfo& info) {
  return opened(info.Env(), PacketHost::open_queue(read_host_options(info[0].As<Napi::Object>())));
}

Napi::Value open_capture(const Napi::CallbackInfo& info) {
  const std::string out =
      info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : std::string();
  return opened(info.Env(), PacketHost::open_capture(info[0].As<Napi::String>().Utf8Value(), out));
}

Napi::Value configure(const Napi::CallbackInfo& info) {
  if (const auto host = host_of(info))
    host->loop().configure(read_loop_options(info[1].As<Napi::Object>()));
  return info.Env().Undefined();
}

/// serve(handle, buffers, callback): whether sessions of an earlier worker were given up.
Napi::Value serve(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  auto judge =
      std::make_unique<ScriptJudge>(host, info[1].As<Napi::Object>(), info[2].As<Napi::Function>());
  host->loop().attach(judge->shared(), judge.get());
  const bool again = host->take_over();
  if (again) host->loop().abandon_sessions();
  info.Env().GetInstanceData<Environment>()->services.push_back({host, std::move(judge)});
  return Napi::Boolean::New(info.Env(), again);
}

Napi::Value run(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  const RunEnd end = host->run();
  if (end == RunEnd::failed) {
    Napi::Error::New(info.Env(), host->error()).ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  return Napi::String::New(info.Env(), end == RunEnd::ended ? "ended" : "woken");
}

Napi::Value apply_orders(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  const Napi::Uint32Array words = info[1].As<Napi::Uint32Array>();
  const bool good = host->loop().apply_orders({words.Data(), words.ElementLength()});
  return Napi::Boolean::New(info.Env(), good);
}

Napi::Value wake(const Napi::CallbackInfo& info) {
  if (const auto host = host_of(info)) host->wake();
  return info.Env().Undefined();
}

Napi::Value heartbeat_age_ms(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  return host == nullptr
             ? info.Env().Undefined()
             : Napi::Number::New(info.Env(), static_cast<double>(host->heartbeat_age_ms()));
}

Napi::Value close(const Napi::CallbackInfo& info) {
  if (const auto host = host_of(info)) {
    const std::string error = host->close();
    // A process that replays many captures would keep the buffers and hosts of all of them.
    host->loop().attach({}, nullptr);
    std::erase_if(info.Env().GetInstanceData<Environment>()->services,
                  [&host](const Environment::Service& service) { return service.host == host; });
    Registry::instance().remove(info[0].As<Napi::Number>().Uint32Value());
    if (!error.empty()) Napi::Error::New(info.Env(), error).ThrowAsJavaScriptException();
  }
  return info.Env().Undefined();
}

Napi::Value counter_names(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env(), kCounters);
  for (std::size_t i = 0; i < kCounters; ++i)
    names.Set(static_cast<std::uint32_t>(i), kCounterNames[i]);
  return names;
}

/// The counters in the order of their names.
Napi::Value counters(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  Napi::Float64Array values = Napi::Float64Array::New(info.Env(), kCounters);
  const Counters counted = host->loop().counters();
  for (std::size_t i = 0; i < kCounters; ++i) {
    values[i] = static_cast<double>(counted[static_cast<Counter>(i)]);
  }
  const SourceCounters& source = host->loop().source_counters();
  values[static_cast<std::size_t>(Counter::verdict_errors)] =
      static_cast<double>(source.verdict_errors);
  return values;
}

Napi::Buffer<std::uint8_t> address_of(const Napi::Env& env, const Endpoint& endpoint) {
  const std::size_t octets = endpoint.address.version == 4 ? 4 : 16;
  return Napi::Buffer<std::uint8_t>::Copy(
      env, reinterpret_cast<const std::uint8_t*>(endpoint.address.octets.data()), octets);
}

Napi::Object flow_object(const Napi::Env& env, PacketLoop& loop, std::uint32_t index) {
  const Flow& flow = loop.flow(index);
  const FlowKey& key = loop.table().key(index);
  const auto number = [&env](auto value) {
    return Napi::Number::New(env, static_cast<double>(value));
  };
  Napi::Object object = Napi::Object::New(env);
  object.Set("flow", number(index));
  object.Set("generation", number(loop.table().generation(index)));
  object.Set("protocol", number(static_cast<std::uint8_t>(flow.protocol)));
  object.Set("stage", number(static_cast<std::uint8_t>(flow.stage)));
  object.Set("initiatorAddress", address_of(env, key.initiator));
  object.Set("initiatorPort", number(key.initiator.port));
  object.Set("responderAddress", address_of(env, key.responder));
  object.Set("responderPort", number(key.responder.port));
  object.Set("initiatorBytes", number(flow.bytes[0]));
  object.Set("responderBytes", number(flow.bytes[1]));
  object.Set("createdMsAgo", number(loop.now_ms() - flow.created_ms));
  object.Set("lastHeardMsAgo", number(loop.now_ms() - flow.last_heard_ms));
  object.Set("offloaded", Napi::Boolean::New(env, flow.offload_mark != 0 && flow.offloaded != 0));
  object.Set("midstream", Napi::Boolean::New(env, flow.midstream));
  object.Set("initiatorPackets", number(flow.packets[0]));
  object.Set("responderPackets", number(flow.packets[1]));
  object.Set("altered", number(flow.altered));
  object.Set("inInterface", number(flow.in_interface));
  object.Set("outInterface", number(flow.out_interface));
  return object;
}

/// A session of UDP or ICMP. Only what is one is shown, not what passes uninspected.
Napi::Object datagram_object(const Napi::Env& env, const PacketLoop& loop, std::uint32_t index) {
  const DatagramSession& session = loop.datagrams().at(index);
  const DatagramEnds ends = loop.datagrams().ends(index);
  const bool icmp = is_icmp(ends.protocol);
  const auto number = [&env](auto value) {
    return Napi::Number::New(env, static_cast<double>(value));
  };
  Napi::Object object = Napi::Object::New(env);
  object.Set("flow", number(kDatagramFlowBase + index));
  object.Set("generation", number(loop.datagrams().generation(index)));
  const PortProtocol protocol = icmp ? PortProtocol::icmp : PortProtocol::udp;
  object.Set("protocol", number(static_cast<std::uint8_t>(protocol)));
  object.Set("stage", number(session.standing == DatagramStanding::open ? 1 : 0));
  object.Set("initiatorAddress", address_of(env, ends.source));
  object.Set("initiatorPort", number(ends.source.port));
  object.Set("responderAddress", address_of(env, ends.destination));
  object.Set("responderPort", number(icmp ? 0 : ends.destination.port));
  object.Set("initiatorBytes", number(session.bytes[0]));
  object.Set("responderBytes", number(session.bytes[1]));
  object.Set("createdMsAgo", number(loop.now_ms() - session.created_ms));
  object.Set("lastHeardMsAgo", number(loop.now_ms() - session.last_heard_ms));
  object.Set("offloaded", Napi::Boolean::New(env, false));
  object.Set("midstream", Napi::Boolean::New(env, false));
  object.Set("initiatorPackets", number(session.packets[0]));
  object.Set("responderPackets", number(session.packets[1]));
  object.Set("inInterface", number(session.in_interface));
  object.Set("outInterface", number(session.out_interface));
  return object;
}

/// flows(handle, from, most): at most that many flows from index `from` on; sessions of UDP and
/// ICMP stand behind those of TCP.
Napi::Value flows(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  PacketLoop& loop = host->loop();
  const std::uint32_t most = info[2].As<Napi::Number>().Uint32Value();
  Napi::Array list = Napi::Array::New(info.Env());
  const std::uint32_t from = info[1].As<Napi::Number>().Uint32Value();
  std::uint32_t count = 0;
  std::uint32_t index = loop.table().next_used(from);
  for (; index != kNoFlow && count < most; ++count) {
    list.Set(count, flow_object(info.Env(), loop, index));
    index = loop.table().next_used(index + 1);
  }
  index = loop.datagrams().next_session(std::max(from, kDatagramFlowBase) - kDatagramFlowBase);
  for (; index != kNoFlow && count < most; ++count) {
    list.Set(count, datagram_object(info.Env(), loop, index));
    index = loop.datagrams().next_session(index + 1);
  }
  return list;
}

Napi::Value kernel_drops(const Napi::CallbackInfo& info) {
  const auto drops =
      queue_drops(static_cast<std::uint16_t>(info[0].As<Napi::Number>().Uint32Value()));
  if (!drops) return info.Env().Null();
  const std::uint64_t sum = std::uint64_t{drops->queue_dropped} + drops->user_dropped;
  return Napi::Number::New(info.Env(), static_cast<double>(sum));
}

/// Who serves a queue, in words; null when nobody does.
Napi::Value queue_owner_text(const Napi::CallbackInfo& info) {
  const auto owner =
      queue_owner(static_cast<std::uint16_t>(info[0].As<Napi::Number>().Uint32Value()));
  return owner ? Napi::String::New(info.Env(), describe(*owner)) : info.Env().Null();
}

Napi::Value interface_name(const Napi::CallbackInfo& info) {
  std::array<char, IF_NAMESIZE> name{};
  const char* found = if_indextoname(info[0].As<Napi::Number>().Uint32Value(), name.data());
  return found == nullptr ? info.Env().Null() : Napi::String::New(info.Env(), found);
}

Napi::Value send_datagram_to(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const std::string text = info[1].As<Napi::String>().Utf8Value();
  const Outcome outcome = send_datagram(path, std::as_bytes(std::span(text)));
  if (!outcome.ok()) Napi::Error::New(info.Env(), outcome.error).ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

Napi::Value rank_worker_thread(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), name_of(rank_this_thread(kWorkerRank)));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  // Deleted with the environment, before its functions become invalid.
  env.SetInstanceData(new Environment());
  exports.Set("openQueue", Napi::Function::New(env, open_queue));
  exports.Set("openCapture", Napi::Function::New(env, open_capture));
  exports.Set("configure", Napi::Function::New(env, configure));
  exports.Set("serve", Napi::Function::New(env, serve));
  exports.Set("run", Napi::Function::New(env, run));
  exports.Set("applyOrders", Napi::Function::New(env, apply_orders));
  exports.Set("wake", Napi::Function::New(env, wake));
  exports.Set("heartbeatAgeMs", Napi::Function::New(env, heartbeat_age_ms));
  exports.Set("close", Napi::Function::New(env, close));
  exports.Set("counterNames", Napi::Function::New(env, counter_names));
  exports.Set("counters", Napi::Function::New(env, counters));
  exports.Set("flows", Napi::Function::New(env, flows));
  exports.Set("kernelDrops", Napi::Function::New(env, kernel_drops));
  exports.Set("queueOwner", Napi::Function::New(env, queue_owner_text));
  exports.Set("interfaceName", Napi::Function::New(env, interface_name));
  exports.Set("sendDatagram", Napi::Function::New(env, send_datagram_to));
  exports.Set("rankWorkerThread", Napi::Function::New(env, rank_worker_thread));
  export_gate(env, exports);
  export_content(env, exports);
  export_patterns(env, exports);
  return exports;
}

}  // namespace
}  // namespace postern

Napi::Object init_postern(Napi::Env env, Napi::Object exports) {
  return postern::init(env, exports);
}
NODE_API_MODULE(postern, init_postern)
