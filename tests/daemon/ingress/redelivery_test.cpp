// Missed deliveries: what is chosen from the list, and what is asked of the API.
#include "daemon/ingress/redelivery.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "daemon/ingress/redelivery_reading.hpp"
#include "tests/support/clocked_world.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

std::vector<std::string> guids(const std::vector<DeliveryAttempt>& list) {
  std::vector<std::string> out;
  for (const auto& one : list) out.push_back(one.guid);
  return out;
}

using Names = std::vector<std::string>;

// The API in a few lines: a list that the test writes, and what was asked of it.
struct World : testing::ClockedWorld {
  World() : ClockedWorld(noon) {
    set_log_level(LogLevel::off);
    std::ofstream(path / "token") << "t0ken\n";
    std::filesystem::permissions(path / "token", std::filesystem::perms::owner_read);
    config::Webhook hook;
    hook.scheme = config::Scheme::github;
    hook.redelivery.emplace();
    hook.redelivery->hooks = {"repos/o/r/hooks/7"};
    hook.redelivery->base_url = "http://127.0.0.1:1/api/";
    hook.redelivery->token = config::SecretRef{"file:" + (path / "token").string()};
    settings.sources["hub"] = {.name = "hub", .of = hook};
  }
  ~World() { stop(); }
  void start() {
    redeliveries.emplace(loop.get_executor(), clock,
                         [this](http::Request request) { return answer(std::move(request)); });
    REQUIRE(redeliveries->apply(settings).has_value());
    redeliveries->start(*reader);
    settle();
  }
  void stop() {
    if (!redeliveries) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = redeliveries->stop();
      co_await std::move(stopping);
    });
    redeliveries.reset();
  }
  asio::awaitable<http::Received> answer(http::Request request) {
    asked.push_back(request.method + " " + request.url.substr(request.url.find("/api/") + 5));
    for (const auto& [name, value] : request.headers) {
      if (name == "Authorization") CHECK(value == "Bearer t0ken");
      if (name == "If-None-Match") asked.back() += " if " + value;
    }
    CHECK(request.configured == "http://127.0.0.1:1/api");
    http::Answer out;
    out.status = 200;
    if (!refusals.empty()) {
      out = refusals.front();
      refusals.erase(refusals.begin());
      co_return out;
    }
    if (request.method == "POST") {
      out.status = 202;
      co_return out;
    }
    const bool second = request.url.find("cursor=b") != std::string::npos;
    out.body = "[" + (second ? older : list) + "]";
    out.headers = {{"etag", "\"" + to_hex(as_bytes(sha256(out.body))).substr(0, 4) + "\""}};
    if (!older.empty() && !second) {
      out.headers.emplace_back(
          "link", "<http://127.0.0.1:1/api/repos/o/r/hooks/7/deliveries?cursor=b>; rel=\"next\"");
    }
    if (asked.back().ends_with(" if " + std::string(out.header("etag")))) {
      out.status = 304;
      out.body.clear();
    }
    co_return out;
  }
  void add(int id, const std::string& guid, int status, Duration ago) {
    list += fmt::format(R"({}{{"id":{},"guid":"{}","delivered_at":"{}","status_code":{}}})",
                        list.empty() ? "" : ",", id, guid, to_rfc3339(noon - ago), status);
  }
  void have(const std::string& guid) {
    storage::NewEvent event;
    event.uid = guid;
    event.source = "hub";
    event.type = "github.push";
    event.time = event.received_at = clock.now();
    commit([event](storage::Stores& stores) { return stores.journal.append(event); });
  }

  config::Settings settings;
  std::optional<Redeliveries> redeliveries;
  std::string list;
  std::string older;  // the second page
  std::vector<http::Answer> refusals;
  Names asked;
};

const std::string look = "GET repos/o/r/hooks/7/deliveries?per_page=100";
std::string ask(int id) { return fmt::format("POST repos/o/r/hooks/7/deliveries/{}/attempts", id); }

}  // namespace

TEST_CASE("asked for is what failed and is not here, oldest first, by its newest attempt") {
  const auto at = [](Duration ago) { return noon - ago; };
  const std::vector<DeliveryAttempt> attempts{
      {9, "late", at(1min), false},   {8, "fine", at(2min), true},    {7, "twice", at(3min), false},
      {6, "here", at(4min), false},   {5, "twice", at(50min), false}, {4, "mended", at(5min), true},
      {3, "mended", at(9min), false}, {2, "old", at(80h), false},     {1, "lost", at(60min), true}};
  const std::set<std::string> known{"fine", "here", "mended"};
  Wanted wanted{noon - 72h, 3, [&](const std::string& guid) { return known.contains(guid); }};
  const auto missed = missed_of(attempts, wanted);
  CHECK(guids(missed) == Names{"lost", "twice", "late"});
  CHECK(missed[1].id == 7);
  wanted.attempts_max = 2;
  CHECK(guids(missed_of(attempts, wanted)) == Names{"lost", "late"});
  auto again = attempts;
  again.push_back({10, "lost", at(0min), true});  // it came once more, and is not here still
  CHECK(guids(missed_of(again, wanted)) == Names{"late"});
}

TEST_CASE("a list is read as far as it is one") {
  const auto read = read_deliveries(
      R"([{"id":12,"guid":"a-b","delivered_at":"2026-11-23T11:00:00Z","status_code":502,"extra":[]},
          {"id":0,"guid":"x","delivered_at":"2026-11-23T11:00:00Z"},{"id":3},7,
          {"id":4,"guid":"c","delivered_at":"2026-11-23T10:00:00.123Z","status_code":202}])");
  REQUIRE(read.has_value());
  REQUIRE(read->size() == 2);
  CHECK((*read)[0].id == 12);
  CHECK((*read)[0].guid == "a-b");
  CHECK((*read)[0].at == noon - 1h);
  CHECK_FALSE((*read)[0].answered);
  CHECK((*read)[1].answered);
  for (const auto* wrong : {"", "{}", "null", "<html>"}) CHECK_FALSE(read_deliveries(wrong));
}

TEST_CASE("after the start, and at the interval, what is missing is asked for, a second apart") {
  World world;
  world.add(31, "c", 502, 1h);
  world.add(30, "b", 202, 2h);
  world.add(29, "a", 0, 3h);
  world.have("b");
  world.start();
  CHECK(world.asked == Names{look, ask(29)});
  world.pass(1s);
  CHECK(world.asked.back() == ask(31));
  CHECK(world.redeliveries->views().at(0).asked == 2);
  // They came through the door: the next look finds nothing, and the one after it no change.
  world.have("a");
  world.have("c");
  world.pass(15min + 5s);
  CHECK(world.asked.size() == 4);
  CHECK(world.asked.back() == look);
  world.pass(15min);
  REQUIRE(world.asked.size() == 5);
  CHECK(world.asked.back().starts_with(look + " if \""));
  world.add(40, "d", 500, -30min);
  world.pass(15min);
  CHECK(world.asked.back() == ask(40));
}

TEST_CASE("nothing is kept: killed in the middle, it asks for what is still missing") {
  World world;
  world.add(31, "c", 502, 1h);
  world.add(29, "a", 502, 3h);
  world.start();
  CHECK(world.asked == Names{look, ask(29)});
  world.stop();
  world.have("a");
  world.asked.clear();
  world.start();
  CHECK(world.asked == Names{look, ask(31)});
}

TEST_CASE("older pages are read as far as they matter, and lead to no other server") {
  World world;
  world.add(31, "c", 202, 1h);
  world.have("c");
  world.older = fmt::format(R"({{"id":2,"guid":"z","delivered_at":"{}","status_code":504}})",
                            to_rfc3339(noon - 2h));
  world.start();
  CHECK(world.asked == Names{look, "GET repos/o/r/hooks/7/deliveries?cursor=b", ask(2)});
  world.stop();
  world.asked.clear();
  world.list.clear();
  world.add(31, "c", 202, 73h);  // what follows is older still
  world.start();
  CHECK(world.asked == Names{look});
}

TEST_CASE("limits are kept to, and what is wrong is told") {
  World world;
  world.add(29, "a", 502, 3h);
  http::Answer limited;
  limited.status = 403;
  limited.headers = {
      {"x-ratelimit-remaining", "0"},
      {"x-ratelimit-reset", fmt::format("{}", to_unix_us(noon + 40min) / 1'000'000)}};
  world.refusals = {limited};
  world.start();
  CHECK(world.asked == Names{look});
  REQUIRE(world.redeliveries->troubles().size() == 1);
  CHECK(world.redeliveries->troubles()[0].text.starts_with(
      "repos/o/r/hooks/7: the server answered 403"));
  world.pass(39min);
  CHECK(world.asked.size() == 1);
  world.pass(2min);
  CHECK(world.asked == Names{look, look, ask(29)});
  CHECK(world.redeliveries->troubles().empty());
}

TEST_CASE("what was erased from the journal is not taken for missing") {
  World world;
  world.settings.storage.events_keep = 2h;
  world.add(29, "a", 202, 3h);
  world.start();
  CHECK(world.asked == Names{look});
}

TEST_CASE("a token or key that cannot be read is told at once") {
  World world;
  auto& hook = std::get<config::Webhook>(world.settings.sources["hub"].of);
  hook.redelivery->token = config::SecretRef{"file:/nonexistent/token"};
  Redeliveries redeliveries(world.loop.get_executor(), world.clock, nullptr);
  const auto refused = redeliveries.apply(world.settings);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with("source.hub.redelivery: file:/nonexistent/token"));
  hook.redelivery->token.reset();
  hook.redelivery->private_key = config::SecretRef{"file:" + (world.path / "token").string()};
  CHECK(
      redeliveries.apply(world.settings).error().message.ends_with("it is no RSA key in PEM form"));
}
