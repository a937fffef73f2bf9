// Streams of trades: a journal, a clock that the test moves, and a server that says what it is
// told.
#include "daemon/ingress/streams.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <optional>

#include "core/bell.hpp"
#include "core/log.hpp"
#include "tests/support/clocked_world.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// What one connection was told and what it will say.
struct Line {
  explicit Line(asio::any_io_executor executor) : bell(executor) {}
  std::deque<std::string> says;
  std::vector<std::string> heard;
  bool ended = false;
  std::string current;
  Bell bell;
};

class FakeSocket final : public Socket {
 public:
  explicit FakeSocket(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  asio::awaitable<Result<void>> send(std::string text) override {
    line_->heard.push_back(std::move(text));
    co_return Result<void>{};
  }
  asio::awaitable<Result<std::string_view>> receive() override {
    while (line_->says.empty() && !line_->ended) co_await line_->bell.wait();
    if (line_->says.empty()) co_return fail(ErrorCode::unavailable, "the server closed it: 1001");
    line_->current = std::move(line_->says.front());
    line_->says.pop_front();
    co_return std::string_view(line_->current);
  }
  void drop() override {
    line_->ended = true;
    line_->bell.ring();
  }

 private:
  std::shared_ptr<Line> line_;
};

struct World : testing::ClockedWorld {
  World() : ClockedWorld(parse_rfc3339("2026-11-24T10:00:00Z").value()) {
    set_log_level(LogLevel::off);
    auto& source = settings.sources["ticks"];
    source.name = "ticks";
    auto& stream = source.of.emplace<config::Stream>();
    stream.form = config::StreamForm::binance;
    stream.symbols = {"BTCUSDT"};
    stream.crossings = {{"BTCUSDT", "100 200"}};
  }
  ~World() { stop(); }
  config::Stream& stream() { return std::get<config::Stream>(settings.sources["ticks"].of); }

  asio::awaitable<Result<int>> accept(Noticed noticed) {
    if (refuse) co_return fail(ErrorCode::busy, "on purpose");
    auto kept = std::make_shared<Noticed>(std::move(noticed));
    auto committing = writer->commit([kept](storage::Stores& stores) {
      int fresh = 0;
      for (const auto& event : kept->events) {
        fresh += stores.journal.append(event).duplicate ? 0 : 1;
      }
      kept->along(stores);
      return fresh;
    });
    Result<int> fresh = co_await std::move(committing);
    for (auto& event : kept->events) events.push_back(std::move(event));
    co_return fresh;
  }
  asio::awaitable<Result<std::unique_ptr<Socket>>> open_socket(SocketSettings wanted) {
    asked = wanted;
    if (unreachable) co_return fail(ErrorCode::unavailable, "cannot connect: on purpose");
    lines.push_back(std::make_shared<Line>(loop.get_executor()));
    std::unique_ptr<Socket> socket = std::make_unique<FakeSocket>(lines.back());
    co_return std::move(socket);
  }
  asio::awaitable<http::Received> fetch(http::Request request) {
    fetched.push_back(request.url);
    http::Answer answer;
    answer.status = 200;
    answer.body = missed_trades;
    co_return answer;
  }
  void start() {
    streams.emplace(
        loop.get_executor(), clock,
        [this](SocketSettings wanted) { return open_socket(std::move(wanted)); },
        [this](http::Request request) { return fetch(std::move(request)); },
        [this](Noticed noticed) { return accept(std::move(noticed)); });
    REQUIRE(streams->apply(settings));
    streams->start(*reader);
    poll();
    pass(1s);  // greetings take their time
  }
  void stop() {
    if (!streams) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = streams->stop();
      co_await std::move(stopping);
    });
    streams.reset();
  }
  // A trade of now.
  void trade(std::uint64_t number, const char* price) {
    lines.back()->says.push_back(fmt::format(
        R"({{"e":"trade","E":1,"s":"BTCUSDT","t":{},"p":"{}","q":"0.1","T":{},"m":true}})", number,
        price, to_unix_us(clock.now()) / 1000));
    lines.back()->bell.ring();
    settle();
  }
  std::vector<std::string> told(const std::string& type) const {
    std::vector<std::string> out;
    for (const auto& event : events) {
      if (event.type == type) out.push_back(event.data);
    }
    return out;
  }
  Streams::View view() { return streams->views().at(0); }

  config::Settings settings;
  std::optional<Streams> streams;
  std::vector<std::shared_ptr<Line>> lines;
  std::vector<storage::NewEvent> events;
  std::vector<std::string> fetched;
  std::string missed_trades = "[]";
  SocketSettings asked;
  bool refuse = false;
  bool unreachable = false;
};

}  // namespace

TEST_CASE("it subscribes, condenses and stores a bar with exact prices; a level is told at once") {
  World world;
  world.start();
  CHECK(world.asked.url == "wss://stream.binance.com:9443/ws");
  CHECK(world.lines.at(0)->heard ==
        std::vector<std::string>{R"({"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1})"});
  world.pass(59s);  // the next minute
  world.trade(1, "99.000000000000000001");
  world.trade(2, "100.5");
  const auto crossings = world.told("market.trade");
  REQUIRE(crossings.size() == 1);
  CHECK(crossings[0].find(R"("crossed":"100","direction":"up")") != std::string::npos);
  world.pass(70s);
  const auto bars = world.told("market.bar");
  REQUIRE(bars.size() == 1);
  CHECK(bars[0] == R"({"symbol":"BTCUSDT","interval":"1m","time":"2026-11-24T10:01:00.000Z",)"
                   R"("open":"99.000000000000000001","high":"100.5","low":"99.000000000000000001",)"
                   R"("close":"100.5","volume":"0.2","trades":2,"closed":true,"whole":true})");
  CHECK(world.view().waiting == 0);
  CHECK(world.view().trouble.empty());
}

TEST_CASE("a lost connection is made again with pauses that grow, and subscribed again") {
  World world;
  world.start();
  world.trade(1, "1");
  world.unreachable = true;
  world.lines.back()->ended = true;
  world.lines.back()->bell.ring();
  world.settle();
  CHECK(!world.view().connected);
  CHECK(world.view().trouble.find("1001") != std::string::npos);
  world.pass(10s);
  CHECK(world.view().trouble.find("cannot connect") != std::string::npos);
  world.unreachable = false;
  world.pass(2min);
  REQUIRE(world.lines.size() == 2);
  CHECK(world.view().connected);
  CHECK(world.lines[1]->heard.size() == 1);
  world.trade(2, "1");  // nothing was missed: the number says so
  world.pass(10s);
  CHECK(world.told("market.gap").empty());
  world.trade(7, "1");
  world.pass(10s);
  const auto gaps = world.told("market.gap");
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].find(R"("missed":4,"first":"3","last":"6")") != std::string::npos);
  CHECK(gaps[0].find(R"("why":"sequence")") != std::string::npos);
}

TEST_CASE("what a crash loses of open windows is said after the restart, once") {
  World world;
  world.start();
  world.pass(59s);
  world.trade(1, "1");
  world.trade(2, "1");
  world.pass(70s);
  REQUIRE(world.told("market.bar").size() == 1);
  world.trade(3, "1");  // of a window that is lost
  world.stop();
  world.events.clear();
  world.start();
  world.trade(6, "1");
  world.pass(10s);
  auto gaps = world.told("market.gap");
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].find(R"("why":"restart")") != std::string::npos);
  CHECK(gaps[0].find(R"("missed":3,"first":"3","last":"5")") != std::string::npos);
  world.pass(2min);
  auto bars = world.told("market.bar");
  REQUIRE(bars.size() == 1);
  CHECK(bars[0].find(R"("whole":false)") != std::string::npos);
  // From here on all is known again.
  world.events.clear();
  world.trade(7, "1");
  world.pass(2min);
  bars = world.told("market.bar");
  REQUIRE(bars.size() == 1);
  CHECK(bars[0].find(R"("whole":true)") != std::string::npos);
}

TEST_CASE("missed trades are asked for, and close the hole in time") {
  World world;
  world.stream().refetch = "https://h/trades?symbol={symbol}&fromId={from}";
  world.start();
  world.pass(59s);
  world.missed_trades = fmt::format(
      R"([{{"id":2,"price":"5","qty":"1","time":{0}}},{{"id":3,"price":"6","qty":"1","time":{0}}}])",
      to_unix_us(world.clock.now()) / 1000);
  world.trade(1, "1");
  world.trade(4, "2");
  CHECK(world.fetched == std::vector<std::string>{"https://h/trades?symbol=BTCUSDT&fromId=2"});
  world.pass(70s);
  CHECK(world.told("market.gap").empty());
  const auto bars = world.told("market.bar");
  REQUIRE(bars.size() == 1);
  CHECK(bars[0].find(R"("high":"6")") != std::string::npos);
  CHECK(bars[0].find(R"("trades":4,"closed":true,"whole":true)") != std::string::npos);
}

TEST_CASE("bars wait while nothing can be stored, and are told once when it can") {
  World world;
  world.start();
  world.refuse = true;
  world.trade(1, "1");
  world.pass(2min);
  CHECK(world.told("market.bar").empty());
  CHECK(world.view().waiting == 1);
  world.refuse = false;
  world.pass(5s);
  CHECK(world.told("market.bar").size() == 1);
  CHECK(world.view().waiting == 0);
}

TEST_CASE("messages that are not understood are counted and passed over, refusals are said") {
  World world;
  world.start();
  for (const auto* text : {"{", R"({"e":"trade","s":"A"})", R"({"result":null,"id":1})"}) {
    world.lines.back()->says.emplace_back(text);
  }
  world.lines.back()->says.emplace_back(R"({"error":{"code":2,"msg":"no such symbol"},"id":1})");
  world.lines.back()->bell.ring();
  world.settle();
  CHECK(world.view().unread == 2);
  CHECK(world.view().messages == 4);
  CHECK(world.view().trouble == "no such symbol");
  CHECK(world.view().connected);
}

TEST_CASE("a reload that changes nothing leaves the windows alone") {
  World world;
  world.start();
  world.pass(59s);
  world.trade(1, "1");
  REQUIRE(world.streams->apply(world.settings));
  world.trade(2, "3");
  world.pass(70s);
  CHECK(world.lines.size() == 1);
  CHECK(world.told("market.bar").size() == 1);
  world.stream().lateness = 7s;  // another window: a new connection
  REQUIRE(world.streams->apply(world.settings));
  world.pass(2s);
  CHECK(world.lines.size() == 2);
}
