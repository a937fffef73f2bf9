// Streamed answers, and where the server listens.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <fstream>

#include "core/digest.hpp"
#include "tests/daemon/ingress/loopback.hpp"

namespace vigil::ingress {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::count_of;
using testing::Loopback;
namespace asio = boost::asio;

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

// Answers with a stream that sends one piece a ring, and tells whether it has ended.
struct Ticker {
  Bell* bell = nullptr;
  int sent = 0;
  int pieces = 1'000'000;
  bool ended = false;

  Handler handler() {
    return [this](Request) -> asio::awaitable<Response> {
      Response out;
      out.content_type = "text/event-stream";
      out.stream = [this](Send send) { return tick(std::move(send)); };
      co_return out;
    };
  }
  asio::awaitable<void> tick(Send send) {
    struct Mark {
      bool& set;
      ~Mark() { set = true; }
    };
    const Mark mark{ended};
    while (sent < pieces) {
      co_await bell->wait();
      std::string piece = fmt::format("data: {}\n\n", sent);
      auto sending = send(std::move(piece));
      const bool here = co_await std::move(sending);
      if (!here) co_return;
      ++sent;
    }
  }
};

struct Directory {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("vigild-" + random_hex(8));
  Directory() { std::filesystem::create_directory(path); }
  ~Directory() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("a stream arrives piece by piece and ends with the connection") {
  Ticker ticker;
  ticker.pieces = 3;
  Loopback world({}, ticker.handler());
  ticker.bell = &world.bell;
  Client client(world.port);
  client.send(get);
  for (std::size_t i = 0; i < 3; ++i) {
    ticker.bell->ring();
    REQUIRE(world.until([&] {
      client.read_what_came();
      return count_of(client.got, "data: ") == i + 1;
    }));
    CHECK(client.got.ends_with(fmt::format("data: {}\n\n", i)));
  }
  REQUIRE(world.has_closed(client));
  CHECK(client.got.contains("Content-Type: text/event-stream\r\n"));
  CHECK(client.got.contains("Connection: close\r\n"));
  CHECK_FALSE(client.got.contains("Content-Length"));
}

TEST_CASE("a stream lives on while nothing is sent, and ends when its client goes") {
  Ticker ticker;
  Loopback world({}, ticker.handler());
  ticker.bell = &world.bell;
  Client client(world.port);
  client.send(get);
  ticker.bell->ring();
  REQUIRE(world.until([&] { return ticker.sent == 1; }));
  world.advance(1h);
  ticker.bell->ring();
  REQUIRE(world.until([&] { return ticker.sent == 2; }));
  CHECK_FALSE(ticker.ended);
  client.leave();
  REQUIRE(world.has_connections(0));
  CHECK(ticker.ended);
}

TEST_CASE("a stream whose client does not read is cut after the write time") {
  Ticker ticker;
  Loopback world({}, ticker.handler());
  ticker.bell = &world.bell;
  Client client(world.port);
  client.send(get);
  int before = -1;
  while (before != ticker.sent) {  // until the pipe is full
    before = ticker.sent;
    for (int i = 0; i < 20'000; ++i) {
      ticker.bell->ring();
      world.settle();
      if (ticker.sent == before) break;
    }
    if (ticker.sent > 1'000'000) break;
  }
  world.advance(11s);
  REQUIRE(world.has_connections(0));
  CHECK(ticker.ended);
}

TEST_CASE("draining ends a stream at its deadline") {
  Ticker ticker;
  Loopback world({}, ticker.handler());
  ticker.bell = &world.bell;
  Client client(world.port);
  client.send(get);
  ticker.bell->ring();
  REQUIRE(world.until([&] { return ticker.sent == 1; }));
  world.start_drain(5s);
  world.advance(6s);
  REQUIRE(world.until([&] { return world.drained(); }));
  CHECK(ticker.ended);
  REQUIRE(world.has_closed(client));
}

TEST_CASE("a peer on a unix socket is known by its user, and the file is for its group") {
  const Directory directory;
  const std::string path = directory.path / "admin.sock";
  Peer peer;
  auto look = [&peer](Request request) -> asio::awaitable<Response> {
    peer = request.peer;
    co_return Response{};
  };
  Loopback world({}, look);
  REQUIRE(world.server.listen_unix(path));
  struct stat found{};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0660);
  Client client(path);
  client.send(get);
  REQUIRE(world.answered(client));
  CHECK(peer.uid == static_cast<int>(::getuid()));
  CHECK(peer.pid == ::getpid());
  CHECK(peer.address.empty());
  Client other(world.port);
  other.send(get);
  REQUIRE(world.answered(other));
  CHECK(peer.address == "127.0.0.1");
  CHECK(peer.uid == -1);
}

TEST_CASE("a socket left behind is replaced, one that answers is refused, other files stay") {
  const Directory directory;
  const std::string path = directory.path / "admin.sock";
  {
    const int left = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    ::close(left);
  }
  Loopback world;
  REQUIRE(world.server.listen_unix(path));
  Loopback second;
  const auto refused = second.server.listen_unix(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.contains(path));
  const std::string file = directory.path / "notes.txt";
  std::ofstream(file) << "mine";
  CHECK_FALSE(second.server.listen_unix(file));
  CHECK(std::filesystem::file_size(file) == 4);
  CHECK_FALSE(second.server.listen_unix(std::string(200, 'a')));
  CHECK_FALSE(second.server.listen_unix(directory.path / "missing" / "admin.sock"));
  Client client(path);
  client.send(get);
  CHECK(world.answered(client));
}

TEST_CASE("an address that cannot be listened on says why") {
  Loopback world;
  const auto taken = fmt::format("127.0.0.1:{}", world.port);
  const auto used = world.server.listen_tcp(taken);
  REQUIRE_FALSE(used);
  CHECK(used.error().message.contains(taken));
  for (const auto* wrong : {"", "8787", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "300.0.0.1:1",
                            "example.com:80", "127.0.0.1:80x", "[::1:80"}) {
    CAPTURE(wrong);
    const auto answer = world.server.listen_tcp(wrong);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::invalid_input);
  }
}

TEST_CASE("a listening socket is taken over, any other descriptor is not") {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::listen(listening, 8) == 0);
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  REQUIRE(::getsockname(listening, reinterpret_cast<sockaddr*>(&bound), &length) == 0);
  const int plain = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Loopback world;
  CHECK(world.server.listen_fd(listening));
  CHECK_FALSE(world.server.listen_fd(plain));
  CHECK_FALSE(world.server.listen_fd(-1));
  ::close(plain);
}

}  // namespace vigil::ingress
