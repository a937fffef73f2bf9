#include "ctl/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "core/log.hpp"

namespace vigil::ctl {
namespace {

constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr std::size_t item_bytes_max = 64 * 1024 * 1024;

Error unreachable(const std::string& path, int reason) {
  if (reason == EACCES || reason == EPERM) {
    return {ErrorCode::unavailable,
            fmt::format("you may not use {}: run vigilctl as the daemon's user, as root, or join "
                        "the group the socket belongs to",
                        path)};
  }
  return {ErrorCode::unavailable,
          fmt::format("no daemon answers at {} ({}).\nStart one with `vigild --config "
                      "/etc/vigild/vigild.toml` or `systemctl start vigild`; one that listens "
                      "elsewhere is named with --socket PATH or $VIGILD_SOCKET.",
                      path, std::strerror(reason))};
}

Error broken(std::string_view what) {
  return {ErrorCode::unavailable,
          fmt::format("the daemon's answer broke off: {}. Look at its log, then try again.", what)};
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

enum class Got { bytes, end, failed };

Got receive(int fd, std::string& into) {
  char block[16 * 1024];
  while (true) {
    const auto got = ::recv(fd, block, sizeof block, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Got::failed;
    if (got == 0) return Got::end;
    into.append(block, static_cast<std::size_t>(got));
    return Got::bytes;
  }
}

std::string why_failed() {
  return errno == EAGAIN || errno == EWOULDBLOCK ? "it took too long" : std::strerror(errno);
}

// Reads up to the empty line; what came of the body already stays in `buffer`.
Result<Head> read_head(int fd, std::string& buffer) {
  while (true) {
    const auto end = buffer.find("\r\n\r\n");
    if (end != std::string::npos) {
      const auto head = parse_head(std::string_view(buffer).substr(0, end + 2));
      if (!head) return std::unexpected(broken("it is not HTTP"));
      buffer.erase(0, end + 4);
      return *head;
    }
    if (buffer.size() > head_bytes_max) return std::unexpected(broken("its head has no end"));
    const auto got = receive(fd, buffer);
    if (got == Got::failed) return std::unexpected(broken(why_failed()));
    if (got == Got::end) return std::unexpected(broken("it closed the connection"));
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string request_text(std::string_view method, const std::string& target,
                         std::string_view body) {
  auto text =
      fmt::format("{} {} HTTP/1.1\r\nHost: vigild\r\nUser-Agent: vigilctl\r\nConnection: close\r\n",
                  method, target);
  if (!body.empty() || method == "POST") {
    text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  }
  return text + "\r\n" + std::string(body);
}

}  // namespace

std::optional<Head> parse_head(std::string_view text) {
  if (!text.starts_with("HTTP/1.1 ") || text.size() < 12) return std::nullopt;
  Head head;
  const auto [end, error] = std::from_chars(text.data() + 9, text.data() + 12, head.status);
  if (error != std::errc{} || end != text.data() + 12) return std::nullopt;
  auto line_end = text.find("\r\n");
  while (line_end != std::string_view::npos && line_end + 2 < text.size()) {
    text.remove_prefix(line_end + 2);
    line_end = text.find("\r\n");
    const auto line = text.substr(0, line_end);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    auto value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    const auto name = line.substr(0, colon);
    if (equal_ignoring_case(name, "content-type")) head.content_type = value;
    if (equal_ignoring_case(name, "content-length")) {
      std::size_t length = 0;
      const auto [stop, bad] = std::from_chars(value.data(), value.data() + value.size(), length);
      if (bad != std::errc{} || stop != value.data() + value.size()) return std::nullopt;
      head.content_length = length;
    }
  }
  return head;
}

std::optional<SseItem> take_sse(std::string& buffer) {
  const auto end = buffer.find("\n\n");
  if (end == std::string::npos) return std::nullopt;
  SseItem item;
  std::string_view block = std::string_view(buffer).substr(0, end);
  while (!block.empty()) {
    const auto line_end = block.find('\n');
    const auto line = block.substr(0, line_end);
    block = line_end == std::string_view::npos ? std::string_view{} : block.substr(line_end + 1);
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) continue;  // a comment
    auto value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (line.substr(0, colon) == "event") item.event = value;
    if (line.substr(0, colon) == "data") {
      if (!item.data.empty()) item.data += '\n';
      item.data += value;
    }
  }
  buffer.erase(0, end + 2);
  return item;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Stream::Stream(Descriptor socket, std::string buffer)
    : socket_(std::move(socket)), buffer_(std::move(buffer)) {}

Stream::Heard Stream::next(json::object& item, std::optional<std::chrono::milliseconds> limit) {
  const auto until = std::chrono::steady_clock::now() + limit.value_or(std::chrono::hours{1});
  while (true) {
    while (auto block = take_sse(buffer_)) {
      if (block->data.empty()) continue;
      auto value = parse_json(block->data);
      if (!value || !value->is_object()) continue;  // not ours
      item = std::move(value->get_object());
      return Heard::item;
    }
    if (buffer_.size() > item_bytes_max) return Heard::ended;
    int wait_ms = -1;
    if (limit) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return Heard::silence;
      wait_ms = static_cast<int>(left.count());
    }
    pollfd waiting{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, wait_ms);
    if (ready == 0) return Heard::silence;
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0 || receive(socket_.get(), buffer_) != Got::bytes) return Heard::ended;
  }
}

Result<Descriptor> Client::connect(std::chrono::seconds patience) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::unavailable,
                fmt::format("{} is too long for a socket's path (at most {} bytes): put the state "
                            "directory elsewhere or use a relative path",
                            quoted(path_), sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path_.data(), path_.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return std::unexpected(unreachable(path_, errno));
  timeval limit{};
  limit.tv_sec = patience.count();
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);  // else we wait
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::unexpected(unreachable(path_, errno));
  }
  return socket;
}

Result<Reply> Client::ask(std::string_view method, const std::string& target, std::string_view body,
                          std::chrono::seconds patience) const {
  auto socket = connect(patience);
  if (!socket) return std::unexpected(std::move(socket.error()));
  // A refusal may come while we still send: it is read all the same.
  const bool sent = send_all(socket->get(), request_text(method, target, body));
  std::string buffer;
  auto head = read_head(socket->get(), buffer);
  if (!head && !sent) return std::unexpected(broken("it did not take the request"));
  if (!head) return std::unexpected(std::move(head.error()));
  while (!head->content_length || buffer.size() < *head->content_length) {
    const auto got = receive(socket->get(), buffer);
    if (got == Got::failed) return std::unexpected(broken(why_failed()));
    if (got == Got::bytes) continue;
    if (head->content_length) return std::unexpected(broken("a part of it is missing"));
    break;
  }
  if (head->content_length) buffer.resize(*head->content_length);
  return Reply{head->status, std::move(head->content_type), std::move(buffer)};
}

Result<Stream> Client::follow(const std::string& target) const {
  auto socket = connect(std::chrono::seconds{0});
  if (!socket) return std::unexpected(std::move(socket.error()));
  if (!send_all(socket->get(), request_text("GET", target, {}))) {
    return std::unexpected(broken("it did not take the request"));
  }
  std::string buffer;
  auto head = read_head(socket->get(), buffer);
  if (!head) return std::unexpected(std::move(head.error()));
  if (head->status == 200) return Stream(std::move(*socket), std::move(buffer));
  while (receive(socket->get(), buffer) == Got::bytes) {
  }
  const auto answer = parse_json(buffer);
  return fail(ErrorCode::invalid_input,
              std::string(answer ? find_text(*answer, "error").value_or("the daemon refused")
                                 : std::string_view("the daemon refused")));
}

std::string default_socket() {
  if (const char* set = std::getenv("VIGILD_SOCKET"); set != nullptr && *set != '\0') return set;
  constexpr const char* near = "./vigild-state/admin.sock";
  if (::access(near, F_OK) == 0) return near;
  return "/run/vigild/admin.sock";
}

}  // namespace vigil::ctl
