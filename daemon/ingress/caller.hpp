#pragma once
// Who calls: the address of the other side, seen through a proxy on this machine. Pure; any thread.
#include <vector>

#include "config/settings.hpp"
#include "core/ip.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::ingress {

enum class Behind { nothing, proxy };

// The error names the source.
Result<std::vector<ip::Range>> open_allow(const config::Source& source,
                                          const config::Webhook& settings);
// Behind a proxy on this machine the caller is the last address that the proxy wrote down.
// Everybody may where no range is given.
bool may_call(const std::vector<ip::Range>& allow, Behind behind, const Request& request);

}  // namespace vigil::ingress
