#pragma once

#include <napi.h>

#include "engine/gate_host.h"
#include "engine/packet_host.h"

namespace postern {

/// Reads what src/native/addon.ts declares as HostOptions, LoopOptions, GateOptions and
/// GateLimits. TypeScript has checked the values; what is missing keeps its default.
[[nodiscard]] HostOptions read_host_options(const Napi::Object& object);
[[nodiscard]] GateHostOptions read_gate_options(const Napi::Object& object);
[[nodiscard]] GateLimits read_gate_limits(const Napi::Object& object);
[[nodiscard]] LoopOptions read_loop_options(const Napi::Object& object);

}  // namespace postern
