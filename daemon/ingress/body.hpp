#pragma once
// The body of a webhook as JSON. Pure; any thread.
#include "config/settings.hpp"
#include "core/json.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::ingress {

struct Body {
  std::string text;  // JSON, as it came where it came as JSON
  json::value data;
};
// JSON, a form (GitHub's and Slack's "payload", else its fields) and, from senders that send it,
// plain text. Errors: invalid_input (not JSON, not UTF-8, too deep), too_large never. `unsupported`
// is set when the content type is not one of these.
Result<Body> read_body(config::Scheme scheme, Request& request, bool& unsupported);

}  // namespace vigil::ingress
