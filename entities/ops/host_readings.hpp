#pragma once
// vigil-task ops.host: pressure, load, memory, disks, files and units of a machine. Blocking.
#include "entities/analyser.hpp"

namespace vigil::entities::ops {

// What is not there (pressure in a container, systemd) is a problem of the result, not an error.
Result<json::value> run_host(const Request& request);

}  // namespace vigil::entities::ops
