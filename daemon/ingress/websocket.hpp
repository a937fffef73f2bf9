#pragma once
// A WebSocket to somebody else's server (RFC 6455), over TLS that checks the server's name, or in
// the open on this machine. The one place where Beast is spoken. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "daemon/http/reach.hpp"

namespace vigil::ingress {

struct SocketSettings {
  std::string url;  // wss:// or ws://
  std::string ca;   // PEM file; empty: the system's
  std::size_t message_bytes_max = 1024 * 1024;
  Duration idle{0};     // nothing heard for so long, a ping's answer neither: it is dead
  http::Reach reach{};  // where it may lead; `url` stands in the configuration
};

class Socket {
 public:
  virtual ~Socket() = default;
  // Errors: the connection is gone. One at a time, and beside one receive().
  virtual boost::asio::awaitable<Result<void>> send(std::string text) = 0;
  // The next message; it is valid until the next call. Pings are answered within. Errors: the
  // connection is gone, with the reason that the server gave.
  virtual boost::asio::awaitable<Result<std::string_view>> receive() = 0;
  // Drops the connection at once; a receive() that waits fails.
  virtual void drop() = 0;
};

using OpenSocket =
    std::function<boost::asio::awaitable<Result<std::unique_ptr<Socket>>>(SocketSettings)>;

// Resolves, connects, greets. Errors say which of these failed. Cancellable.
boost::asio::awaitable<Result<std::unique_ptr<Socket>>> open_websocket(SocketSettings settings);

}  // namespace vigil::ingress
