#pragma once
// Raising what a manifest asks for, as a person would write it: the same operator, a later version.
// Pure; any thread.
#include <optional>
#include <string>
#include <string_view>

namespace vigil::entities::deps {

enum class Manner { npm, cargo, gem, composer, python };

// Whether the requirement takes the version; nothing when it is none we understand.
std::optional<bool> takes(Manner manner, std::string_view requirement, std::string_view version);

// The requirement that takes `version`: itself when it does already. Nothing when it is not of one
// operator and one version, which only a person can raise.
std::optional<std::string> raised(Manner manner, std::string_view requirement,
                                  std::string_view version);

}  // namespace vigil::entities::deps
