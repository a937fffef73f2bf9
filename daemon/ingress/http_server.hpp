#pragma once
// A small HTTP/1.1 server for both doors: webhooks on TCP, the admin API on a unix socket. The head
// is read by the strict gate (gate.hpp) alone; bodies have a Content-Length or are refused. Limits
// and deadlines on everything a client can stretch. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace vigil::ingress {

struct Peer {
  std::string address;  // "127.0.0.1"; empty on a unix socket
  int uid = -1;         // on a unix socket, from SO_PEERCRED
  int pid = -1;
  std::vector<unsigned> groups = {};  // of the same user: the process's own and the others
};

struct Request {
  std::string method;
  std::string target;                                        // origin form: /hooks/github?x=1
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  Peer peer;
  std::string_view header(std::string_view lower_case_name) const;  // "" when absent
  std::string_view path() const;                                    // without the query
};

// Sends a piece of a streamed answer (SSE); false when the client has gone.
using Send = std::function<boost::asio::awaitable<bool>(std::string)>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool close = false;
  // When set the body is what it sends, until it returns; the connection closes afterwards.
  // Cancelled when the client goes away.
  std::function<boost::asio::awaitable<void>(Send)> stream;
};

// Must not throw for what a client did. A throw is answered 500 and logged.
using Handler = std::function<boost::asio::awaitable<Response>(Request)>;
// Asked once the head is in, before the body is read: how large may it be? An error is answered at
// once (404 unknown path, 405, 413, 503 while full).
struct HeadVerdict {
  std::size_t body_bytes_max = 0;
  int refuse_status = 0;  // 0: go on
  std::string refuse_body;
  std::vector<std::pair<std::string, std::string>> refuse_headers = {};
};
using HeadCheck = std::function<HeadVerdict(const Request& without_body)>;

struct ServerLimits {
  std::size_t head_bytes_max = 16 * 1024;
  int connections_max = 4096;           // beyond, who has had nothing to say for longest is cut
  int connections_per_address_max = 0;  // 0: no limit of its own
  Duration head_timeout = std::chrono::seconds{5};
  Duration body_timeout = std::chrono::seconds{30};
  std::size_t body_bytes_per_second_min = 1024;
  Duration idle_timeout = std::chrono::seconds{15};
  Duration write_timeout = std::chrono::seconds{10};
  // Of all requests together, while they come and are handled: more is answered 503.
  std::size_t bodies_bytes_max = 256 * 1024 * 1024;
};

struct ServerStats {
  int connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t requests = 0;
  std::uint64_t refused_framing = 0;  // 4xx of the gate
  std::uint64_t timed_out = 0;
  std::uint64_t evicted = 0;  // cut to have room for others
};

class HttpServer {
 public:
  HttpServer(boost::asio::any_io_executor executor, Clock& clock, ServerLimits limits,
             Handler handler, HeadCheck head_check);
  ~HttpServer();

  // "127.0.0.1:8787", "[::1]:0". The error names the address and what to do (in use, no
  // permission).
  Result<int> listen_tcp(const std::string& address_and_port);  // the port it got
  // Replaces a stale socket file; refuses one that answers. Mode 0660.
  Result<void> listen_unix(const std::string& path);
  // Takes over a listening socket (systemd socket activation); its port, 0 for a unix socket.
  Result<int> listen_fd(int fd);

  // No new connections; open requests are answered with Connection: close; returns when all are
  // gone or at the deadline, after which they are cut.
  boost::asio::awaitable<void> drain(TimePoint deadline);
  ServerStats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vigil::ingress
