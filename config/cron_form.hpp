#pragma once
// Does a text look like a cron expression? Only its form is checked here; when it fires is the
// business of daemon/ingress.
#include <optional>
#include <string>
#include <string_view>

namespace vigil::config {

// Which field is wrong and what it may hold, or nothing.
std::optional<std::string> why_not_cron(std::string_view text);

}  // namespace vigil::config
