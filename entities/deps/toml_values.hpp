#pragma once
// Texts out of a TOML document by dotted name, for readers that need no more than that.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::entities::deps {

class TomlValues {
 public:
  // Empty when it is not there, or no text. Dates are given as they are written.
  std::string text(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;

  std::map<std::string, std::vector<std::string>, std::less<>> all;
};

// The tables of a document one level deep. Errors begin with the line: "3: not TOML: ...".
Result<TomlValues> read_toml_values(std::string_view text);

}  // namespace vigil::entities::deps
