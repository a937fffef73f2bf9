#pragma once
// Small things about text that all of this folder needs. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

namespace vigil::entities::comms {

std::string lower_ascii(std::string_view text);
// Lower case for ASCII and for the Latin letters of UTF-8 with two bytes (German, French...).
std::string lower_text(std::string_view text);
std::string_view trimmed(std::string_view text);
// At most so many bytes, never half a character.
std::string cut_text(std::string_view text, std::size_t bytes_max);
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace vigil::entities::comms
