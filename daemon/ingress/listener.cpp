#include "daemon/ingress/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace vigil::ingress {
namespace {

constexpr int backlog = 4096;

// What to do about it is different for each reason; the person should not have to guess.
Error cannot(const std::string& what, int reason) {
  std::string next = "see the message";
  if (reason == EADDRINUSE) next = "another program listens there: stop it, or choose another port";
  if (reason == EACCES) next = "ports below 1024 need the capability CAP_NET_BIND_SERVICE";
  if (reason == EADDRNOTAVAIL) next = "this machine has no such address";
  return {ErrorCode::unavailable,
          fmt::format("cannot listen on {}: {}; {}", what, std::strerror(reason), next)};
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

Result<Address> parse_address(const std::string& text) {
  const auto malformed =
      fail(ErrorCode::invalid_input,
           fmt::format("'{}' is not an address like 127.0.0.1:8787 or [::1]:8787", text));
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return malformed;
  auto host = text.substr(0, colon);
  std::uint16_t port = 0;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + colon + 1, last, port);
  if (error != std::errc{} || end != last) return malformed;
  Address out;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    auto& six = reinterpret_cast<sockaddr_in6&>(out.storage);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) != 1) return malformed;
    out.length = sizeof six;
    return out;
  }
  auto& four = reinterpret_cast<sockaddr_in&>(out.storage);
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  if (host == "localhost") host = "127.0.0.1";
  if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) return malformed;
  out.length = sizeof four;
  return out;
}

int port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  if (bound.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(bound).sin_port);
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  return 0;
}

int open_socket(int family) {
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

std::unexpected<Error> give_up(int fd, const std::string& what) {
  const int reason = errno;
  if (fd >= 0) ::close(fd);
  return std::unexpected(cannot(what, reason));
}

bool somebody_answers(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool answers =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return answers;
}

}  // namespace

Result<Listener> open_tcp(const std::string& address_and_port) {
  const auto address = parse_address(address_and_port);
  if (!address) return std::unexpected(address.error());
  const int family = address->storage.ss_family;
  const int fd = open_socket(family);
  const int on = 1;
  if (fd < 0) return give_up(fd, address_and_port);
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // a convenience at restart
  if (family == AF_INET6) (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address->storage), address->length) != 0 ||
      ::listen(fd, backlog) != 0) {
    return give_up(fd, address_and_port);
  }
  return Listener{fd, port_of(fd), family};
}

Result<Listener> open_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::invalid_input,
                fmt::format("the socket path '{}' is longer than {} bytes: set daemon.admin_socket "
                            "to a shorter one",
                            path, sizeof address.sun_path - 1));
  }
  path.copy(address.sun_path, path.size());
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) {
      return fail(ErrorCode::conflict,
                  fmt::format("'{}' is there and is no socket: it is left alone; move it", path));
    }
    if (somebody_answers(address)) {
      return fail(ErrorCode::conflict,
                  fmt::format("another vigild answers on {}: stop it first", path));
    }
    ::unlink(path.c_str());  // left behind by a daemon that was killed
  }
  const int fd = open_socket(AF_UNIX);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0660) != 0 || ::listen(fd, backlog) != 0) {
    return give_up(fd, path);
  }
  return Listener{fd, 0, AF_UNIX};
}

Result<Listener> adopt(int fd) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0 ||
      ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return fail(ErrorCode::invalid_input, fmt::format("descriptor {} does not listen", fd));
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return fail(ErrorCode::unavailable, fmt::format("descriptor {} cannot be set up", fd));
  }
  return Listener{fd, port_of(fd), bound.ss_family};
}

}  // namespace vigil::ingress
