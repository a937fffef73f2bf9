#include "daemon/admin/api.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/daemon/admin/world.hpp"

using namespace vigil;
using testing::AdminWorld;
using testing::Told;

namespace {

const std::string notes = R"(
[sink.out]
kind = "log"
[source.nightly]
kind = "schedule"
cron = "0 3 * * *"
[entity.clerk]
kind = "rules"
role = "writes down"
autonomy = "propose"
budget = { notifications = 5 }
[[entity.clerk.on]]
source = "*"
types = ["note.*"]
[[entity.clerk.rule]]
name = "write-down"
remember = "note: {{event.data.text}}"
[[entity.clerk.rule.action]]
sink = "out"
payload = { text = "{{event.data.text}}" }
)";

void check_refused(const Told& told, int status) {
  CAPTURE(told.response.body);
  CHECK(told.status == status);
  REQUIRE(find_text(told.body, "error"));
  CHECK(!find_text(told.body, "error")->empty());
  REQUIRE(find_text(told.body, "hint"));
  CHECK(!find_text(told.body, "hint")->empty());
}

std::size_t count(const Told& told, std::string_view list) {
  const auto* found = find_path(told.body, list);
  REQUIRE(found != nullptr);
  return found->as_array().size();
}

}  // namespace

TEST_CASE("an emitted event is stored, decided, and explained to its end") {
  AdminWorld world(notes);
  const auto id = world.emit("buy tea");
  const auto path = "/v1/events/" + std::to_string(id);
  auto told = world.get(path);
  CHECK(told.status == 200);
  CHECK(find_text(told.body, "data.text") == "buy tea");
  CHECK(find_text(told.body, "source") == "admin");
  CHECK(find_text(told.body, "taint") == "trusted");
  told = world.get(path + "/explain");
  CHECK(find_text(told.body, "decisions.0.entity") == "clerk");
  CHECK(find_text(told.body, "decisions.0.verdict") == "acted");
  CHECK(find_text(told.body, "decisions.0.rule") == "write-down");
  CHECK(find_text(told.body, "decisions.0.actions.0.state") == "proposed");
  CHECK(count(told, "waiting") == 0);
  CHECK(count(world.get("/v1/events"), "events") == 1);
  CHECK(count(world.get("/v1/events?type=note.*&source=admin"), "events") == 1);
  CHECK(count(world.get("/v1/events?type=other.*"), "events") == 0);
  CHECK(count(world.get("/v1/decisions?entity=clerk"), "decisions") == 1);
  CHECK(world.get("/v1/decisions/1").status == 200);
}

TEST_CASE("the journal is read page by page, each event once") {
  AdminWorld world(notes);
  for (int i = 0; i < 40; ++i) {
    const auto body = R"({"type": "other.)" + std::to_string(i % 2) + R"("})";
    CHECK(world.ask("POST", "/v1/events", body).status == 202);
  }
  world.settle();
  CHECK(count(world.get("/v1/events"), "events") == 40);
  CHECK(find_path(world.get("/v1/events").body, "next_before")->is_null());
  for (const std::string filter : {"", "&type=other.1"}) {
    std::set<std::int64_t> seen;
    std::string before;
    for (int page = 0; page < 20; ++page) {
      const auto told = world.get("/v1/events?limit=17" + filter + before);
      for (const auto& event : find_path(told.body, "events")->as_array()) {
        CHECK(seen.insert(*find_integer(event, "id")).second);
      }
      const auto next = find_integer(told.body, "next_before");
      if (!next) break;
      before = "&before=" + std::to_string(*next);
    }
    CHECK(seen.size() == (filter.empty() ? 40 : 20));
  }
}

TEST_CASE("a second delivery of one uid is a duplicate and a replay is a new wake") {
  AdminWorld world(notes);
  const std::string body = R"({"type": "note.added", "uid": "u1", "subject": "s"})";
  CHECK(world.ask("POST", "/v1/events", body).status == 202);
  const auto again = world.ask("POST", "/v1/events", body);
  CHECK(again.status == 200);
  CHECK(find_text(again.body, "status") == "duplicate");
  world.settle();
  CHECK(world.ask("POST", "/v1/events/1/replay").status == 202);
  world.until([&] { return count(world.get("/v1/events/1/explain"), "decisions") == 2; });
  check_refused(world.ask("POST", "/v1/events/99/replay"), 404);
}

TEST_CASE("events that cannot be are refused and nothing is stored") {
  AdminWorld world(notes);
  for (const char* body :
       {"", "{}", "[]", "{", R"({"type": ""})", R"({"type": "a b"})", R"({"type": 5})",
        R"({"type": "a", "colour": "red"})", R"({"type": "a", "time": "yesterday"})",
        R"({"type": "a", "untrusted": "yes"})", R"({"type": "a", "source": "x\n"})"}) {
    CAPTURE(body);
    check_refused(world.ask("POST", "/v1/events", body), 400);
  }
  CHECK(count(world.get("/v1/events"), "events") == 0);
  check_refused(world.get("/v1/events/7"), 404);
  check_refused(world.get("/v1/events/7/explain"), 404);
  check_refused(world.get("/v1/events/seven"), 400);
  check_refused(world.get("/v1/events?limit=5000"), 400);
}

TEST_CASE("a proposal is approved once, and a denied one tells its entity") {
  AdminWorld world(notes);
  world.emit("one");
  world.emit("two");
  const auto waiting = world.get("/v1/actions?state=proposed");
  REQUIRE(count(waiting, "actions") == 2);
  CHECK(find_text(world.get("/v1/actions/1").body, "payload.text") == "one");
  check_refused(world.ask("POST", "/v1/actions/1/approve", R"({"because": "x"})"), 400);
  auto told = world.ask("POST", "/v1/actions/1/approve", R"({"note": "fine"})", 1234);
  CHECK(told.status == 202);
  CHECK(find_text(world.get("/v1/actions/1").body, "state") == "approved");
  check_refused(world.ask("POST", "/v1/actions/1/approve"), 409);
  CHECK(world.ask("POST", "/v1/actions/2/deny", R"({"note": "no"})", 1234).status == 200);
  told = world.get("/v1/actions/2");
  CHECK(find_text(told.body, "state") == "denied");
  CHECK(find_text(told.body, "result.denied_by") == "uid 1234");
  check_refused(world.ask("POST", "/v1/actions/2/deny"), 409);
  check_refused(world.ask("POST", "/v1/actions/2/approve"), 409);
  check_refused(world.ask("POST", "/v1/actions/77/deny"), 404);
  world.settle();
  const auto story = world.get("/v1/cases/1");
  CHECK(story.response.body.find("was approved by uid 1234: fine") != std::string::npos);
  const auto chain = world.get("/v1/events/2/explain");
  CHECK(find_text(chain.body, "decisions.0.actions.0.decision.because") == "action");
}

TEST_CASE("feedback is useful or noise, and becomes a wake") {
  AdminWorld world(notes);
  world.emit("one");
  check_refused(world.ask("POST", "/v1/actions/1/feedback", R"({"verdict": "meh"})"), 400);
  check_refused(world.ask("POST", "/v1/actions/9/feedback", R"({"verdict": "noise"})"), 404);
  CHECK(world.ask("POST", "/v1/actions/1/feedback", R"({"verdict": "noise"})").status == 202);
  world.settle();
  CHECK(find_text(world.get("/v1/decisions").body, "decisions.0.because") == "feedback");
}

TEST_CASE("an entity is shown with all it is, and pauses until it is resumed") {
  AdminWorld world(notes);
  CHECK(find_text(world.get("/v1/entities").body, "entities.0.name") == "clerk");
  CHECK(world.ask("POST", "/v1/entities/clerk/pause").status == 200);
  CHECK(find_text(world.get("/v1/entities/clerk").body, "state") == "paused");
  const std::string body = R"({"type": "note.added", "subject": "s", "data": {"text": "x"}})";
  CHECK(world.ask("POST", "/v1/events", body).status == 202);
  world.until([&] {
    return find_text(world.get("/v1/events/1/explain").body, "waiting.0.state") == "waiting";
  });
  CHECK(world.ask("POST", "/v1/entities/clerk/resume").status == 200);
  world.settle();
  const auto told = world.get("/v1/entities/clerk");
  CHECK(find_text(told.body, "state") == "awake");
  CHECK(find_text(told.body, "role") == "writes down");
  CHECK(find_text(told.body, "autonomy") == "propose");
  CHECK(find_integer(told.body, "budget.limits.notifications") == 5);
  CHECK(find_integer(told.body, "budget.spent.notifications") == 1);
  CHECK(count(told, "cases") == 1);
  check_refused(world.ask("POST", "/v1/entities/nobody/pause"), 404);
  check_refused(world.get("/v1/entities/nobody"), 404);
  const auto budget = world.get("/v1/budget");
  CHECK(find_text(budget.body, "budgets.0.scope") == "all");
  CHECK(find_integer(budget.body, "budgets.0.spent.notifications") == 1);
  CHECK(find_text(budget.body, "budgets.1.entity") == "clerk");
  CHECK(find_integer(budget.body, "budgets.1.limits.notifications") == 5);
  CHECK(find_integer(budget.body, "budgets.1.spent.notifications") == 1);
  CHECK(find_integer(budget.body, "budgets.1.reserved.compute_us") == 0);
  check_refused(world.get("/v1/budget?day=today"), 400);
}

TEST_CASE("facts are set, shown, found by prefix and forgotten") {
  AdminWorld world(notes);
  const std::string path = "/v1/memory/clerk";
  CHECK(world.ask("POST", path + "/facts", R"({"key": "team.lead", "value": {"a": 1}})").status ==
        200);
  CHECK(world.ask("POST", path + "/facts", R"({"key": "zone", "value": "b"})").status == 200);
  CHECK(count(world.get(path + "?prefix=team."), "facts") == 1);
  CHECK(find_text(world.get(path).body, "facts.1.provenance") == "told by a person (uid 1000)");
  for (const char* body : {"{}", R"({"key": "a"})", R"({"key": "", "value": 1})",
                           R"({"key": "a", "value": 1, "confidence": 2})"}) {
    CAPTURE(body);
    check_refused(world.ask("POST", path + "/facts", body), 400);
  }
  check_refused(world.ask("DELETE", path), 400);
  const auto told = world.ask("DELETE", path + "?prefix=team.");
  CHECK(find_integer(told.body, "forgotten") == 1);
  CHECK(world.ask("DELETE", path + "?everything=yes").status == 200);
  CHECK(count(world.get(path), "facts") == 0);
  check_refused(world.get("/v1/memory/nobody"), 404);
  world.emit("umbrella");
  CHECK(find_text(world.get("/v1/memory/search?q=umbrella").body, "found.0.entity") == "clerk");
  check_refused(world.get("/v1/memory/search"), 400);
}

TEST_CASE("a mind goes out and comes back without doubling anything") {
  AdminWorld from(notes);
  from.emit("tea");
  from.ask("POST", "/v1/memory/clerk/facts", R"({"key": "zone", "value": "b"})");
  const auto out = from.get("/v1/memory/clerk/export");
  CHECK(out.response.content_type == "application/x-ndjson");
  AdminWorld into(notes);
  auto told = into.ask("POST", "/v1/memory/clerk/import", out.response.body);
  CHECK(told.status == 200);
  CHECK(find_integer(told.body, "facts") == 1);
  CHECK(find_integer(told.body, "episodes") == 1);
  told = into.ask("POST", "/v1/memory/clerk/import", out.response.body);
  CHECK(find_integer(told.body, "episodes") == 0);
  CHECK(find_integer(told.body, "known") == 1);
  CHECK(into.get("/v1/memory/clerk/export").response.body == out.response.body);
  for (const char* bad : {"nonsense", "{\"kind\": \"song\"}", "{\"kind\": \"fact\"}",
                          "{\"format\": \"vigild-memory-9\"}"}) {
    CAPTURE(bad);
    check_refused(into.ask("POST", "/v1/memory/clerk/import", bad), 422);
  }
  check_refused(into.ask("POST", "/v1/memory/nobody/import", out.response.body), 404);
}

TEST_CASE("the configuration is shown, checked, compared and reloaded, or refused with places") {
  AdminWorld world(notes);
  const auto shown = world.get("/v1/config");
  CHECK(find_text(shown.body, "toml")->find("[entity.clerk]") != std::string_view::npos);
  CHECK(find_bool(world.get("/v1/config/check").body, "ok") == true);
  CHECK(count(world.get("/v1/config/diff"), "changes") == 0);
  auto other = notes;
  other.replace(other.find("propose"), 7, "observe");
  world.on_disk = config::load_text(other, "vigild.toml");
  CHECK(find_text(world.get("/v1/config/diff").body, "changes.0.key") == "entity.clerk");
  CHECK(world.ask("POST", "/v1/config/reload").status == 200);
  CHECK(world.reloaded);
  world.on_disk = config::load_text("[entity.clerk]\nkind = \"ruels\"\n", "vigild.toml");
  for (const auto& told : {world.get("/v1/config/check"), world.get("/v1/config/diff"),
                           world.ask("POST", "/v1/config/reload")}) {
    check_refused(told, 422);
    CHECK(find_integer(told.body, "diagnostics.0.line") >= 1);
  }
}

TEST_CASE("a backup is made once, and only where it can be") {
  AdminWorld world(notes);
  world.emit("tea");
  const auto made = world.ask("POST", "/v1/backup");
  CHECK(made.status == 201);
  const std::string path(find_text(made.body, "path").value_or(""));
  const auto verified = storage::verify(path);
  REQUIRE(verified);
  CHECK(verified->events == 1);
  const auto named = [](const std::string& where) {
    return to_text(json::value(json::object{{"path", where}}));
  };
  check_refused(world.ask("POST", "/v1/backup", named(path)), 409);
  check_refused(world.ask("POST", "/v1/backup", named("relative.db")), 400);
  check_refused(world.ask("POST", "/v1/backup", named("/no/such/folder/x.db")), 400);
}

TEST_CASE("status, health, metrics and the lists answer on an empty database") {
  AdminWorld world(notes);
  CHECK(world.get("/healthz").response.body == "ok\n");
  CHECK(world.get("/readyz").status == 200);
  const auto status = world.get("/v1/status");
  CHECK(find_integer(status.body, "runtime.entities") == 1);
  CHECK(find_bool(status.body, "accepting") == true);
  const auto metrics = world.get("/metrics").response.body;
  CHECK(metrics.find("# TYPE vigild_decisions_total counter\nvigild_decisions_total 0\n") !=
        std::string::npos);
  for (const char* target :
       {"/v1", "/v1/cases", "/v1/cases?state=open", "/v1/cases?entity=a&key=b", "/v1/swarms",
        "/v1/swarms?state=running", "/v1/actions", "/v1/timers", "/v1/dead", "/v1/decisions"}) {
    CAPTURE(target);
    CHECK(world.get(target).status == 200);
  }
  CHECK(find_text(world.get("/v1/timers/next").body, "next.0.source") == "nightly");
  check_refused(world.get("/v1/cases/1"), 404);
  check_refused(world.get("/v1/cases?state=ajar"), 400);
  check_refused(world.get("/v1/cases?key=b"), 400);
  check_refused(world.get("/v1/swarms/1"), 404);
  check_refused(world.get("/v1/swarms?state=lost"), 400);
  check_refused(world.ask("POST", "/v1/swarms/1/cancel"), 404);
  check_refused(world.get("/v1/actions/1"), 404);
  check_refused(world.get("/v1/actions?state=lost"), 400);
  check_refused(world.get("/v1/decisions/1"), 404);
  check_refused(world.ask("POST", "/v1/dead/1/retry"), 404);
  check_refused(world.ask("POST", "/v1/dead/1/drop"), 404);
  check_refused(world.ask("PUT", "/v1/status"), 405);
}

TEST_CASE("a peer without a uid is refused before its body is read") {
  AdminWorld world(notes);
  check_refused(world.ask("GET", "/v1/status", {}, -1), 403);
  ingress::Request head;
  head.method = "POST";
  head.target = "/v1/events";
  CHECK(world.check_head(head).refuse_status == 403);
  head.peer.uid = 0;
  CHECK(world.check_head(head).refuse_status == 0);
  CHECK(world.check_head(head).body_bytes_max == 25 * 1024 * 1024);
  head.target = "/v1/backup";
  CHECK(world.check_head(head).body_bytes_max == 1024 * 1024);
}

TEST_CASE("the tail sends what is asked for and ends with its listener") {
  AdminWorld world(notes);
  check_refused(world.get("/v1/tail?topics=event,gossip"), 400);
  check_refused(world.get("/v1/tail?swarm=x"), 400);
  const auto told = world.get("/v1/tail?topics=event,decision&entity=clerk");
  CHECK(told.status == 200);
  CHECK(told.response.content_type == "text/event-stream");
  REQUIRE(told.response.stream);
  std::string heard;
  bool ended = false;
  world.group().spawn("tail", [&]() -> boost::asio::awaitable<void> {
    ingress::Send send = [&](std::string piece) -> boost::asio::awaitable<bool> {
      heard += piece;
      co_return heard.find("event: decision") == std::string::npos;
    };
    auto streaming = told.response.stream(send);
    co_await std::move(streaming);
    ended = true;
  });
  world.emit("tea");
  world.until([&] { return ended; });
  CHECK(heard.starts_with(": listening\n\n"));
  CHECK(heard.find("event: event") == std::string::npos);  // events belong to nobody yet
  CHECK(heard.find("\"entity\":\"clerk\"") != std::string::npos);
}
