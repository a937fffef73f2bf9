// What a client can stretch has an end: times, sizes, numbers. The clock stands still until told.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <cstdio>
#include <stdexcept>

#include "core/log.hpp"
#include "tests/daemon/ingress/loopback.hpp"

namespace vigil::ingress {
namespace {

using namespace std::chrono_literals;
using testing::bodies_of;
using testing::Client;
using testing::count_of;
using testing::Loopback;
using testing::post;
namespace asio = boost::asio;

// Uses up the descriptors of this process, so that the next one cannot be had.
class NoDescriptors {
 public:
  NoDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    auto few = before_;
    few.rlim_cur = 200;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
    REQUIRE(errno == EMFILE);
  }
  ~NoDescriptors() {
    while (!taken_.empty()) give_one_back();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void give_one_back() {
    ::close(taken_.back());
    taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace

TEST_CASE("with nobody connected no timer runs") {
  Loopback world;
  world.settle();
  CHECK(world.clock.next_deadline() == TimePoint::max());
  {
    Client client(world.port);
    client.send(post("x"));
    REQUIRE(world.answered(client));
    CHECK(world.clock.next_deadline() < TimePoint::max());
  }
  REQUIRE(world.has_connections(0));
  world.advance(2s);
  CHECK(world.clock.next_deadline() == TimePoint::max());
}

TEST_CASE("a head that does not come to its end is given up") {
  Loopback world;
  Client client(world.port);
  client.send("POST /a HTTP/1.1\r\nHo");
  REQUIRE(world.has_connections(1));
  world.advance(4s);
  client.send("st: a\r\n");  // a little more does not buy more time
  world.advance(2s);
  client.end_sending();
  REQUIRE(world.has_closed(client));
  CHECK(client.got.starts_with("HTTP/1.1 408 "));
  REQUIRE(world.has_connections(0));
  CHECK(world.server.stats().timed_out == 1);
}

TEST_CASE("a connection that says nothing at all is closed after the head's time") {
  Loopback world;
  Client client(world.port);
  REQUIRE(world.has_connections(1));
  world.advance(4s);
  CHECK(world.server.stats().connections == 1);
  world.advance(2s);
  REQUIRE(world.has_closed(client));
  CHECK(client.got.empty());
}

TEST_CASE("a connection between requests is closed after the idle time, in silence") {
  Loopback world;
  Client client(world.port);
  client.send(post("x"));
  REQUIRE(world.answered(client));
  const auto before = client.got;
  world.advance(14s);
  CHECK(world.server.stats().connections == 1);
  world.advance(2s);
  REQUIRE(world.has_closed(client));
  CHECK(client.got == before);
  CHECK(world.server.stats().timed_out == 0);
}

TEST_CASE("a body that trickles is given up long before the body's time") {
  Loopback world;
  Client client(world.port);
  client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  for (int second = 0; second < 8; ++second) {
    client.send("x");
    world.advance(1s);
  }
  client.end_sending();
  REQUIRE(world.has_closed(client));
  CHECK(client.got.starts_with("HTTP/1.1 408 "));
}

TEST_CASE("a slow body that keeps the least rate is read, until the body's time is over") {
  ServerLimits limits;
  limits.body_timeout = 60s;
  Loopback world(limits);
  const std::string second(2048, 'x');
  Client client(world.port);
  client.send(fmt::format("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 2048 * 20));
  for (int i = 0; i < 20; ++i) {
    client.send(second);
    world.advance(1s);
  }
  REQUIRE(world.answered(client));
  CHECK(client.got.starts_with("HTTP/1.1 200 "));
  client.send(fmt::format("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 2048 * 90));
  for (int i = 0; i < 62; ++i) {
    client.send(second);
    world.advance(1s);
  }
  client.end_sending();
  REQUIRE(world.has_closed(client));
  CHECK(client.got.contains("HTTP/1.1 408 "));
}

TEST_CASE("who does not read the answer is cut") {
  const std::string large(64 * 1024 * 1024, 'y');
  auto give = [&large](Request) -> asio::awaitable<Response> {
    Response out;
    out.body = large;
    co_return out;
  };
  Loopback world({}, give);
  Client client(world.port);
  client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(world.until([&] { return world.server.stats().requests == 1; }));
  world.advance(9s);
  CHECK(world.server.stats().connections == 1);
  world.advance(2s);
  REQUIRE(world.has_connections(0));
  CHECK(world.server.stats().timed_out == 1);
}

TEST_CASE("a request that was cut in its body is never handled") {
  int handled = 0;
  auto count = [&handled](Request) -> asio::awaitable<Response> {
    ++handled;
    co_return Response{};
  };
  Loopback world({}, count);
  for (const std::size_t sent : {0u, 1u, 9u}) {
    Client client(world.port);
    client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    client.send(std::string(sent, 'x'));
    REQUIRE(world.has_connections(1));
    client.leave();
    REQUIRE(world.has_connections(0));
  }
  CHECK(handled == 0);
}

TEST_CASE("one connection too many is told to come back, and served once there is room") {
  ServerLimits limits;
  limits.connections_max = 3;
  Loopback world(limits);  // all of them have only just come
  Client one(world.port);
  Client two(world.port);
  auto three = std::make_unique<Client>(world.port);
  REQUIRE(world.has_connections(3));
  {
    Client four(world.port);
    REQUIRE(world.has_closed(four));
    CHECK(four.got.starts_with("HTTP/1.1 503 "));
    CHECK(four.got.contains("Retry-After: "));
  }
  three.reset();
  REQUIRE(world.has_connections(2));
  Client five(world.port);
  five.send(post("x"));
  REQUIRE(world.answered(five));
  CHECK(five.got.starts_with("HTTP/1.1 200 "));
  one.send(post("y"));
  REQUIRE(world.answered(one));
}

TEST_CASE("without a free descriptor who comes waits, without a busy loop, and is served later") {
  Loopback world;
  Client early(world.port);
  early.send(post("early"));
  REQUIRE(world.answered(early));
  {
    NoDescriptors none;
    none.give_one_back();
    Client late(world.port);  // takes it
    late.send(post("late"));
    world.settle();
    for (int i = 0; i < 10; ++i) {
      world.loop.restart();
      REQUIRE(world.loop.poll() == 0);  // nothing spins
    }
    early.send(post("still here"));
    REQUIRE(world.answered(early, 2));
    none.give_one_back();
    world.advance(1s);
    REQUIRE(world.answered(late));
    CHECK(bodies_of(late.got) == std::vector<std::string>{"POST /a late"});
  }
  CHECK(world.server.stats().accepted == 2);
}

TEST_CASE("all bodies together have a limit, and leave room when they are gone") {
  ServerLimits limits;
  limits.bodies_bytes_max = 100'000;
  Loopback world(limits);
  const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 80000\r\n\r\n";
  Client one(world.port);
  one.send(head + std::string(70'000, 'x'));
  Client two(world.port);
  two.send(head + std::string(20'000, 'y'));  // what it will send does not count yet
  REQUIRE(world.has_connections(2));
  world.settle();
  CHECK(two.got.empty());
  two.send(std::string(60'000, 'y'));
  REQUIRE(world.answered(two));
  CHECK(two.got.starts_with("HTTP/1.1 503 "));
  CHECK(two.got.contains("Retry-After: "));
  one.send(std::string(10'000, 'x'));
  REQUIRE(world.answered(one));
  CHECK(one.got.starts_with("HTTP/1.1 200 "));
  Client three(world.port);
  three.send(head + std::string(80'000, 'z'));
  REQUIRE(world.answered(three));
  CHECK(three.got.starts_with("HTTP/1.1 200 "));
}

TEST_CASE("draining ends idle connections, finishes open requests and takes no new ones") {
  Bell* bell = nullptr;
  int started = 0;
  auto wait = [&](Request request) -> asio::awaitable<Response> {
    Response out;
    out.body = request.body;
    if (request.body != "x") co_return out;
    ++started;
    co_await bell->wait();
    out.body = "done";
    co_return out;
  };
  Loopback world({}, wait);
  bell = &world.bell;
  Client idle(world.port);
  idle.send(post("before"));
  REQUIRE(world.answered(idle));
  Client busy(world.port);
  busy.send(post("x"));
  Client silent(world.port);
  Client newcomer(world.port);
  REQUIRE(world.until([&] { return started == 1 && world.server.stats().connections == 4; }));
  world.start_drain(10s);
  REQUIRE(world.has_closed(idle));
  CHECK(bodies_of(idle.got) == std::vector<std::string>{"before"});
  CHECK_THROWS(Client(world.port));
  // Who had connected and said nothing yet was promised an answer, if the request comes at once.
  newcomer.send(post("just in time"));
  REQUIRE(world.has_closed(newcomer));
  CHECK(bodies_of(newcomer.got) == std::vector<std::string>{"just in time"});
  world.advance(2s);
  REQUIRE(world.has_closed(silent));
  CHECK(silent.got.empty());
  CHECK_FALSE(world.drained());
  bell->ring();
  REQUIRE(world.has_closed(busy));
  CHECK(bodies_of(busy.got) == std::vector<std::string>{"done"});
  CHECK(busy.got.contains("Connection: close\r\n"));
  REQUIRE(world.until([&] { return world.drained(); }));
}

TEST_CASE("what is still open at the end of draining is cut") {
  Bell* bell = nullptr;
  int started = 0;
  bool ended = false;
  auto wait = [&](Request) -> asio::awaitable<Response> {
    struct Mark {
      bool& set;
      ~Mark() { set = true; }
    };
    const Mark mark{ended};
    ++started;
    co_await bell->wait();
    co_return Response{};
  };
  Loopback world({}, wait);
  bell = &world.bell;
  Client busy(world.port);
  busy.send(post("x"));
  REQUIRE(world.until([&] { return started == 1; }));
  world.start_drain(10s);
  world.advance(9s);
  CHECK_FALSE(world.drained());
  world.advance(2s);
  REQUIRE(world.until([&] { return world.drained(); }));
  CHECK(ended);
  REQUIRE(world.has_closed(busy));
  CHECK(busy.got.empty());
  CHECK(world.server.stats().connections == 0);
}

TEST_CASE("what follows the second step of a path, maybe a secret, is not in the log") {
  std::FILE* lines = std::tmpfile();
  const int before = ::dup(STDERR_FILENO);
  const bool was_off = !log_enabled(LogLevel::error);
  set_log_level(LogLevel::error);
  REQUIRE(lines != nullptr);
  {
    auto fail = [](Request) -> asio::awaitable<Response> { throw std::runtime_error("broken"); };
    Loopback world({}, fail);
    Client client(world.port);
    ::dup2(::fileno(lines), STDERR_FILENO);
    client.send("POST /hooks/view/s3cret?a=s3cret HTTP/1.1\r\nHost: a\r\n\r\n");
    const bool answered = world.answered(client);
    ::dup2(before, STDERR_FILENO);
    REQUIRE(answered);
    CHECK(client.got.starts_with("HTTP/1.1 500 "));
  }
  ::close(before);
  if (was_off) set_log_level(LogLevel::off);
  std::string log(4096, '\0');
  std::rewind(lines);
  log.resize(std::fread(log.data(), 1, log.size(), lines));
  (void)std::fclose(lines);
  CHECK(log.contains("place=\"/hooks/view\" error=\"broken\""));
  CHECK_FALSE(log.contains("s3cret"));
}

TEST_CASE("a head as large as it may be is read, one byte more is refused, whatever follows it") {
  ServerLimits limits;
  limits.head_bytes_max = 1024;
  const auto request = [](std::size_t head_bytes) {
    std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: ";
    head.append(head_bytes - head.size() - 4, 'x');
    return head + "\r\n\r\nabc";
  };
  Loopback world(limits);
  Client client(world.port);
  client.send(request(1024) + request(1000) + request(1024));
  REQUIRE(world.answered(client, 3));
  CHECK(count_of(client.got, "200 OK") == 3);
  client.send(request(1025) + request(1000));
  REQUIRE(world.has_closed(client));
  CHECK(count_of(client.got, "200 OK") == 3);
  CHECK(count_of(client.got, "431 ") == 1);
}

}  // namespace vigil::ingress
