// The gate as JavaScript's main thread sees it. Arguments were checked there; here they are only
// taken.
#include "addon/gate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <string>

#include "addon/options.h"
#include "engine/gate_host.h"
#include "engine/packet_host.h"

namespace postern {
namespace {

/// The gates of this process by number. Packet hosts that share one keep it alive after its thread
/// is gone.
class Gates {
 public:
  static Gates& instance() {
    static Gates gates;
    return gates;
  }
  std::uint32_t add(std::unique_ptr<GateHost> host) {
    const std::lock_guard lock(mutex_);
    hosts_.emplace(++last_, std::move(host));
    return last_;
  }
  std::shared_ptr<GateHost> find(std::uint32_t handle) {
    const std::lock_guard lock(mutex_);
    const auto found = hosts_.find(handle);
    return found == hosts_.end() ? nullptr : found->second;
  }
  void remove(std::uint32_t handle) {
    const std::lock_guard lock(mutex_);
    hosts_.erase(handle);
  }

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<GateHost>> hosts_;
  std::uint32_t last_ = 0;
};

std::shared_ptr<GateHost> host_of(const Napi::CallbackInfo& info) {
  std::shared_ptr<GateHost> host =
      Gates::instance().find(info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : 0);
  if (host == nullptr) Napi::Error::New(info.Env(), "no such gate").ThrowAsJavaScriptException();
  return host;
}

Napi::Number number(const Napi::Env& env, auto value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

std::size_t octets_of(const Address& address) {
  return address.version == 4 ? 4 : 16;
}

Napi::Buffer<std::uint8_t> octets(const Napi::Env& env, const Address& address) {
  return Napi::Buffer<std::uint8_t>::Copy(
      env, reinterpret_cast<const std::uint8_t*>(address.octets.data()), octets_of(address));
}

Address address_at(const Napi::Value& value) {
  const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  Address address;
  address.version = array.ElementLength() == 4 ? 4 : 6;
  const std::size_t count = std::min(array.ElementLength(), address.octets.size());
  std::transform(array.Data(), array.Data() + count, address.octets.begin(),
                 [](std::uint8_t octet) { return std::byte{octet}; });
  return address;
}

Napi::Value open_gate(const Napi::CallbackInfo& info) {
  GateHost::Opening opening = GateHost::open(read_gate_options(info[0].As<Napi::Object>()));
  if (opening.host == nullptr) {
    Napi::Error::New(info.Env(), opening.error).ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  return number(info.Env(), Gates::instance().add(std::move(opening.host)));
}

Napi::Value configure_gate(const Napi::CallbackInfo& info) {
  if (const auto host = host_of(info)) {
    host->configure(read_gate_limits(info[1].As<Napi::Object>()));
  }
  return info.Env().Undefined();
}

Napi::Object drop_object(const Napi::Env& env, const GateDrop& drop) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("protocol", number(env, drop.protocol));
  object.Set("passed", Napi::Boolean::New(env, drop.passed));
  object.Set("inInterface", number(env, drop.in_interface));
  object.Set("outInterface", number(env, drop.out_interface));
  object.Set("sourceAddress", octets(env, drop.source.address));
  object.Set("sourcePort", number(env, drop.source.port));
  object.Set("destinationAddress", octets(env, drop.destination.address));
  object.Set("destinationPort", number(env, drop.destination.port));
  object.Set("ipIdent", number(env, drop.ip_ident));
  object.Set("flags", number(env, drop.flags));
  object.Set("sequence", number(env, drop.sequence));
  object.Set("acknowledgement", number(env, drop.acknowledgement));
  object.Set("counter", number(env, static_cast<std::uint8_t>(drop.reason)));
  return object;
}

Napi::Value sample_gate(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  const Napi::Env env = info.Env();
  if (host->failed()) {
    Napi::Error::New(env, host->error()).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const GateSample sample = host->gate()->sample();
  Napi::Array hosts = Napi::Array::New(env, sample.hosts.size());
  for (std::uint32_t i = 0; i < sample.hosts.size(); ++i) {
    Napi::Object report = Napi::Object::New(env);
    report.Set("address", octets(env, sample.hosts[i].address));
    report.Set("halfOpen", number(env, sample.hosts[i].half_open));
    hosts.Set(i, report);
  }
  Napi::Array drops = Napi::Array::New(env, sample.drops.size());
  for (std::uint32_t i = 0; i < sample.drops.size(); ++i) {
    drops.Set(i, drop_object(env, sample.drops[i]));
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("halfOpen", number(env, sample.half_open));
  object.Set("halfOpenPeak", number(env, sample.half_open_peak));
  object.Set("attempts", number(env, sample.attempts));
  object.Set("hosts", hosts);
  object.Set("drops", drops);
  return object;
}

/// The counters in the order of their names.
Napi::Value gate_counters(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  const Counters counted = host->gate()->counters();
  Napi::Float64Array values = Napi::Float64Array::New(info.Env(), kCounters);
  for (std::size_t i = 0; i < kCounters; ++i) {
    values[i] = static_cast<double>(counted[static_cast<Counter>(i)]);
  }
  return values;
}

Napi::Value block_host(const Napi::CallbackInfo& info) {
  if (const auto host = host_of(info)) host->block(address_at(info[1]));
  return info.Env().Undefined();
}

Napi::Value unblock_host(const Napi::CallbackInfo& info) {
  if (const auto host = host_of(info)) host->gate()->unblock(address_at(info[1]));
  return info.Env().Undefined();
}

Napi::Object entry_object(const Napi::Env& env, const HalfOpen& entry, std::int64_t now_ms) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("entry", number(env, entry.index));
  object.Set("generation", number(env, entry.generation));
  object.Set("initiatorAddress", octets(env, entry.key.initiator.address));
  object.Set("initiatorPort", number(env, entry.key.initiator.port));
  object.Set("responderAddress", octets(env, entry.key.responder.address));
  object.Set("responderPort", number(env, entry.key.responder.port));
  object.Set("answered", Napi::Boolean::New(env, entry.answered));
  object.Set("createdMsAgo", number(env, std::max<std::int64_t>(now_ms - entry.created_ms, 0)));
  return object;
}

/// halfOpen(gate, from, most): at most that many entries from index `from` on.
Napi::Value half_open(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  const std::vector<HalfOpen> entries = host->gate()->entries(
      info[1].As<Napi::Number>().Uint32Value(), info[2].As<Napi::Number>().Uint32Value());
  const std::int64_t now_ms = monotonic_ms();
  Napi::Array list = Napi::Array::New(info.Env(), entries.size());
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    list.Set(i, entry_object(info.Env(), entries[i], now_ms));
  }
  return list;
}

/// clearHalfOpen(gate, entry, generation): entry -1, read as 32 bits, is kNoEntry.
Napi::Value clear_half_open(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  const std::int64_t entry = info[1].As<Napi::Number>().Int64Value();
  const std::uint32_t index = entry < 0 ? kNoEntry : static_cast<std::uint32_t>(entry);
  return number(info.Env(), host->clear(index, info[2].As<Napi::Number>().Uint32Value()));
}

Napi::Value gate_rank(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  return Napi::String::New(info.Env(), name_of(host->rank()));
}

Napi::Value gate_heartbeat_age_ms(const Napi::CallbackInfo& info) {
  const auto host = host_of(info);
  if (host == nullptr) return info.Env().Undefined();
  return number(info.Env(), host->heartbeat_age_ms());
}

Napi::Value close_gate(const Napi::CallbackInfo& info) {
  if (host_of(info) != nullptr) {
    Gates::instance().remove(info[0].As<Napi::Number>().Uint32Value());
  }
  return info.Env().Undefined();
}

}  // namespace

std::shared_ptr<Gate> find_gate(std::uint32_t handle) {
  const std::shared_ptr<GateHost> host = Gates::instance().find(handle);
  return host == nullptr ? nullptr : host->gate();
}

void export_gate(Napi::Env env, Napi::Object exports) {
  exports.Set("openGate", Napi::Function::New(env, open_gate));
  exports.Set("configureGate", Napi::Function::New(env, configure_gate));
  exports.Set("sampleGate", Napi::Function::New(env, sample_gate));
  exports.Set("gateCounters", Napi::Function::New(env, gate_counters));
  exports.Set("blockHost", Napi::Function::New(env, block_host));
  exports.Set("unblockHost", Napi::Function::New(env, unblock_host));
  exports.Set("halfOpen", Napi::Function::New(env, half_open));
  exports.Set("clearHalfOpen", Napi::Function::New(env, clear_half_open));
  exports.Set("gateRank", Napi::Function::New(env, gate_rank));
  exports.Set("gateHeartbeatAgeMs", Napi::Function::New(env, gate_heartbeat_age_ms));
  exports.Set("closeGate", Napi::Function::New(env, close_gate));
}

}  // namespace postern
