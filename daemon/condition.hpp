#pragma once
// How the daemon is, in one sentence for people: what the service manager shows as its status. Loop
// thread only.
#include <string>

#include "config/settings.hpp"
#include "daemon/app.hpp"
#include "daemon/runtime/runtime.hpp"
#include "storage/writer.hpp"

namespace vigil {

std::string condition_of(const config::Settings& settings, const AppOptions& options,
                         runtime::Runtime& runtime, const storage::Writer& writer);

}  // namespace vigil
