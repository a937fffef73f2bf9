#pragma once
// A small file that is there whole or as it was before, 0600, also after a power cut. Blocks.
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil {

Result<void> write_whole(const std::string& path, std::string_view text);

}  // namespace vigil
