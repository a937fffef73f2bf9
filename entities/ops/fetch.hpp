#pragma once
// Asks servers over the network, several side by side, and measures how they answer: libcurl.
// Blocking; for vigil-task, in a sandbox with a network. The daemon's own client is daemon/http.
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::entities::ops {

struct Ask {
  std::string url;                   // http, https
  bool only_connect = false;         // TCP and, for https, TLS; no request
  bool follow = true;                // redirects, at most 5, to public addresses only
  std::vector<std::string> headers;  // "Accept: text/plain"
  std::string ca_file;               // whom to trust beside the system's; empty: the system's
  Duration timeout = std::chrono::seconds{10};
  std::size_t bytes_max = 1024 * 1024;  // of the body; what is more is not read
};

struct Told {
  std::string error;        // why there is no answer; empty: there is one
  bool distrusted = false;  // it is the certificate
  int status = 0;
  std::string content_type;
  std::string body;
  bool cut = false;
  std::string address;  // that was connected to
  Duration look_up{0};  // each from the beginning on
  Duration connected{0};
  Duration secured{0};  // TLS is agreed; 0 without
  Duration first_byte{0};
  Duration whole{0};
  std::optional<TimePoint> certificate_until;  // the server's own
  std::string certificate_subject;
};

// In the order of `all`, at most 16 at once.
std::vector<Told> ask_all(const std::vector<Ask>& all);

}  // namespace vigil::entities::ops
