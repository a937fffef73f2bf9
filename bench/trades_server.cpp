#include "bench/trades_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "bench/trades.hpp"

namespace vigil::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Steady = std::chrono::steady_clock;

// A text message of a server, as one frame (RFC 6455, part 5.2): servers do not mask.
void append_frame(std::string& out, const std::string& text) {
  out += '\x81';
  if (text.size() < 126) {
    out += static_cast<char>(text.size());
  } else {
    out += '\x7e';
    out += static_cast<char>(text.size() >> 8);
    out += static_cast<char>(text.size() & 0xff);
  }
  out += text;
}

}  // namespace

void serve_trades(const TradesServer& wanted) {
  const auto day =
      make_day(wanted.seed, wanted.count, wanted.per_second, from_unix_us(wanted.start_us));
  asio::io_context loop;
  asio::ip::tcp::acceptor acceptor(loop,
                                   asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  fmt::print("{}\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  beast::websocket::stream<asio::ip::tcp::socket> stream(acceptor.accept());
  stream.accept();
  beast::flat_buffer subscription;
  stream.read(subscription);
  const auto begun = Steady::now();
  boost::system::error_code gone;
  std::string frames;
  std::size_t at = 0;
  while (at < day.sent.size() && !gone) {
    const auto passed = std::chrono::duration<double>(Steady::now() - begun).count();
    const auto due =
        std::min(day.sent.size(), static_cast<std::size_t>(passed * wanted.per_second) + 1);
    frames.clear();
    for (; at < due; ++at) append_frame(frames, message_of(day.sent[at]));
    asio::write(stream.next_layer(), asio::buffer(frames), gone);
    std::this_thread::sleep_until(Steady::now() + std::chrono::milliseconds(1));
  }
  const auto took = std::chrono::duration<double>(Steady::now() - begun).count();
  fmt::print("{}\n", static_cast<double>(at) / took);
  std::fflush(stdout);
  beast::flat_buffer farewell;
  stream.read(farewell, gone);  // until the other end has had enough
}

}  // namespace vigil::bench
