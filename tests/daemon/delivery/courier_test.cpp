// The courier: at least once, in order, backing off, and what a crash leaves behind.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/daemon/delivery/delivery_world.hpp"

using namespace vigil;
using namespace std::chrono_literals;
using testing::DeliveryWorld;
using testing::Heard;
using testing::Reply;
namespace asio = boost::asio;

namespace {

struct World : DeliveryWorld {
  World() { add_sink<config::HttpSink>("chat").url = server.url("/ops"); }
};

std::vector<std::string> texts(const std::vector<Heard>& heard) {
  std::vector<std::string> out;
  for (const auto& one : heard) {
    out.emplace_back(find_text(parse_json(one.body).value(), "text").value_or("?"));
  }
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an approved action is delivered, settled with its answer, and its entity is told") {
  World world;
  world.server.replies.push_back({201, R"({"ok":true})", {}});
  world.start();
  const auto id = world.add(world.action("chat"));
  world.until([&] { return world.settled.size() == 1; });
  CHECK(world.settled[0] == id);
  const auto row = world.row(id);
  CHECK(row.state == "delivered");
  CHECK(row.attempts == 1);
  CHECK(find_integer(row.result, "status") == 201);
  CHECK(find_bool(row.result, "answer.ok") == true);
  CHECK(world.wakes_about(id) == 1);
  CHECK(world.courier->stats().delivered == 1);
  CHECK(world.server.heard.at(0).headers.at("webhook-id") == row.key);
  world.settle();
  CHECK(world.clock.next_deadline() == TimePoint::max());  // nothing is due: nobody sleeps
}

TEST_CASE("what waits for a person or for its time is not sent") {
  World world;
  world.start();
  auto proposed = world.action("chat");
  proposed.state = "proposed";
  const auto first = world.add(proposed);
  auto later = world.action("chat");
  later.not_before = world.clock.now() + 1h;
  const auto second = world.add(later);
  world.settle();
  CHECK(world.server.heard.empty());
  CHECK(world.clock.next_deadline() == later.not_before);
  world.clock.advance_by(1h);
  world.until_state(second, "delivered");
  world.commit([first, now = world.clock.now()](storage::Stores& stores) {
    CHECK(stores.outbox.approve(first, now));
  });
  world.courier->nudge();
  world.until_state(first, "delivered");
}

TEST_CASE("a proposal nobody answered expires, and its entity is told") {
  World world;
  world.start();
  auto proposed = world.action("chat");
  proposed.state = "proposed";
  proposed.expires = world.clock.now() + 24h;
  const auto id = world.add(proposed);
  world.settle();
  CHECK(world.clock.next_deadline() == *proposed.expires);
  world.pass(24h);
  CHECK(world.state(id) == "expired");
  CHECK(world.settled == std::vector{id});
  CHECK(world.wakes_about(id) == 1);
  CHECK(world.server.heard.empty());
}

TEST_CASE("an unwilling server is asked again, later and later, with the same key") {
  World world;
  world.server.otherwise = [](const Heard&) -> Reply { return {500, "down", {}}; };
  world.start();
  const auto id = world.add(world.action("chat"));
  const auto begin = world.clock.now();
  Duration last{0};
  for (int attempt = 1; attempt < 10; ++attempt) {
    world.until_retried(id, attempt);
    const auto pause = world.row(id).not_before - world.clock.now();
    CHECK(world.clock.next_deadline() == world.row(id).not_before);
    CHECK(pause >= std::min<Duration>(last, 1h));
    CHECK(pause <= 75min);
    last = pause;
    CHECK(world.row(id).error.find("500") != std::string::npos);
    world.clock.advance_by(pause);
  }
  world.until([&] { return world.settled.size() == 1; });
  CHECK(world.state(id) == "failed");
  CHECK(world.wakes_about(id) == 1);
  CHECK(world.row(id).error.find("given up after 10 attempts: the server answered 500") == 0);
  CHECK(world.server.heard.size() == 10);
  CHECK(world.clock.now() - begin > 3h);
  CHECK(world.clock.now() - begin < 24h);
  std::set<std::string> keys;
  for (const auto& heard : world.server.heard) keys.insert(heard.headers.at("webhook-id"));
  CHECK(keys.size() == 1);
  CHECK(world.courier->stats().retried == 9);
  CHECK(world.courier->stats().failed == 1);
}

TEST_CASE("Retry-After is honoured") {
  World world;
  world.server.replies.push_back({429, "", {{"Retry-After", "600"}}});
  world.server.replies.push_back({503, "", {{"Retry-After", "999999999"}}});
  world.start();
  const auto id = world.add(world.action("chat"));
  world.until_retried(id, 1);
  CHECK(world.row(id).not_before - world.clock.now() == 600s);
  world.clock.advance_by(600s);
  world.until_retried(id, 2);
  CHECK(world.row(id).not_before - world.clock.now() == 24h);  // nobody may silence us for years
  world.clock.advance_by(24h);
  world.until_state(id, "delivered");
}

TEST_CASE("a server that asks to be left alone is left alone by all actions") {
  World world;
  world.server.replies.push_back({429, "", {{"Retry-After", "300"}}});
  world.start();
  const auto first = world.add(world.action("chat"), "printer");
  world.until_retried(first, 1);
  const auto second = world.add(world.action("chat"), "scanner");
  world.pass(299s);
  CHECK(world.server.heard.size() == 1);
  CHECK(world.row(second).attempts == 0);
  world.clock.advance_by(1s);
  world.until_state(first, "delivered");
  world.until_state(second, "delivered");
}

TEST_CASE("what the server will never take fails at once, in its words") {
  World world;
  world.server.replies.push_back({422, "no such room", {}});
  world.server.replies.push_back({401, "", {}});
  world.server.replies.push_back({302, "", {{"Location", "https://elsewhere.example.org/"}}});
  world.start();
  const auto wrong = world.add(world.action("chat"));
  world.until_state(wrong, "failed");
  CHECK(world.row(wrong).error == "the server answered 422: \"no such room\"");
  const auto denied = world.add(world.action("chat"));
  world.until_state(denied, "failed");
  CHECK(world.row(denied).error.find("check the secret or token") != std::string::npos);
  const auto moved = world.add(world.action("chat"));
  world.until_state(moved, "failed");
  CHECK(world.row(moved).error.find("https://elsewhere.example.org/") != std::string::npos);
}

TEST_CASE("an answer that was lost is asked for again: the key makes it one delivery") {
  World world;
  world.server.replies.push_back({.manner = Reply::Manner::hang});
  world.server.replies.push_back({.manner = Reply::Manner::close_before_answer});
  world.start();
  const auto id = world.add(world.action("chat"));
  world.until([&] { return world.server.heard.size() == 1; });
  CHECK(world.state(id) == "sending");
  world.clock.advance_by(10s);
  world.until_retried(id, 1);
  CHECK(world.row(id).error.find("no answer") != std::string::npos);
  world.clock.advance_to(world.row(id).not_before);
  world.until_retried(id, 2);
  world.clock.advance_to(world.row(id).not_before);
  world.until_state(id, "delivered");
  CHECK(world.server.heard.size() == 3);
}

TEST_CASE("a sink that is not in the configuration fails with clear words") {
  World world;
  world.start();
  const auto id = world.add(world.action("pager"));
  world.until([&] { return world.settled.size() == 1; });
  CHECK(world.state(id) == "failed");
  CHECK(world.wakes_about(id) == 1);
  CHECK(world.row(id).error.find("add [sink.pager]") != std::string::npos);
  // It is added, a person approves again.
  world.add_sink<config::LogSink>("pager");
  REQUIRE(world.courier->apply(world.settings));
  world.commit([id, now = world.clock.now()](storage::Stores& stores) {
    CHECK(stores.outbox.approve(id, now));
  });
  world.courier->nudge();
  world.until_state(id, "delivered");
}

TEST_CASE("within a case and sink the order is kept, also while one backs off") {
  World world;
  world.server.replies.push_back({503, "", {}});
  world.start();
  const auto first = world.add(world.action("chat", {{"text", "one"}}), "printer");
  const auto second = world.add(world.action("chat", {{"text", "two"}}), "printer");
  const auto other = world.add(world.action("chat", {{"text", "other"}}), "scanner");
  world.until_retried(first, 1);
  world.until_state(other, "delivered");
  CHECK(world.state(second) == "approved");
  SUBCASE("over a restart too") {
    world.stop();
    world.start();
    world.settle();
  }
  CHECK(world.server.heard.size() == 2);
  world.clock.advance_to(world.row(first).not_before);
  world.until_state(second, "delivered");
  CHECK(texts(world.server.heard) == Texts{"one", "other", "one", "two"});
}

TEST_CASE("a sink that hangs does not hold up the others, and takes a few at once alone") {
  World world;
  world.add_sink<config::HttpSink>("slow").url = world.server.url("/slow");
  world.server.otherwise = [](const Heard& heard) -> Reply {
    if (heard.target == "/slow") return {.manner = Reply::Manner::hang};
    return {200, "", {}};
  };
  world.start();
  std::vector<ActionId> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(world.add(world.action("slow"), fmt::format("case {}", i)));
  }
  const auto quick = world.add(world.action("chat"), "case 0");
  world.until_state(quick, "delivered");
  world.until([&] { return world.server.heard.size() == 5; });
  world.settle();
  CHECK(world.server.heard.size() == 5);
  CHECK(std::ranges::count_if(slow, [&](ActionId id) { return world.state(id) == "sending"; }) ==
        4);
}

TEST_CASE("a newer action with the same sticky key replaces one that still waits") {
  World world;
  world.server.replies.push_back({503, "", {}});
  world.start();
  auto old = world.action("chat", {{"text", "old"}});
  old.sticky_key = "summary";
  const auto first = world.add(old, "printer");
  world.until_retried(first, 1);
  auto fresh = world.action("chat", {{"text", "new"}});
  fresh.sticky_key = "summary";
  const auto second = world.add(fresh, "printer");
  CHECK(world.state(first) == "superseded");
  world.clock.advance_by(1h);
  world.until_state(second, "delivered");
  CHECK(texts(world.server.heard) == Texts{"old", "new"});
}

TEST_CASE("after a crash: what may be repeated is sent again, the rest is unknown") {
  World world;
  auto& careful = world.add_sink<config::CommandSink>("careful");
  careful.argv = {"true"};
  auto& repeatable = world.add_sink<config::CommandSink>("repeatable");
  repeatable.argv = {"true"};
  repeatable.idempotent = true;
  world.add_sink<config::LogSink>("log");
  std::map<std::string, ActionId> ids;
  for (const auto* sink : {"chat", "careful", "repeatable", "log", "gone"}) {
    ids[sink] = world.add(world.action(sink), sink);
  }
  auto tired = world.action("chat");
  tired.attempts = 9;
  ids["tired"] = world.add(tired, "tired");
  world.commit([&](storage::Stores& stores) {
    for (const auto& [name, id] : ids) CHECK(stores.outbox.begin(id));
  });
  world.start();
  world.until([&] { return world.settled.size() == ids.size(); });
  CHECK(world.state(ids["chat"]) == "delivered");
  CHECK(world.row(ids["chat"]).attempts == 2);
  CHECK(world.state(ids["log"]) == "delivered");
  CHECK(world.state(ids["repeatable"]) == "delivered");
  CHECK(world.state(ids["careful"]) == "unknown");
  CHECK(world.row(ids["careful"]).error.find("the daemon ended before the answer came") == 0);
  CHECK(world.row(ids["careful"]).error.find("approve it again") != std::string::npos);
  CHECK(world.state(ids["gone"]) == "unknown");
  CHECK(world.state(ids["tired"]) == "failed");
  CHECK(world.courier->stats().unknown == 2);
}

TEST_CASE("a stop lets what is on its way end, and cuts off at the deadline") {
  World world;
  world.server.replies.push_back({.manner = Reply::Manner::hang});
  world.start();
  const auto id = world.add(world.action("chat"));
  world.until([&] { return world.server.heard.size() == 1; });
  bool stopped = false;
  world.group.spawn("stop", [&]() -> asio::awaitable<void> {
    auto stopping = world.courier->stop(world.clock.now() + 5s);
    co_await std::move(stopping);
    stopped = true;
  });
  world.poll();
  CHECK_FALSE(stopped);
  world.clock.advance_by(5s);
  world.until([&] { return stopped; });
  world.courier.reset();
  CHECK(world.state(id) == "sending");  // found again by the next start
  world.start();
  world.until_state(id, "delivered");
  world.settle();
  CHECK(world.clock.next_deadline() == TimePoint::max());
}

TEST_CASE("a limited sink runs so often in an hour and no more, also over a restart") {
  World world;
  auto& command = world.add_sink<config::CommandSink>("restart");
  command.argv = {"true"};
  command.per_hour_max = 2;
  world.start();
  std::vector<ActionId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(world.add(world.action("restart"), std::to_string(i)));
  const auto done = [&] {
    return std::ranges::count_if(ids, [&](ActionId id) { return world.state(id) == "delivered"; });
  };
  const auto begin = world.clock.now();
  world.until([&] { return done() == 2; });
  world.settle();
  CHECK(done() == 2);
  world.stop();
  world.start();
  world.settle();
  CHECK(done() == 2);
  while (world.clock.next_deadline() < begin + 1h) {
    world.clock.advance_to(world.clock.next_deadline());
    world.settle();
  }
  CHECK(done() == 2);
  world.clock.advance_to(begin + 1h);
  world.until([&] { return done() == 4; });
}

TEST_CASE("thousands of actions are delivered, each once") {
  World world;
  world.start();
  constexpr int count = 1'000;
  world.commit([&](storage::Stores& stores) {
    for (int i = 0; i < count; ++i) {
      auto action = world.action("chat");
      action.case_id =
          stores.cases.open("ops", fmt::format("case {}", i % 300), world.clock.now()).id;
      stores.outbox.add(action);
    }
  });
  world.courier->nudge();
  world.until([&] { return world.settled.size() == count; });
  std::set<std::string> keys;
  for (const auto& heard : world.server.heard) keys.insert(heard.headers.at("webhook-id"));
  CHECK(keys.size() == count);
  CHECK(world.server.heard.size() == count);
}

TEST_CASE("settings are taken whole or not at all") {
  World world;
  world.start();
  auto wrong = world.settings;
  config::GithubSink github;
  github.token = {"file:" + (world.path / "missing").string()};
  wrong.sinks["github"] = {"github", github};
  std::get<config::HttpSink>(wrong.sinks["chat"].of).url = world.server.url("/changed");
  const auto refused = world.courier->apply(wrong);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("sink.github.token: file:") == 0);
  world.until_state(world.add(world.action("chat")), "delivered");
  CHECK(world.server.heard.at(0).target == "/ops");
}
