#pragma once
// A small blocking HTTP/1.1 client over the daemon's unix socket: one request a connection, and
// server-sent events. Plain sockets; one thread.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/json.hpp"

namespace vigil::ctl {

struct Reply {
  int status = 0;
  std::string content_type;
  std::string body;
};

// What stands before the body; nullopt when it is no answer to HTTP/1.1.
struct Head {
  int status = 0;
  std::string content_type;
  std::optional<std::size_t> content_length;  // none: until the connection closes
};
std::optional<Head> parse_head(std::string_view text);

// Takes the next whole server-sent event out of `buffer`; nullopt when it is not all there. A
// comment alone is an item without data.
struct SseItem {
  std::string event;
  std::string data;
};
std::optional<SseItem> take_sse(std::string& buffer);

std::string percent_encoded(std::string_view text);

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_;
};

// News as they come.
class Stream {
 public:
  enum class Heard { item, silence, ended };
  Stream(Descriptor socket, std::string buffer);
  // Waits for the next item, at most that long; without a limit for ever.
  Heard next(json::object& item, std::optional<std::chrono::milliseconds> limit = std::nullopt);

 private:
  Descriptor socket_;
  std::string buffer_;
};

class Client {
 public:
  explicit Client(std::string socket_path) : path_(std::move(socket_path)) {}
  const std::string& socket() const { return path_; }
  const std::string& path() const { return path_; }

  // ErrorCode::unavailable: nobody answers there; the message says how to start the daemon. An
  // answer of 400 and above is a Reply, not an error. `patience` 0: as long as it takes.
  Result<Reply> ask(std::string_view method, const std::string& target, std::string_view body = {},
                    std::chrono::seconds patience = std::chrono::seconds{60}) const;
  // Open once the daemon listens: what happens from then on is heard.
  Result<Stream> follow(const std::string& target) const;

 private:
  Result<Descriptor> connect(std::chrono::seconds patience) const;
  std::string path_;
};

// $VIGILD_SOCKET, else ./vigild-state/admin.sock if it is there, else /run/vigild/admin.sock.
std::string default_socket();

}  // namespace vigil::ctl
