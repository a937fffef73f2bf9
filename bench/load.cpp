#include "bench/load.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "core/digest.hpp"

namespace vigil::bench {
namespace {

using Steady = std::chrono::steady_clock;

struct Connection {
  int fd = -1;
  const std::string* request = nullptr;
  std::size_t sent = 0;
  std::string answer;
  Steady::time_point begun;
};

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int done = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  if (fd < 0 || (done != 0 && errno != EINPROGRESS)) throw std::runtime_error("cannot connect");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// The whole answer's length once it is known; 0 before.
std::size_t answer_length(const std::string& answer) {
  constexpr std::string_view field = "\r\nContent-Length: ";
  const auto head = answer.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  const auto length = answer.find(field);
  if (length == std::string::npos || length > head) return head + 4;
  return head + 4 + static_cast<std::size_t>(std::atoll(answer.c_str() + length + field.size()));
}

class Generator {
 public:
  Generator(int port, const std::vector<std::string>& requests)
      : port_(port), requests_(requests), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~Generator() { ::close(epoll_); }

  Load run(int connections) {
    std::vector<Connection> all(static_cast<std::size_t>(connections));
    const auto begun = Steady::now();
    for (auto& one : all) open(one);
    std::vector<epoll_event> events(256);
    while (done_ < requests_.size()) {
      const int count = ::epoll_wait(epoll_, events.data(), 256, 10'000);
      if (count <= 0) throw std::runtime_error("the daemon does not answer");
      for (int at = 0; at < count; ++at) {
        step(*static_cast<Connection*>(events[static_cast<std::size_t>(at)].data.ptr));
      }
    }
    out_.seconds = std::chrono::duration<double>(Steady::now() - begun).count();
    for (auto& one : all) ::close(one.fd);
    std::ranges::sort(out_.latencies_ms);
    return std::move(out_);
  }

 private:
  void open(Connection& one) {
    one.fd = connect_to(port_);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &one;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event);
    begin(one);
  }

  void begin(Connection& one) {
    one.request = next_ < requests_.size() ? &requests_[next_++] : nullptr;
    one.sent = 0;
    one.answer.clear();
    one.begun = Steady::now();
  }

  void step(Connection& one) {
    while (one.request != nullptr) {
      if (!send(one)) return;
      char buffer[4096];
      const auto count = ::read(one.fd, buffer, sizeof buffer);
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) throw std::runtime_error("the daemon closed a connection: " + one.answer);
      one.answer.append(buffer, static_cast<std::size_t>(count));
      const auto length = answer_length(one.answer);
      if (length == 0 || one.answer.size() < length) continue;
      finish(one);
      begin(one);
    }
  }

  bool send(Connection& one) {
    while (one.sent < one.request->size()) {
      const auto count = ::send(one.fd, one.request->data() + one.sent,
                                one.request->size() - one.sent, MSG_NOSIGNAL);
      if (count < 0) return false;
      one.sent += static_cast<std::size_t>(count);
    }
    return true;
  }

  void finish(Connection& one) {
    ++done_;
    out_.latencies_ms.push_back(
        std::chrono::duration<double, std::milli>(Steady::now() - one.begun).count());
    if (one.answer.starts_with("HTTP/1.1 202")) {
      ++out_.accepted;
      return;
    }
    if (out_.other++ == 0) out_.other_example = one.answer.substr(0, 300);
  }

  int port_;
  const std::vector<std::string>& requests_;
  int epoll_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
  Load out_;
};

// The payload made one of its kind: a serial number and a subject in front of what is there.
std::string marked(std::string_view payload, std::size_t serial, std::size_t subject) {
  return fmt::format(R"({{"serial":{},"bench":"case-{}",{})", serial, subject,
                     payload.substr(payload.find('{') + 1));
}

}  // namespace

Load run_load(int port, int connections, const std::vector<std::string>& requests) {
  return Generator(port, requests).run(connections);
}

std::vector<std::string> signed_requests(const Kind& kind, std::size_t count,
                                         std::size_t subjects) {
  std::vector<std::string> out;
  out.reserve(count);
  for (std::size_t at = 0; at < count; ++at) {
    const auto body = marked(kind.payload, at, at % subjects);
    out.push_back(fmt::format(
        "POST /hooks/github HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "X-GitHub-Event: {}\r\nX-GitHub-Delivery: d-{}\r\n"
        "X-Hub-Signature-256: sha256={}\r\nContent-Length: {}\r\n\r\n{}",
        kind.event, at, to_hex(as_bytes(hmac_sha256(bench_secret, body))), body.size(), body));
  }
  return out;
}

Kind kind_of(const std::string& name) {
  if (name == "500B") {
    return {"ping", fmt::format(R"({{"action":"opened","repository":{{"full_name":"octo/repo"}},)"
                                R"("number":7,"title":"{}"}})",
                                std::string(380, 'x'))};
  }
  const bool large = name == "28KB";
  const std::string path = std::string(VIGIL_SOURCE_DIR "/tests/data/webhooks/github/") +
                           (large ? "pull_request.opened.json" : "push.json");
  std::ifstream file(path);
  std::string payload((std::istreambuf_iterator<char>(file)), {});
  if (payload.empty()) throw std::runtime_error("cannot read " + path);
  return {large ? "pull_request" : "push", std::move(payload)};
}

}  // namespace vigil::bench
