#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "engine/gate.h"

namespace postern {

/// The functions of the gate in src/native/addon.ts.
void export_gate(Napi::Env env, Napi::Object exports);

/// The gate behind a number that openGate answered; null when there is none.
[[nodiscard]] std::shared_ptr<Gate> find_gate(std::uint32_t handle);

}  // namespace postern
