#pragma once
// The rules across keys that concern one source that looks for itself. Pure.
#include <string>

#include "config/validate_entity.hpp"

namespace vigil::config {

void check_hearing(const std::string& key, const Source& source, Violations& found);

}  // namespace vigil::config
