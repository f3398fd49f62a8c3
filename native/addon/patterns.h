#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "core/pattern_set.h"

namespace postern {

/// The functions of patterns in src/native/addon.ts.
void export_patterns(Napi::Env env, Napi::Object exports);

/// The set behind a number that compilePatterns answered, of whatever environment; null when there
/// is none. Who holds it goes on with it after its release.
[[nodiscard]] std::shared_ptr<const PatternSet> find_pattern_set(std::uint32_t handle);

}  // namespace postern
