#pragma once
// Which redirects a request follows. Pure.
#include <optional>
#include <string>

#include "daemon/http/client.hpp"

namespace vigil::http {

constexpr int redirects_max = 3;

// Where the answer sends the request, if it keeps its meaning there and stays on the same server:
// same scheme, host and port, and 307 or 308 unless it is a GET.
std::optional<std::string> redirect_of(const Request& request, const Answer& answer);

}  // namespace vigil::http
