#pragma once
// Listening sockets, made and named. Blocking calls that end at once. Private to ingress.
#include <string>

#include "core/error.hpp"

namespace vigil::ingress {

struct Listener {
  int fd = -1;     // non-blocking, close-on-exec; the caller's
  int port = 0;    // of TCP
  int family = 0;  // AF_INET, AF_INET6, AF_UNIX
};

Result<Listener> open_tcp(const std::string& address_and_port);
Result<Listener> open_unix(const std::string& path);
Result<Listener> adopt(int fd);

}  // namespace vigil::ingress
