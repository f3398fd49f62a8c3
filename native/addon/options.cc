#include "addon/options.h"

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

}  // namespace

HostOptions read_host_options(const Napi::Object& object) {
  HostOptions options;
  read(object, "queue", options.queue.queue);
  read(object, "lengthMaxPackets", options.queue.length_max_packets);
  read(object, "failOpen", options.queue.fail_open);
  read(object, "socketBufferBytes", options.queue.socket_buffer_bytes);
  read(object, "injectMark", options.inject_mark);
  read(object, "flowsMax", options.flows_max);
  read(object, "chunksMax", options.chunks_max);
  return options;
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
