#pragma once
// How a source asks the outside: the client in the daemon, an answer of its own in a test.
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "daemon/http/client.hpp"

namespace vigil::ingress {

using Fetch = std::function<boost::asio::awaitable<http::Received>(http::Request request)>;

}  // namespace vigil::ingress
