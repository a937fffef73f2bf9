#pragma once
// The socket of a session. Included by .cpp files of ingress only: it is heavy.
#include <boost/asio/generic/stream_protocol.hpp>

namespace vigil::ingress {

struct Wire {
  boost::asio::generic::stream_protocol::socket socket;
};

}  // namespace vigil::ingress
