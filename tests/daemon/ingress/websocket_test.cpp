// The real socket against a real server on the loopback: messages, pings, closings, limits; and a
// stream of trades over it that is cut in the middle.
#include "daemon/ingress/websocket.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <optional>

#include "core/log.hpp"
#include "daemon/ingress/streams.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/false_names.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace {

constexpr auto awaited = asio::as_tuple(asio::use_awaitable);
using ServerStream = beast::websocket::stream<beast::tcp_stream>;

// Serves one connection after the other, each by what the test says.
class Server {
 public:
  using Serve = std::function<asio::awaitable<void>(ServerStream& stream, int connection)>;
  Server(asio::any_io_executor executor, Serve serve)
      : acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        serve_(std::move(serve)),
        group_(executor) {
    group_.spawn("server", [this] { return listen(); });
  }
  std::string url() const {
    return fmt::format("ws://127.0.0.1:{}/ws", acceptor_.local_endpoint().port());
  }
  asio::awaitable<void> stop() {
    group_.cancel();
    acceptor_.close();
    co_await group_.join();
  }

 private:
  asio::awaitable<void> listen() {
    for (int connection = 1;; ++connection) {
      auto accepting = acceptor_.async_accept(awaited);
      auto [error, socket] = co_await std::move(accepting);
      if (error) co_return;
      ServerStream stream{std::move(socket)};
      auto greeting = stream.async_accept(awaited);
      auto [refused] = co_await std::move(greeting);
      if (refused) continue;
      auto serving = serve_(stream, connection);
      co_await std::move(serving);
    }
  }

  tcp::acceptor acceptor_;
  Serve serve_;
  TaskGroup group_;
};

asio::awaitable<std::string> hear(ServerStream& stream) {
  beast::flat_buffer buffer;
  auto reading = stream.async_read(buffer, awaited);
  auto [error, count] = co_await std::move(reading);
  (void)count;
  co_return error ? std::string() : beast::buffers_to_string(buffer.data());
}

asio::awaitable<void> say(ServerStream& stream, std::string text) {
  stream.text(true);
  auto writing = stream.async_write(asio::buffer(text), awaited);
  auto [error, count] = co_await std::move(writing);
  (void)error;
  (void)count;
}

asio::awaitable<void> bid_farewell(ServerStream& stream) {
  auto closing =
      stream.async_close({beast::websocket::close_code::going_away, "24 hours"}, awaited);
  auto [error] = co_await std::move(closing);
  (void)error;
}

struct World : testing::ClockedWorld {
  World() : ClockedWorld(parse_rfc3339("2026-11-24T10:01:00Z").value()) {
    set_log_level(LogLevel::off);
  }
  void serve(Server::Serve how) { server.emplace(loop.get_executor(), std::move(how)); }
  ~World() {
    if (!server) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = server->stop();
      co_await std::move(stopping);
    });
  }
  std::optional<Server> server;
};

std::string trade(std::uint64_t number, const char* price, TimePoint at) {
  return fmt::format(R"({{"e":"trade","s":"A","t":{},"p":"{}","q":"1","T":{}}})", number, price,
                     to_unix_us(at) / 1000);
}

config::Settings settings_for(const std::string& url) {
  config::Settings settings;
  auto& source = settings.sources["ticks"];
  source.name = "ticks";
  auto& stream = source.of.emplace<config::Stream>();
  stream.form = config::StreamForm::binance;
  stream.url = url;
  stream.symbols = {"A"};
  return settings;
}

}  // namespace

TEST_CASE("messages go both ways, and the server's reason for closing is told") {
  World world;
  world.serve([](ServerStream& stream, int) -> asio::awaitable<void> {
    auto hearing = hear(stream);
    std::string heard = co_await std::move(hearing);
    auto pinging = stream.async_ping({}, awaited);
    auto [error] = co_await std::move(pinging);
    (void)error;
    auto answer = say(stream, "you said " + heard);
    co_await std::move(answer);
    auto farewell = bid_farewell(stream);
    co_await std::move(farewell);
  });
  std::vector<std::string> got;
  world.run([&]() -> asio::awaitable<void> {
    auto opening = open_websocket({.url = world.server->url(), .ca = {}, .idle = 30s});
    auto opened = co_await std::move(opening);
    REQUIRE_MESSAGE(opened, opened.error().message);
    auto& socket = **opened;
    auto sending = socket.send("hello");
    Result<void> sent = co_await std::move(sending);
    CHECK(sent);
    for (int i = 0; i < 2; ++i) {
      auto receiving = socket.receive();
      Result<std::string_view> text = co_await std::move(receiving);
      got.push_back(text ? std::string(*text) : text.error().message);
    }
  });
  REQUIRE(got.size() == 2);
  CHECK(got[0] == "you said hello");
  CHECK(got[1] == "the server closed it: 1001 \"24 hours\"");
}

TEST_CASE("a message beyond the limit, nobody there and another address are errors") {
  World world;
  world.serve([](ServerStream& stream, int connection) -> asio::awaitable<void> {
    if (connection <= 2) {
      auto shouting = say(stream, std::string(5000, 'x'));
      co_await std::move(shouting);
    }
    auto waiting = hear(stream);
    std::string nothing = co_await std::move(waiting);
    (void)nothing;
  });
  const auto first_error = [&](SocketSettings settings) {
    std::string out;
    world.run([&]() -> asio::awaitable<void> {
      auto opening = open_websocket(settings);
      auto opened = co_await std::move(opening);
      if (!opened) {
        out = opened.error().message;
        co_return;
      }
      auto receiving = (*opened)->receive();
      Result<std::string_view> text = co_await std::move(receiving);
      out = text ? "fine" : text.error().message;
    });
    return out;
  };
  CHECK(first_error({.url = world.server->url(), .ca = {}, .message_bytes_max = 1024, .idle = 9s})
            .find("message") != std::string::npos);
  CHECK(first_error({.url = "ws://127.0.0.1:1/", .ca = {}, .idle = 9s})
            .starts_with("cannot connect"));
  CHECK(first_error({.url = "http://127.0.0.1/", .ca = {}, .idle = 9s})
            .starts_with("expected an address"));
  // A name is as good as its address, and that must be a public one unless it is allowed.
  auto named = world.server->url();
  named.replace(named.find("127.0.0.1"), 9, "trades.inside");
  CHECK(first_error({.url = named, .ca = {}, .idle = 9s})
            .starts_with("trades.inside is at 127.0.0.1, a loopback address"));
  SocketSettings allowed{.url = named, .ca = {}, .message_bytes_max = 1024, .idle = 9s};
  allowed.reach = http::Reach({"*.inside"});
  CHECK(first_error(allowed).find("message") != std::string::npos);  // it is too long, as above
}

TEST_CASE("a stream that is cut goes on where it was, and says what it missed") {
  World world;
  int subscribed = 0;
  const auto at = world.clock.now();
  world.serve([&](ServerStream& stream, int connection) -> asio::awaitable<void> {
    auto hearing = hear(stream);
    std::string heard = co_await std::move(hearing);
    subscribed += heard.find("SUBSCRIBE") != heard.npos ? 1 : 0;
    const std::vector<std::uint64_t> numbers =
        connection == 1 ? std::vector<std::uint64_t>{1, 2, 3} : std::vector<std::uint64_t>{3, 6, 7};
    for (const auto number : numbers) {
      auto saying = say(stream, trade(number, "1.5", at + std::chrono::milliseconds{number}));
      co_await std::move(saying);
    }
    if (connection == 1) co_return;  // cut, without a word
    auto waiting = hear(stream);
    heard = co_await std::move(waiting);
  });
  const auto settings = settings_for(world.server->url());
  std::vector<storage::NewEvent> events;
  Streams streams(
      world.loop.get_executor(), world.clock, open_websocket,
      [](http::Request) -> asio::awaitable<http::Received> {
        co_return std::unexpected(http::Failure{Error{ErrorCode::unavailable, "none"}});
      },
      [&](Noticed noticed) -> asio::awaitable<Result<int>> {
        for (auto& event : noticed.events) events.push_back(std::move(event));
        co_return static_cast<int>(noticed.events.size());
      });
  REQUIRE(streams.apply(settings));
  streams.start(*world.reader);
  const auto view = [&] { return streams.views().at(0); };
  // The clock moves when the sockets have nothing to say: pauses, not patience, are passed over.
  const auto turn = [&](auto holds) {
    for (int idle = 0; !holds() && idle < 1000;) {
      world.loop.restart();
      if (world.loop.run_one_for(10ms) > 0) continue;
      world.clock.advance_by(100ms);
      ++idle;
    }
    CHECK(holds());
  };
  turn([&] { return view().counts.trades == 5; });
  CHECK(view().connections == 2);
  CHECK(view().counts.duplicates == 1);
  CHECK(subscribed == 2);
  world.clock.advance_to(at + 70s);
  const auto bars = [&] {
    return std::ranges::count(events, std::string("market.bar"), &storage::NewEvent::type);
  };
  turn([&] { return bars() == 1; });
  CHECK(std::ranges::count(events, std::string("market.gap"), &storage::NewEvent::type) == 1);
  CHECK(view().counts.missed == 2);
  world.run([&]() -> asio::awaitable<void> {
    auto stopping = streams.stop();
    co_await std::move(stopping);
  });
}
