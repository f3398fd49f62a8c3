#include "addon/options.h"

#include "addon/gate.h"

namespace postern {

namespace {

template <typename Number>
void read(const Napi::Object& object, const char* name, Number& into) {
  const Napi::Value value = object.Get(name);
  if (value.IsNumber()) into = static_cast<Number>(value.As<Napi::Number>().DoubleValue());
}

void read(const Napi::Object& object, const char* name, bool& into) {
  const Napi::Value value = object.Get(name);
  if (value.IsBoolean()) into = value.As<Napi::Boolean>().Value();
}

void read(const Napi::Object& object, NfqueueOptions& queue) {
  read(object, "queue", queue.queue);
  read(object, "lengthMaxPackets", queue.length_max_packets);
  read(object, "failOpen", queue.fail_open);
  read(object, "socketBufferBytes", queue.socket_buffer_bytes);
}

/// `Infinity` is unlimited.
void read_maximum(const Napi::Object& object, const char* name, std::uint32_t& into) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) return;
  const double number = value.As<Napi::Number>().DoubleValue();
  into = number >= 0 && number < GateLimits::kUnlimited ? static_cast<std::uint32_t>(number)
                                                        : GateLimits::kUnlimited;
}

}  // namespace

HostOptions read_host_options(const Napi::Object& object) {
  HostOptions options;
  read(object, options.queue);
  read(object, "injectMark", options.inject_mark);
  read(object, "flowsMax", options.flows_max);
  read(object, "chunksMax", options.chunks_max);
  std::uint32_t gate = 0;
  read(object, "gate", gate);
  options.gate = find_gate(gate);
  return options;
}

GateHostOptions read_gate_options(const Napi::Object& object) {
  GateHostOptions options;
  read(object, options.queue);
  read(object, "injectMark", options.inject_mark);
  read(object, "zoneDropMark", options.zone_marks.drop);
  read(object, "zonePassMark", options.zone_marks.pass);
  read(object, "zoneMarkMask", options.zone_marks.mask);
  read(object, "entriesMax", options.entries_max);
  read(object, "hostsMax", options.hosts_max);
  return options;
}

GateLimits read_gate_limits(const Napi::Object& object) {
  GateLimits limits;
  read_maximum(object, "halfOpenMax", limits.half_open_max);
  read_maximum(object, "hostHalfOpenMax", limits.host_half_open_max);
  read(object, "aggressive", limits.aggressive);
  read(object, "synwaitMs", limits.synwait_ms);
  read(object, "resetOnExpiry", limits.reset_on_expiry);
  read(object, "windowScaleLoose", limits.window_scale_loose);
  read(object, "reportDrops", limits.report_drops);
  read(object, "markSession", limits.mark_session);
  return limits;
}

LoopOptions read_loop_options(const Napi::Object& object) {
  LoopOptions options;
  read(object, "outOfOrderMax", options.out_of_order_max);
  read(object, "outOfOrderBytesMax", options.out_of_order_bytes_max);
  read(object, "reassemblyTimeoutMs", options.reassembly_timeout_ms);
  read(object, "synwaitMs", options.synwait_ms);
  read(object, "finwaitMs", options.finwait_ms);
  read(object, "idleMs", options.idle_ms);
  read(object, "heldMs", options.held_ms);
  read(object, "failOpen", options.fail_open);
  read(object, "offload", options.offload);
  read(object, "windowScaleLoose", options.window_scale_loose);
  read(object, "reportDrops", options.report_drops);
  read(object, "genericTcp", options.generic_tcp);
  read(object, "idleReset", options.idle_reset);
  read(object, "halfCloseReset", options.half_close_reset);
  read(object, "blockNonSession", options.block_non_session);
  read(object, "reassemblyAlarm", options.reassembly_alarm);
  read(object, "genericUdp", options.generic_udp);
  read(object, "genericIcmp", options.generic_icmp);
  read(object, "udpIdleMs", options.udp_idle_ms);
  read(object, "icmpIdleMs", options.icmp_idle_ms);
  read(object, "dnsTimeoutMs", options.dns_timeout_ms);
  read(object, "markSession", options.mark_session);
  read(object, "markOffloadBoth", options.mark_offload_both);
  read(object, "markOffloadResponder", options.mark_offload_responder);
  read(object, "markClear", options.mark_clear);
  const Napi::Value ports = object.Get("ports");
  if (ports.IsTypedArray() && ports.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    const Napi::Uint8Array protocols = ports.As<Napi::Uint8Array>();
    for (std::size_t port = 0; port < options.ports.size() && port < protocols.ElementLength();
         ++port) {
      const std::uint8_t protocol = protocols[port];
      if (protocol <= static_cast<std::uint8_t>(PortProtocol::imaps)) {
        options.ports[port] = static_cast<PortProtocol>(protocol);
      }
    }
  }
  return options;
}

}  // namespace postern
