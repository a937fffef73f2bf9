#pragma once
// Bytes at rest, made smaller where that helps: payloads and reports are most of what the disk
// holds. Pure; any thread.
#include <string>
#include <string_view>

namespace vigil::storage {

// One byte that says how, then the bytes as they are or as a zstd frame.
std::string pack(std::string_view bytes);
// Throws std::runtime_error when they were not packed by pack().
std::string unpack(std::string_view packed);

}  // namespace vigil::storage
