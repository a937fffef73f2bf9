#pragma once
// Secrets that a program of the administrator's gets, each in a variable of its environment that
// the configuration names. Reads files; any thread.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/secret.hpp"

namespace vigil::config {

// The error names the variable.
Result<std::vector<std::pair<std::string, std::string>>> read_granted(
    const std::map<std::string, SecretRef>& secrets);

}  // namespace vigil::config
