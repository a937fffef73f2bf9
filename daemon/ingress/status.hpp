#pragma once
// Words of HTTP answers. Pure; any thread.
#include <string>
#include <string_view>

#include "daemon/ingress/http_server.hpp"

namespace vigil::ingress {

std::string_view reason_of(int status);
// RFC 9110, 5.6.7: Sun, 06 Nov 1994 08:49:37 GMT
std::string http_date(TimePoint at);
// Adds a line to an answer's head. Whatever a handler puts into it, it stays one line.
void add_field(std::string& head, std::string_view name, std::string_view value);
// {"error": what is wrong, "hint": what to do next}
Response error_response(int status, std::string_view error, std::string_view hint);
Response busy_response(std::string_view error);  // 503 with Retry-After
// The first two steps of a path, for the log: what follows them may be a secret. Of a ping, whose
// second step is one, the first.
std::string_view place_for_log(std::string_view path);

}  // namespace vigil::ingress
