#pragma once
// Documents of linters and scanners: JSON and XML of a known shape. Private to this folder.
#include <optional>
#include <string_view>
#include <vector>

#include "entities/ci/issue.hpp"

namespace vigil::entities::ci {

// Nothing: it is no document of a shape that is known here.
std::optional<std::vector<Issue>> issues_of_document(std::string_view text);

std::optional<std::vector<Issue>> issues_of_xml(std::string_view text);

// A line of JSON that a tool writes for each message, such as cargo's. Nothing: it is none. An
// empty inner value: it is one, and says nothing wrong.
std::optional<std::optional<Issue>> issue_of_json_line(std::string_view line);

}  // namespace vigil::entities::ci
