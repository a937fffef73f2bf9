#pragma once
// What an agent may ask, as a server of the Model Context Protocol: JSON-RPC 2.0, one message a
// line (https://modelcontextprotocol.io/specification/2025-06-18/basic/transports, stdio). All
// tools only look: an agent approves nothing, and emits nothing. Pure but for the question to the
// daemon.
#include <functional>
#include <optional>

#include "ctl/client.hpp"

namespace vigil::ctl {

// GET of a target of the admin API.
using Ask = std::function<Result<Reply>(const std::string& target)>;

// The answer to one line; none: it was a notification, or an answer to us.
std::optional<json::value> mcp_answer(std::string_view line, const Ask& ask);

}  // namespace vigil::ctl
