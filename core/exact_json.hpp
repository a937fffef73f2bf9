#pragma once
// JSON whose numbers keep what was written: "0.10000000000000001" is no binary fraction here, and
// a trade's number beyond 2^53 is itself. Pure; any thread.
#include <string>
#include <string_view>

#include "core/json.hpp"

namespace vigil {

// The same document with every number as a text of its characters. What is no JSON stays none.
std::string with_numbers_as_text(std::string_view document);
// Of what it gives every number is a string. Errors: as of parse_json.
Result<json::value> parse_exact_json(std::string_view text);

}  // namespace vigil
