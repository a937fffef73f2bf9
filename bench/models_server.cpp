#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdio>
#include <memory>

#include "bench/fanout.hpp"
#include "core/task_group.hpp"

namespace vigil::bench {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

std::size_t length_of(std::string_view head) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  std::size_t out = 0;
  if (at != std::string_view::npos) {
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), out);
  }
  return out;
}

std::string chunk(std::string_view text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

class ModelsServer {
 public:
  explicit ModelsServer(asio::io_context& loop)
      : acceptor_(loop, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        group_(loop.get_executor()) {
    fmt::print("{}\n", acceptor_.local_endpoint().port());
    std::fflush(stdout);
    group_.spawn("listen", [this] { return listen(); });
  }

 private:
  asio::awaitable<void> listen() {
    while (true) {
      Tcp::socket accepted = co_await acceptor_.async_accept(asio::use_awaitable);
      auto socket = std::make_shared<Tcp::socket>(std::move(accepted));
      group_.spawn("serve", [this, socket] { return serve(socket); });
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<Tcp::socket> socket) {
    std::string bytes;
    while (true) {
      auto buffer = asio::dynamic_buffer(bytes);
      auto [broken, head] = co_await asio::async_read_until(*socket, buffer, "\r\n\r\n", as_tuple);
      if (broken) co_return;
      const auto whole = head + length_of(std::string_view(bytes).substr(0, head));
      if (bytes.size() < whole) {
        auto rest = asio::dynamic_buffer(bytes);
        const auto missing = asio::transfer_exactly(whole - bytes.size());
        auto [cut, got] = co_await asio::async_read(*socket, rest, missing, as_tuple);
        (void)got;
        if (cut) co_return;
      }
      bytes.erase(0, whole);
      const auto begin =
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
          "chunked\r\n\r\n" +
          chunk("data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"n\\\": \"}}]}\n\n");
      auto first = asio::buffer(begin);
      auto [lost, sent] = co_await asio::async_write(*socket, first, as_tuple);
      (void)sent;
      if (lost) co_return;
      asio::steady_timer second(socket->get_executor(), std::chrono::seconds{1});
      co_await second.async_wait(asio::use_awaitable);
      const auto end = rest_of(++answers_);
      auto last = asio::buffer(end);
      auto [gone, size] = co_await asio::async_write(*socket, last, as_tuple);
      (void)size;
      if (gone) co_return;
    }
  }

  // Each answer tells another number of tokens, so that a sum that is right is no accident.
  std::string rest_of(std::int64_t number) {
    const auto input = 100 + number % 50;
    const auto output = 5 + number % 7;
    tokens_ += input + output;
    if (number % 100 == 0) {
      fmt::print("{}\n", tokens_);
      std::fflush(stdout);
    }
    return chunk(
               "data: {\"choices\":[{\"delta\":{\"content\":\"1}\"},"
               "\"finish_reason\":\"stop\"}]}\n\n") +
           chunk(fmt::format("data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":{},"
                             "\"completion_tokens\":{}}}}}\n\n",
                             input, output)) +
           chunk("data: [DONE]\n\n") + "0\r\n\r\n";
  }

  Tcp::acceptor acceptor_;
  std::int64_t answers_ = 0;
  std::int64_t tokens_ = 0;
  TaskGroup group_;
};

}  // namespace

void serve_models() {
  asio::io_context loop{1};
  const ModelsServer server(loop);
  loop.run();
}

}  // namespace vigil::bench
