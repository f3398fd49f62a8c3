#pragma once

#include <napi.h>

namespace postern {

/// The functions of content plans in src/native/addon.ts.
void export_content(Napi::Env env, Napi::Object exports);

}  // namespace postern
