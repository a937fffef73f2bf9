#pragma once
// An HTTP server of a few lines, on any free port of the loopback, that does what a test tells it
// to: answers, wrong answers, silence, a closed connection.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/task_group.hpp"

namespace vigil::testing {

struct Heard {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct Reply {
  // cut: closes after the body, of which there should be more; stall: says no more after it.
  enum class Manner { answer, close_before_answer, hang, endless, cut, stall };
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  Manner manner = Manner::answer;
};

class SmallServer {
  using Tcp = boost::asio::ip::tcp;

 public:
  explicit SmallServer(boost::asio::any_io_executor executor)
      : acceptor_(executor, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        group_(executor) {
    group_.spawn("server", [this] { return listen(); });
  }

  std::string url(const std::string& path = "/") const {
    return fmt::format("http://127.0.0.1:{}{}", acceptor_.local_endpoint().port(), path);
  }
  boost::asio::awaitable<void> stop() {
    group_.cancel();
    co_await group_.join();
  }

  std::deque<Reply> replies;                     // in order; when empty `otherwise` is asked
  std::function<Reply(const Heard&)> otherwise;  // unset: 200 without a body
  std::vector<Heard> heard;
  int connections = 0;
  int stalled = 0;
  int closed = 0;  // by the other side, while it was stalled

 private:
  boost::asio::awaitable<void> listen() {
    while (true) {
      Tcp::socket accepted = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      auto socket = std::make_shared<Tcp::socket>(std::move(accepted));
      ++connections;
      group_.spawn("connection", [this, socket] { return serve(socket); });
    }
  }

  static std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
  }

  static Heard parse_head(const std::string& head) {
    Heard out;
    const auto line_end = head.find("\r\n");
    const auto space = head.find(' ');
    out.method = head.substr(0, space);
    out.target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    for (auto at = line_end + 2; at < head.size();) {
      const auto end = head.find("\r\n", at);
      const auto line = head.substr(at, end - at);
      const auto colon = line.find(':');
      if (colon != std::string::npos) {
        out.headers[lower(line.substr(0, colon))] = line.substr(std::min(colon + 2, line.size()));
      }
      at = end + 2;
    }
    return out;
  }

  boost::asio::awaitable<void> serve(std::shared_ptr<Tcp::socket> socket) {
    constexpr auto as_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);
    std::string bytes;
    while (true) {
      auto buffer = boost::asio::dynamic_buffer(bytes);
      auto [error, head_size] =
          co_await boost::asio::async_read_until(*socket, buffer, "\r\n\r\n", as_tuple);
      if (error) co_return;
      auto request = parse_head(bytes.substr(0, head_size));
      bytes.erase(0, head_size);
      const auto length = request.headers["content-length"];
      const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
      if (bytes.size() < wanted) {
        auto rest = boost::asio::dynamic_buffer(bytes);
        const auto missing = boost::asio::transfer_exactly(wanted - bytes.size());
        auto [broken, got] = co_await boost::asio::async_read(*socket, rest, missing, as_tuple);
        (void)got;
        if (broken) co_return;
      }
      request.body = bytes.substr(0, wanted);
      bytes.erase(0, wanted);
      heard.push_back(request);
      auto answering = answer(socket, std::move(request));
      const bool go_on = co_await std::move(answering);
      if (!go_on) co_return;
    }
  }

  boost::asio::awaitable<bool> answer(std::shared_ptr<Tcp::socket> socket, Heard request) {
    constexpr auto as_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);
    Reply reply;
    if (!replies.empty()) {
      reply = replies.front();
      replies.pop_front();
    } else if (otherwise) {
      reply = otherwise(request);
    }
    if (reply.manner == Reply::Manner::close_before_answer) co_return false;
    if (reply.manner == Reply::Manner::hang) {
      std::string nothing;
      auto room = boost::asio::dynamic_buffer(nothing);
      auto [error, size] = co_await boost::asio::async_read(*socket, room, as_tuple);
      (void)error;  // whatever comes: it is not answered
      (void)size;
      co_return false;
    }
    auto text = fmt::format("HTTP/1.1 {} Said\r\n", reply.status);
    for (const auto& [name, value] : reply.headers) text += fmt::format("{}: {}\r\n", name, value);
    const bool endless = reply.manner == Reply::Manner::endless;
    const bool stall = reply.manner == Reply::Manner::stall;
    const bool short_of = stall || reply.manner == Reply::Manner::cut;
    const auto promised = reply.body.size() + (short_of ? 1000 : 0);
    if (!endless) text += fmt::format("Content-Length: {}\r\n", promised);
    text += "\r\n" + reply.body;
    while (true) {
      auto all = boost::asio::buffer(text);
      auto [error, size] = co_await boost::asio::async_write(*socket, all, as_tuple);
      (void)size;
      if (error) co_return false;
      if (stall) {
        ++stalled;
        std::string nothing;
        auto room = boost::asio::dynamic_buffer(nothing);
        auto [gone, ignored] = co_await boost::asio::async_read(*socket, room, as_tuple);
        (void)gone;
        (void)ignored;
        ++closed;
        co_return false;
      }
      if (!endless) co_return !short_of;
      text.assign(64 * 1024, 'x');
    }
  }

  Tcp::acceptor acceptor_;
  TaskGroup group_;
};

}  // namespace vigil::testing
