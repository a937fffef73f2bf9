// `vigilctl mail deliver`: hands the message on standard input to a source of kind lmtp, for mail
// servers that can only run a program. Speaks LMTP (RFC 2033); its exit codes are those of
// sysexits.h, which such servers understand.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

constexpr int exit_no_service = 69;  // EX_UNAVAILABLE: refused for good
constexpr int exit_try_again = 75;   // EX_TEMPFAIL: the mail server keeps it
constexpr std::size_t message_bytes_max = 256 * 1024 * 1024;
constexpr int patience_seconds = 120;

class Line {
 public:
  explicit Line(int fd) : fd_(fd) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool is_open() const { return fd_ >= 0; }

  bool say(std::string_view text) const {
    while (!text.empty()) {
      const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // The code of the next answer; 0: there is none. `text` is its last line.
  int hear(std::string& text) {
    while (true) {
      const auto end = buffer_.find('\n');
      if (end == std::string::npos) {
        char bytes[4096];
        const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || buffer_.size() > 64 * 1024) return 0;
        buffer_.append(bytes, static_cast<std::size_t>(got));
        continue;
      }
      text = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (text.ends_with('\r')) text.pop_back();
      int code = 0;
      const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), code);
      if (error != std::errc{} || stop != text.data() + 3) return 0;
      if (text.size() < 4 || text[3] != '-') return code;
    }
  }

  int ask(const std::string& line, std::string& text) {
    return say(line + "\r\n") ? hear(text) : 0;
  }

 private:
  int fd_;
  std::string buffer_;
};

int open_line(const std::string& where) {
  const bool is_path = where.starts_with('/');
  sockaddr_un local{};
  sockaddr_in address{};
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  socklen_t length = sizeof address;
  if (is_path) {
    local.sun_family = AF_UNIX;
    if (where.size() >= sizeof local.sun_path) return -1;
    where.copy(local.sun_path, where.size());
    target = reinterpret_cast<const sockaddr*>(&local);
    length = sizeof local;
  } else {
    const auto colon = where.rfind(':');
    std::uint16_t port = 0;
    if (colon == std::string::npos) return -1;
    const auto* last = where.data() + where.size();
    const auto [end, error] = std::from_chars(where.data() + colon + 1, last, port);
    if (error != std::errc{} || end != last) return -1;
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, where.substr(0, colon).c_str(), &address.sin_addr) != 1) return -1;
  }
  const int fd = ::socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = patience_seconds, .tv_usec = 0};
  if (fd < 0) return -1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd, target, length) == 0) return fd;
  ::close(fd);
  return -1;
}

// Lines end in CR LF, and one that begins with a dot gets a second one. A mail server's "From "
// line is no part of the message.
std::string as_data(std::string_view message) {
  if (message.starts_with("From ")) {
    message.remove_prefix(std::min(message.find('\n') + 1, message.size()));
  }
  std::string out;
  while (!message.empty()) {
    auto line = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(line.size() + 1, message.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('.')) out += '.';
    out.append(line).append("\r\n");
  }
  return out + ".\r\n";
}

bool is_address(const std::string& text) {
  return text.size() <= 320 && text.find_first_of("<> \r\n\t") == std::string::npos;
}

int end_with(int code, const std::string& text) {
  print_error(fmt::format("vigilctl: {}\n",
                          code == 0 ? std::string("nobody answers; the message should be kept and "
                                                  "tried again")
                                    : safe_lines(text)));
  return code / 100 == 5 ? exit_no_service : exit_try_again;
}

}  // namespace

int deliver_mail(const DeliverArgs& args) {
  for (const auto& one : args.recipients) {
    if (is_address(one)) continue;
    print_error("vigilctl: --recipient: expected an address without blanks and brackets\n");
    return exit_usage;
  }
  if (!is_address(args.sender)) {
    print_error("vigilctl: --sender: expected an address without blanks and brackets\n");
    return exit_usage;
  }
  const auto message = read_all("-");
  if (!message || message->size() > message_bytes_max) {
    print_error("vigilctl: the message on standard input cannot be read, or is too large\n");
    return message ? exit_no_service : exit_try_again;
  }
  Line line(open_line(args.where));
  std::string text;
  if (!line.is_open() || line.hear(text) != 220) return end_with(0, text);
  int code = line.ask("LHLO localhost", text);
  if (code == 250) code = line.ask(fmt::format("MAIL FROM:<{}>", args.sender), text);
  if (code != 250) return end_with(code, text);
  for (const auto& one : args.recipients) {
    code = line.ask(fmt::format("RCPT TO:<{}>", one), text);
    if (code != 250) return end_with(code, text);
  }
  code = line.ask("DATA", text);
  if (code != 354) return end_with(code, text);
  if (!line.say(as_data(*message))) return end_with(0, text);
  for (std::size_t i = 0; i < args.recipients.size(); ++i) {
    code = line.hear(text);
    if (code != 250) return end_with(code, text);
  }
  return exit_ok;
}

}  // namespace vigil::ctl
