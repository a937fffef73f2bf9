#include "daemon/ingress/http_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <list>
#include <tuple>
#include <unordered_map>

#include "core/bell.hpp"
#include "core/deadline.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "daemon/ingress/listener.hpp"
#include "daemon/ingress/session.hpp"
#include "daemon/ingress/status.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using Protocol = asio::generic::stream_protocol;
using Acceptor = asio::basic_socket_acceptor<Protocol>;

constexpr int accepted_at_once = 64;  // then others on the loop have their turn
constexpr Duration sweep_least = std::chrono::milliseconds{10};
constexpr Duration sweep_most = std::chrono::seconds{1};
constexpr Duration settled_after = std::chrono::seconds{1};        // who came later is let be
constexpr Duration accept_pause = std::chrono::milliseconds{100};  // after "too many open files"

// A descriptor on its way to its session; closed when it never gets there.
struct Accepted {
  explicit Accepted(int from) : fd(from) {}
  Accepted(const Accepted&) = delete;
  Accepted& operator=(const Accepted&) = delete;
  ~Accepted() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
  Peer peer;
};

// All groups of the process at the other end; they may be more than the kernel tells at once.
std::vector<unsigned> groups_of(int fd, gid_t own) {
  std::vector<unsigned> groups(64);
  socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(unsigned));
  int failed = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  if (failed != 0 && errno == ERANGE) {
    groups.resize(size / sizeof(unsigned));
    failed = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  }
  groups.resize(failed == 0 ? size / sizeof(unsigned) : 0);
  groups.push_back(own);
  return groups;
}

Peer peer_of(int fd) {
  Peer out;
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return out;
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  } else {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
      out.uid = static_cast<int>(credentials.uid);
      out.pid = credentials.pid;
      out.groups = groups_of(fd, credentials.gid);
    }
  }
  out.address = text;
  return out;
}

// Who shares one lot: an address, or a user on a unix socket.
std::string key_of(const Peer& peer) {
  return peer.uid < 0 ? peer.address : fmt::format("user {}", peer.uid);
}

}  // namespace

std::string_view Request::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::string_view Request::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

struct HttpServer::State {
  State(asio::any_io_executor on, Clock& clock, ServerLimits limits, Handler handler,
        HeadCheck head_check)
      : executor(std::move(on)),
        desk{.clock = clock,
             .limits = limits,
             .handler = std::move(handler),
             .head_check = std::move(head_check),
             .stats = {},
             .date = {}},
        came(executor),
        went(executor),
        group(executor) {}

  void listen(const Listener& listener, std::string unix_path);
  asio::awaitable<void> accept(Acceptor& acceptor);
  asio::awaitable<void> serve(std::shared_ptr<Accepted> accepted);
  asio::awaitable<void> sweep();
  asio::awaitable<bool> emptied();
  int accept_all(int listener);
  void admit(int fd);
  bool make_room();

  asio::any_io_executor executor;
  Desk desk;
  std::list<Acceptor> acceptors;
  std::vector<std::string> unix_paths;
  std::list<Session*> sessions;
  int admitted = 0;                                 // those, and who has yet to have its first turn
  std::unordered_map<std::string, int> of_address;  // the same, one by one
  bool sweeping = false;
  Bell came;  // the first connection
  Bell went;  // the last one
  TaskGroup group;
};

void HttpServer::State::listen(const Listener& listener, std::string unix_path) {
  auto& acceptor = acceptors.emplace_back(executor);
  acceptor.assign(Protocol(listener.family, 0), listener.fd);
  if (!unix_path.empty()) unix_paths.push_back(std::move(unix_path));
  group.spawn("accept", [this, &acceptor] { return accept(acceptor); });
  if (!std::exchange(sweeping, true)) {
    group.spawn("sweep connections", [this] { return sweep(); });
  }
}

// Takes who waits. Returns why it stopped: EAGAIN, nobody is left, or what keeps it from taking
// more.
int HttpServer::State::accept_all(int listener) {
  for (int taken = 0; taken < accepted_at_once; ++taken) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      admit(fd);
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return errno;
    }
  }
  return EAGAIN;
}

asio::awaitable<void> HttpServer::State::accept(Acceptor& acceptor) {
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  bool told = false;
  while (acceptor.is_open()) {
    auto [error] = co_await acceptor.async_wait(asio::socket_base::wait_read, as_tuple);
    if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    const int stopped = accept_all(acceptor.native_handle());
    if (stopped == EAGAIN) {
      told = false;
      continue;
    }
    // Too many open files, or no memory: those who wait keep waiting in the backlog.
    if (!std::exchange(told, true)) {
      log_warn("no connection can be accepted, trying again every {}: {}", to_text(accept_pause),
               std::strerror(stopped));
    }
    co_await desk.clock.sleep_for(accept_pause);
  }
}

// Cuts who is missed least: between two requests, else the one that has been at its request for
// longest, of the address with the most connections. False: all are being answered, or have only
// just come.
bool HttpServer::State::make_room() {
  const auto newest = desk.clock.steady_now() - settled_after;
  Session* found = nullptr;
  const auto order = [this](const Session& one) {
    return std::tuple(one.worth() != Session::Worth::least, -of_address[key_of(one.peer())],
                      one.since());
  };
  for (auto* session : sessions) {
    if (session->worth() == Session::Worth::stays || session->since() > newest) continue;
    if (found == nullptr || order(*session) < order(*found)) found = session;
  }
  if (found == nullptr) return false;
  found->evict();
  return true;
}

void HttpServer::State::admit(int fd) {
  ++desk.stats.accepted;
  auto accepted = std::make_shared<Accepted>(fd);
  accepted->peer = peer_of(fd);
  const auto refuse = [fd](std::string_view status) {
    const auto busy = fmt::format(
        "HTTP/1.1 {}\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    (void)::send(fd, busy.data(), busy.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  };
  const auto key = key_of(accepted->peer);
  const int most = desk.limits.connections_per_address_max;
  const auto have = of_address.find(key);
  if (most > 0 && have != of_address.end() && have->second >= most) {
    return refuse("429 Too Many Requests");
  }
  if (admitted >= desk.limits.connections_max && !make_room()) {
    return refuse("503 Service Unavailable");
  }
  ++admitted;
  ++of_address[key];
  const int on = 1;  // an answer is one write: it goes at once. Does nothing on a unix socket
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  group.spawn("connection", [this, accepted] { return serve(accepted); });
}

asio::awaitable<void> HttpServer::State::serve(std::shared_ptr<Accepted> accepted) {
  Session session(desk, executor, std::exchange(accepted->fd, -1), std::move(accepted->peer));
  struct Listed {  // leaves the list on every way out
    State& state;
    std::list<Session*>::iterator place;
    std::string key;
    Listed(State& owner, Session& one)
        : state(owner),
          place(owner.sessions.insert(owner.sessions.end(), &one)),
          key(key_of(one.peer())) {
      if (state.sessions.size() == 1) state.came.ring();
    }
    ~Listed() {
      state.sessions.erase(place);
      --state.admitted;
      const auto counted = state.of_address.find(key);
      if (--counted->second == 0) state.of_address.erase(counted);
      if (state.admitted == 0) state.went.ring();
    }
  };
  const Listed listed(*this, session);
  auto running = session.run();
  co_await std::move(running);
}

// One look at all deadlines now and then, instead of a timer a read. Sleeps for good while nobody
// is connected.
asio::awaitable<void> HttpServer::State::sweep() {
  while (true) {
    if (sessions.empty()) {
      co_await came.wait();
      continue;
    }
    const auto now = desk.clock.steady_now();
    Duration next = sweep_most;
    for (auto* session : sessions) {
      session->sweep(now);
      if (session->deadline() != Duration::max()) next = std::min(next, session->deadline() - now);
    }
    const auto pause = std::clamp(next, sweep_least, sweep_most);
    co_await desk.clock.sleep_for(pause);
  }
}

asio::awaitable<bool> HttpServer::State::emptied() {
  while (admitted > 0) co_await went.wait();
  co_return true;
}

HttpServer::HttpServer(asio::any_io_executor executor, Clock& clock, ServerLimits limits,
                       Handler handler, HeadCheck head_check)
    : state_(std::make_shared<State>(std::move(executor), clock, limits, std::move(handler),
                                     std::move(head_check))) {}

HttpServer::~HttpServer() = default;

Result<int> HttpServer::listen_tcp(const std::string& address_and_port) {
  const auto opened = open_tcp(address_and_port);
  if (!opened) return std::unexpected(opened.error());
  state_->listen(*opened, {});
  return opened->port;
}

Result<void> HttpServer::listen_unix(const std::string& path) {
  const auto opened = open_unix(path);
  if (!opened) return std::unexpected(opened.error());
  state_->listen(*opened, path);
  return {};
}

Result<int> HttpServer::listen_fd(int fd) {
  const auto adopted = adopt(fd);
  if (!adopted) return std::unexpected(adopted.error());
  state_->listen(*adopted, {});
  return adopted->port;
}

asio::awaitable<void> HttpServer::drain(TimePoint deadline) {
  auto& state = *state_;
  state.desk.draining = true;
  for (auto& acceptor : state.acceptors) {
    boost::system::error_code ignored;  // closing is all we want
    acceptor.close(ignored);
  }
  for (const auto& path : state.unix_paths) ::unlink(path.c_str());
  state.unix_paths.clear();
  for (auto* session : state.sessions) session->drain();
  auto waiting = with_deadline(state.desk.clock, deadline, state.emptied());
  Result<bool> done = co_await std::move(waiting);
  if (!done && !state.sessions.empty()) {
    log_warn("open requests were cut at the deadline: count={}", state.sessions.size());
    for (auto* session : state.sessions) session->cut();
  }
  state.group.cancel();
  co_await state.group.join();
}

ServerStats HttpServer::stats() const {
  auto out = state_->desk.stats;
  out.connections = static_cast<int>(state_->sessions.size());
  return out;
}

}  // namespace vigil::ingress
