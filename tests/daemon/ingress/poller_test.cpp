// Polled documents: a real client, a real journal, and a server that plays the outside world.
#include "daemon/ingress/poller.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "core/log.hpp"
#include "daemon/ingress/poll_reading.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/jumping_clock.hpp"
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
      : ClockedWorld(parse_rfc3339("2026-11-24T10:00:00Z").value()),
        wall(clock),
        server(loop.get_executor()) {
    set_log_level(LogLevel::off);
    for (const auto* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
      ::unsetenv(name);
    auto& source = settings.sources["feed"];
    source.name = "feed";
    source.of.emplace<config::Poll>().url = server.url("/items");
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

  // The list as it is, with an ETag that says which.
  Reply answer(const Heard& heard) {
    const auto etag = "\"" + std::to_string(std::hash<std::string>{}(body)) + "\"";
    const auto asked = heard.headers.find("if-none-match");
    if (asked != heard.headers.end() && asked->second == etag) return {304, "", {{"ETag", etag}}};
    return {200, body, {{"ETag", etag}}};
  }

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
  void start() {
    client.emplace(loop.get_executor(), wall, reach);
    poller.emplace(
        loop.get_executor(), wall,
        [this](http::Request request) { return client->perform(std::move(request)); },
        [this](Noticed noticed) { return accept(std::move(noticed)); });
    REQUIRE(poller->apply(settings));
    poller->start(*reader);
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
  void until_looks(std::uint64_t count) {
    until([this, count] { return view().looks >= count; });
  }
  void look_again() {
    const auto before = view().looks;
    clock.advance_to(view().next_look);
    until_looks(before + 1);
  }
  std::vector<std::string> uids() const {
    std::vector<std::string> out;
    for (const auto& event : events) out.push_back(event.uid);
    return out;
  }

  testing::JumpingClock wall;
  testing::SmallServer server;
  std::string body = R"([{"id": 2, "t": "b"}, {"id": 1, "t": "a"}])";
  config::Settings settings;
  http::Reach reach;
  std::optional<http::Client> client;
  std::optional<Poller> poller;
  std::vector<storage::NewEvent> events;
  bool refuse = false;
};

using Uids = std::vector<std::string>;

}  // namespace

TEST_CASE("the first look tells nothing, later ones what is new, the oldest first, once") {
  World world;
  world.start();
  world.until_looks(1);
  CHECK(world.events.empty());
  world.body = R"([{"id": 4}, {"id": 3}, {"id": 2}])";
  world.look_again();
  CHECK(world.uids() == Uids{"3", "4"});
  CHECK(world.events[0].type == "poll.item");
  world.look_again();
  CHECK(world.view().unchanged == 1);
  CHECK(world.server.heard.back().headers.contains("if-none-match"));
  world.stop();
  world.body = R"([{"id": 5}, {"id": 1}])";  // 1 was there before
  world.start();
  world.until_looks(1);
  CHECK(world.uids() == Uids{"3", "4", "5"});
}

TEST_CASE("with backfill all that is there is told, page after page of one server") {
  World world;
  world.poll().backfill = true;
  world.server.replies.push_back(
      {200, world.body, {{"Link", "<" + world.server.url("/more") + ">; rel=\"next\""}}});
  world.server.replies.push_back(
      {200, R"([{"id": 0}])", {{"Link", "<http://other.example/x>; rel=\"next\""}}});
  world.start();
  world.until_looks(1);
  CHECK(world.uids() == Uids{"0", "1", "2"});
  CHECK(world.server.heard.size() == 2);
}

TEST_CASE("what could not be stored is told when it can be") {
  World world;
  world.start();
  world.until_looks(1);
  world.refuse = true;
  world.body = R"([{"id": 3}])";
  world.look_again();
  CHECK(world.view().trouble == "on purpose");
  world.refuse = false;
  world.look_again();
  CHECK(world.uids() == Uids{"3"});
  CHECK(world.view().trouble.empty());
}

TEST_CASE("a server says how long it wants to be left alone") {
  World world;
  world.server.replies.push_back({200, "[]", {{"X-Poll-Interval", "300"}}});
  world.server.replies.push_back({429, "", {{"Retry-After", "7200"}}});
  world.server.replies.push_back({500, "oops", {}});
  world.server.replies.push_back({500, "oops", {}});
  world.start();
  world.until_looks(1);
  const auto pause = [&] { return world.view().next_look - world.view().last_look; };
  CHECK(pause() == 5min);
  world.look_again();
  CHECK(pause() == 2h);
  CHECK(world.view().trouble.find("429") != std::string::npos);
  world.look_again();
  CHECK(pause() == 2min);
  world.look_again();
  CHECK(pause() == 4min);
}

TEST_CASE("a wall clock that is set by an hour neither hastens the next look nor puts it off") {
  for (const Duration by : {Duration{1h}, Duration{-1h}}) {
    CAPTURE(by.count());
    World world;
    world.start();
    world.until_looks(1);
    world.settle();
    const auto every = world.poll().every;
    world.pass(every / 2);
    world.wall.jump(by);
    world.settle();
    CHECK(world.view().looks == 1);
    CHECK(world.clock.next_deadline() == world.clock.now() + every / 2);
    world.body = R"([{"id": 3}])";
    world.clock.advance_by(every / 2);
    world.until_looks(2);
    CHECK(world.uids() == Uids{"3"});
    CHECK(world.events[0].received_at == world.wall.now());
  }
}

TEST_CASE("the token is sent, never to be read in what is told, and a bad one is said at once") {
  World world;
  const auto file = (world.path / "token").string();
  std::ofstream(file) << "ghp_secret\n";
  ::chmod(file.c_str(), 0600);
  world.poll().token = config::SecretRef{"file:" + file};
  world.start();
  world.until_looks(1);
  CHECK(world.server.heard.back().headers.at("authorization") == "Bearer ghp_secret");
  world.poll().token = config::SecretRef{"file:/no/such/file"};
  const auto refused = world.poller->apply(world.settings);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with("source.feed.token: "));
}

TEST_CASE("a document that is no list says which key to correct") {
  World world;
  world.body = R"({"things": []})";
  world.start();
  world.until_looks(1);
  CHECK(world.view().trouble.find("`items`") != std::string::npos);
  world.body = R"([{"name": "x"}])";
  world.look_again();
  CHECK(world.view().trouble.find("`id`") != std::string::npos);
  world.body = "<html>";
  world.look_again();
  CHECK(world.view().trouble.find("not JSON") != std::string::npos);
}

TEST_CASE("a document is told when it is another one, also when it comes back") {
  World world;
  world.poll().form = config::PollForm::document;
  world.poll().type = "page.changed";
  world.body = "one";
  world.start();
  world.until_looks(1);
  CHECK(world.events.empty());
  for (const char* text : {"two", "one", "one"}) {
    world.body = text;
    world.look_again();
  }
  REQUIRE(world.events.size() == 2);
  CHECK(world.events[0].type == "page.changed");
  CHECK(world.events[1].data == R"({"text":"one"})");
}

TEST_CASE("GitHub's events come as its webhooks would have told them") {
  config::Poll settings;
  settings.url = "https://api.github.com/repos/octo/app/events";
  settings.form = config::PollForm::github_events;
  const std::string document = R"([
    {"id": "9", "type": "PullRequestEvent", "actor": {"login": "ann"}, "repo": {"name": "octo/app"},
     "created_at": "2026-11-24T09:59:00Z",
     "payload": {"action": "opened", "number": 7,
                 "pull_request": {"number": 7, "head": {"sha": "abc"}}}},
    {"id": "8", "type": "PushEvent", "actor": {"login": "bob"}, "repo": {"name": "octo/app"},
     "payload": {"ref": "refs/heads/main", "before": "a1", "head": "b2",
                 "commits": [{"sha": "b2", "message": "m"}]}}])";
  const auto now = parse_rfc3339("2026-11-24T10:00:00Z").value();
  const auto page = read_page(
      "gh", settings, Taint::untrusted, document, [](const std::string& id) { return id == "no"; },
      now);
  REQUIRE(page);
  REQUIRE(page->fresh.size() == 2);
  const auto& pull = page->fresh[0];
  CHECK(pull.event.type == "github.pull_request.opened");
  CHECK(to_rfc3339(pull.event.time) == "2026-11-24T09:59:00.000Z");
  CHECK(find_text(pull.payload, "repository.full_name") == "octo/app");
  const auto& push = page->fresh[1];
  CHECK(push.event.type == "github.push");
  CHECK(find_text(push.payload, "after") == "b2");
  CHECK(find_text(push.payload, "commits.0.id") == "b2");
}

TEST_CASE("the next page is one of the same server") {
  const std::string url = "https://api.example.com/a?page=1";
  CHECK(next_page(R"(<https://api.example.com/a?page=2>; rel="next", <https://x/>; rel="last")",
                  url) == "https://api.example.com/a?page=2");
  CHECK(next_page(R"(<https://api.example.com/a?page=0>; rel="prev", )"
                  R"(<https://api.example.com/a?page=2>; rel="next")",
                  url) == "https://api.example.com/a?page=2");
  CHECK(next_page(R"(<https://api.example.com.evil/a>; rel="next")", url).empty());
  CHECK(next_page(R"(<https://evil/a>; rel="next")", url).empty());
  CHECK(next_page("", url).empty());
  CHECK(next_page("<<>,<", url).empty());
}
