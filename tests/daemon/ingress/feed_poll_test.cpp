// Polled feeds and tables: a real client, a real journal, a real vigil-task, and a server that
// plays the outside world.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "core/log.hpp"
#include "daemon/ingress/poller.hpp"
#include "swarm/process_runner.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/places.hpp"
#include "tests/support/small_server.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;
using testing::Heard;
using testing::Reply;
namespace asio = boost::asio;

namespace {

struct World : testing::ClockedWorld {
  World()
      : ClockedWorld(parse_rfc3339("2026-11-24T10:00:00Z").value()), server(loop.get_executor()) {
    set_log_level(LogLevel::off);
    for (const auto* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
      ::unsetenv(name);
    auto& source = settings.sources["feed"];
    source.name = "feed";
    auto& poll = source.of.emplace<config::Poll>();
    poll.url = server.url("/feed");
    poll.form = config::PollForm::feed;
    server.otherwise = [this](const Heard& heard) { return answer(heard); };
  }
  ~World() {
    stop();
    client.reset();
    run([this]() -> asio::awaitable<void> {
      auto stopping = server.stop();
      co_await std::move(stopping);
    });
  }
  config::Poll& poll() { return std::get<config::Poll>(settings.sources["feed"].of); }
  Reply answer(const Heard& heard) {
    const auto etag = "\"" + std::to_string(std::hash<std::string>{}(body)) + "\"";
    const auto asked = heard.headers.find("if-none-match");
    if (asked != heard.headers.end() && asked->second == etag) return {304, "", {{"ETag", etag}}};
    return {200, body, {{"ETag", etag}, {"Content-Type", content_type}}};
  }
  asio::awaitable<Result<int>> accept(Noticed noticed) {
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
  void start() {
    client.emplace(loop.get_executor(), clock, reach);
    poller.emplace(
        loop.get_executor(), clock,
        [this](http::Request request) { return client->perform(std::move(request)); },
        [this](Noticed noticed) { return accept(std::move(noticed)); },
        [this] {
          swarm::ProcessLimits limits;
          limits.memory_bytes_max = 100'000'000'000'000;  // a build that checks its memory
          return swarm::make_process_runner(loop.get_executor(), clock, bin_dir(),
                                            (path / "reading").string(), limits);
        });
    REQUIRE(poller->apply(settings));
    poller->start(*reader);
    until([this] { return view().looks >= 1; });
  }
  void stop() {
    if (!poller) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = poller->stop();
      co_await std::move(stopping);
    });
    poller.reset();
  }
  Poller::View view() { return poller->views().at(0); }
  void look_again() {
    const auto before = view().looks;
    clock.advance_to(view().next_look);
    until([this, before] { return view().looks > before; });
  }
  std::string told() {
    std::string out;
    for (const auto& event : events) out += event.type + " " + event.subject + "|";
    events.clear();
    return out;
  }

  testing::SmallServer server;
  std::string body;
  std::string content_type = "application/rss+xml";
  config::Settings settings;
  http::Reach reach;
  std::optional<http::Client> client;
  std::optional<Poller> poller;
  std::vector<storage::NewEvent> events;
};

std::string item(int number, const std::string& text = "t") {
  return fmt::format(
      "<item><guid>g{}</guid><title>Item {}</title><description>{}</description></item>", number,
      number, text);
}
std::string rss(const std::string& items) {
  return "<rss version=\"2.0\"><channel><title>News</title>" + items + "</channel></rss>";
}

}  // namespace

TEST_CASE("entries of a feed are told once each, the oldest first, nothing at the first look") {
  World world;
  world.body = rss(item(2) + item(1));
  world.start();
  CHECK(world.view().trouble.empty());
  CHECK(world.told().empty());
  world.body = rss(item(4) + item(3, "x &lt;b&gt;y&lt;/b&gt;") + item(2, "changed"));
  world.look_again();
  REQUIRE(world.events.size() == 2);
  CHECK(world.events[0].uid == "g3");
  CHECK(world.events[0].data ==
        R"({"id":"g3","title":"Item 3","link":"","summary":"x y","authors":[],"categories":[],)"
        R"("feed":"News"})");
  CHECK(world.told() == "feed.item Item 3|feed.item Item 4|");
  world.look_again();  // by the server's word nothing is new
  CHECK(world.view().unchanged == 1);
  world.stop();
  world.body = rss(item(5) + item(4) + item(3));
  world.start();  // after a restart it goes on where it was
  CHECK(world.told() == "feed.item Item 5|");
}

TEST_CASE("an entry that says something else is told again where that is wanted") {
  World world;
  world.poll().updates = true;
  world.poll().backfill = true;
  world.body = rss(item(1));
  world.start();
  CHECK(world.told() == "feed.item Item 1|");
  world.body = rss(item(1, "other"));
  world.look_again();
  CHECK(world.told() == "feed.item.updated Item 1|");
  world.body = rss(item(1));  // and back: another update
  world.look_again();
  CHECK(world.told() == "feed.item.updated Item 1|");
}

TEST_CASE("the charset of the transport is heard, and a page for people is refused with advice") {
  World world;
  world.poll().backfill = true;
  world.content_type = "text/xml; charset=\"ISO-8859-1\"";
  world.body = rss("<item><title>caf\xE9</title></item>");
  world.start();
  CHECK(world.told() == "feed.item caf\xC3\xA9|");
  world.body = "<html><body>moved</body></html>";
  world.look_again();
  CHECK(world.view().trouble.find("a page for people") != std::string::npos);
}

TEST_CASE("rows of a table are told when they say something new, bars when they are over") {
  World world;
  world.content_type = "text/csv";
  world.poll().form = config::PollForm::table;
  config::Mapping mapping;
  mapping.columns = {{"symbol", "s"}, {"price", "p"}};
  world.poll().table = mapping;
  world.body = "s,p\nA,1.10\nB,2\n";
  world.start();
  CHECK(world.told().empty());
  world.body = "s,p\nA,1.1000\nB,3\nC,bad\n";
  world.look_again();
  REQUIRE(world.events.size() == 1);
  CHECK(world.events[0].data == R"({"last":"3","symbol":"B"})");
  CHECK(world.told() == "market.quote B|");
  CHECK(world.view().left_out.find("\"bad\" is no number") != std::string::npos);
  world.body = "s,p\nA,1.1\nB,2\n";  // back again: it is news
  world.look_again();
  CHECK(world.told() == "market.quote B|");
  world.stop();
  mapping.columns = {{"time", "d"}, {"close", "c"}};
  mapping.symbol = "X";
  mapping.interval = "1d";
  world.poll().table = mapping;
  world.poll().backfill = true;
  world.poll().url = world.server.url("/daily");
  world.body = "d,c\n2026-11-23,1\n2026-11-20,3\n2026-11-24,2\n";  // the last is still open
  world.start();
  REQUIRE(world.events.size() == 2);
  CHECK(to_rfc3339(world.events[0].time) == "2026-11-20T00:00:00.000Z");
  CHECK(to_rfc3339(world.events[1].time) == "2026-11-23T00:00:00.000Z");
}
