#pragma once
// Patterns of addresses and folders. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

namespace vigil::mail {

// `*` stands for any run of characters; letters of ASCII: case is nothing.
bool fits_pattern(std::string_view pattern, std::string_view text);
bool fits_any(const std::vector<std::string>& patterns, std::string_view text);

}  // namespace vigil::mail
