#pragma once
// The strict head gate: the only parser of HTTP in the daemon. Reads one request head (RFC 9112)
// out of what has arrived, or says why not. What two readers could read differently is refused:
// bare CR or LF, folded lines, two lengths, spaces before a colon, Transfer-Encoding. Pure; any
// thread.
#include <string_view>

#include "daemon/ingress/http_server.hpp"

namespace vigil::ingress {

struct GateLimits {
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t line_bytes_max = 8 * 1024;
  int fields_max = 64;
};

struct GateAnswer {
  enum class Kind { need_more, head, refuse };
  Kind kind = Kind::need_more;
  // head:
  std::size_t head_bytes = 0;  // the request line, the fields and the empty line
  Request request;             // without body and peer
  std::size_t content_length = 0;
  int minor = 1;  // of HTTP/1.x
  bool keep_alive = true;
  bool expects_continue = false;
  // refuse: the connection must be closed after the answer
  int status = 400;
  std::string_view why;
};

GateAnswer read_head(std::string_view bytes, const GateLimits& limits);

}  // namespace vigil::ingress
