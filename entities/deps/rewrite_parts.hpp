#pragma once
// What the rewriters share. For rewrite_*.cpp alone.
#include <functional>
#include <string>
#include <string_view>

#include "entities/deps/rewrite_file.hpp"
#include "entities/deps/rewrite_requirement.hpp"

namespace vigil::entities::deps {

Raised absent();
Raised fine();
Raised edited(std::string text);
Raised for_tool(std::string why);
Raised for_person(std::string why);

// Replaces `was` at the given place of the text.
std::string spliced(std::string_view text, std::size_t at, std::size_t size, std::string_view by);

// Calls `edit` for every line, without its line end; what it answers stands in its place.
std::string by_line(std::string_view text,
                    const std::function<std::string(std::string_view)>& edit);

// Raises the requirement that is text[at, at + size).
Raised raise_requirement(std::string_view text, std::size_t at, std::size_t size, Manner manner,
                         const Raise& raise);

Raised raise_in_json(std::string_view text, Manner manner, const Raise& raise);
Raised raise_in_toml(std::string_view text, Manner manner, const Raise& raise);
Raised raise_in_gemfile(std::string_view text, const Raise& raise);
Raised raise_in_pom(std::string_view text, const Raise& raise);
Raised raise_in_requirements(std::string_view text, const Raise& raise);
Raised raise_in_go_mod(std::string_view text, const Raise& raise);
Raised raise_in_gemfile_lock(std::string_view text, const Raise& raise);
Raised raise_in_gradle_lock(std::string_view text, const Raise& raise);

}  // namespace vigil::entities::deps
