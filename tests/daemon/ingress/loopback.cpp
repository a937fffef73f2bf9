#include "tests/daemon/ingress/loopback.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>

namespace vigil::testing {
namespace asio = boost::asio;
using ingress::HeadVerdict;
using ingress::Request;
using ingress::Response;

namespace {

constexpr auto patience = std::chrono::seconds{20};  // a sanitized build on a busy machine

HeadVerdict take_all(const Request&) { return {64 * 1024 * 1024, 0, {}}; }

}  // namespace

Client::Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("the server cannot be reached");
  }
}

Client::Client(const std::string& unix_path)
    : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("the server cannot be reached");
  }
}

Client::~Client() { leave(); }

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Client::end_sending() { ::shutdown(fd_, SHUT_WR); }

void Client::leave() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Client::read_what_came() {
  char buffer[64 * 1024];
  while (!closed) {
    const auto count = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) {
      got.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EAGAIN) {
      closed = true;
    } else {
      return;
    }
  }
}

Loopback::Loopback(ingress::ServerLimits limits) : Loopback(limits, echo) {}
Loopback::Loopback(ingress::ServerLimits limits, ingress::Handler handler)
    : Loopback(limits, std::move(handler), take_all) {}
Loopback::Loopback(ingress::ServerLimits limits, ingress::Handler handler, ingress::HeadCheck check)
    : server(loop.get_executor(), clock, limits, std::move(handler), std::move(check)),
      group_(loop.get_executor()) {
  const auto got = server.listen_tcp("127.0.0.1:0");
  if (!got) throw std::runtime_error(got.error().message);
  port = *got;
}

Loopback::~Loopback() {
  if (!draining_) start_drain(Duration{0});
  while (!drained()) advance(std::chrono::seconds{1});
}

bool Loopback::until(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    loop.restart();
    loop.poll();
    if (holds()) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds{5});
  }
}

void Loopback::settle() {
  do {
    loop.restart();
  } while (loop.poll() > 0);
}

void Loopback::advance(Duration by) {
  const auto end = clock.now() + by;
  settle();
  while (clock.next_deadline() <= end) {
    clock.advance_to(clock.next_deadline());
    settle();
  }
  clock.advance_to(end);
  settle();
}

bool Loopback::answered(Client& client, std::size_t answers) {
  return until([&] {
    client.read_what_came();
    return client.closed || bodies_of(client.got).size() >= answers;
  });
}

bool Loopback::has_closed(Client& client) {
  return until([&] {
    client.read_what_came();
    return client.closed;
  });
}

bool Loopback::has_connections(int count) {
  return until([&] { return server.stats().connections == count; });
}

void Loopback::start_drain(Duration limit) {
  draining_ = true;
  group_.spawn("drain", [this, limit]() -> asio::awaitable<void> {
    auto draining = server.drain(clock.now() + limit);
    co_await std::move(draining);
  });
}

asio::awaitable<Response> echo(Request request) {
  Response out;
  out.content_type = "text/plain";
  out.body = fmt::format("{} {} {}", request.method, request.target, request.body);
  co_return out;
}

std::string post(std::string_view body, std::string_view fields) {
  return fmt::format("POST /a HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\n\r\n{}", fields,
                     body.size(), body);
}

std::vector<std::string> bodies_of(std::string_view answers) {
  std::vector<std::string> out;
  while (true) {
    const auto end = answers.find("\r\n\r\n");
    if (end == std::string_view::npos) return out;
    const auto head = answers.substr(0, end + 2);
    answers.remove_prefix(end + 4);
    if (head.starts_with("HTTP/1.1 100 ")) continue;
    constexpr std::string_view field = "Content-Length: ";
    const auto at = head.find(field);
    std::size_t length = 0;
    if (at != std::string_view::npos)
      length = std::stoul(std::string(head.substr(at + field.size())));
    if (answers.size() < length) return out;
    out.emplace_back(answers.substr(0, length));
    answers.remove_prefix(length);
  }
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace vigil::testing
