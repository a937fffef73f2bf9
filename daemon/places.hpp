#pragma once
// Where things are kept, with the defaults applied: absolute paths.
#include <string>

#include "config/settings.hpp"

namespace vigil {

std::string state_dir_of(const config::Settings& settings);
std::string admin_socket_of(const config::Settings& settings);

}  // namespace vigil
