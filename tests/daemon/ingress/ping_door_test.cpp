// Pings of jobs: the addresses, what is stored, what is refused.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "daemon/ingress/ping_path.hpp"
#include "tests/daemon/ingress/door_world.hpp"
#include "tests/daemon/ingress/loopback.hpp"

namespace vigil::ingress {
namespace {

using config::Scheme;
using testing::DoorWorld;
using testing::error_of;

const std::string key = "0f1e2d3c-key-of-all-checks";
const std::string id = "6d9c2a6e-2b0e-4a53-9f1d-000000000001";

struct Jobs : DoorWorld {
  Jobs() {
    auto& hook = add("jobs", Scheme::ping, {key, id});
    hook.ids["nightly"] = hook.secrets.back();
    hook.secrets.pop_back();
    config::Ops ops;
    config::OpsCheck check;
    check.id = "backup";
    ops.checks.push_back(check);
    settings.entities["ops"].of = ops;
    apply();
  }
  Response ask(std::string method, std::string target, std::string body = {}) {
    Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.peer.address = "127.0.0.1";
    return send(std::move(request));
  }
};

}  // namespace

TEST_CASE("a GET, a HEAD and a POST are pings, each an event of its own") {
  Jobs world;
  for (const auto* method : {"GET", "HEAD", "POST", "GET"}) {
    const auto answer = world.ask(method, "/ping/" + id);
    CHECK(answer.status == 200);
    CHECK(answer.body == "OK\n");
    CHECK(answer.content_type.starts_with("text/plain"));
  }
  REQUIRE(world.stored.size() == 4);
  const auto& event = world.last().event;
  CHECK(event.source == "jobs");
  CHECK(event.type == "jobs.ping");
  CHECK(event.subject == "nightly");
  CHECK(event.taint == Taint::untrusted);
  CHECK(find_text(world.last().data, "check") == "nightly");
  CHECK(find_text(world.last().data, "state") == "ok");
  CHECK(find_text(world.stored[1].data, "method") == "HEAD");
  CHECK_FALSE(event.data.contains(id));
  CHECK(world.door.stats().accepted == 4);
}

TEST_CASE("the address says which check and how its run stands") {
  struct Case {
    std::string target, check, state;
    std::optional<std::int64_t> exit;
    std::string rid;
  };
  const std::vector<Case> cases{
      {"/ping/" + id + "/start", "nightly", "start", {}, ""},
      {"/ping/" + id + "/start?rid=aa-1", "nightly", "start", {}, "aa-1"},
      {"/ping/" + id + "/fail", "nightly", "fail", {}, ""},
      {"/ping/" + id + "/log", "nightly", "log", {}, ""},
      {"/ping/" + id + "/0", "nightly", "ok", 0, ""},
      {"/ping/" + id + "/137?x=1&rid=aa-1", "nightly", "fail", 137, "aa-1"},
      {"/ping/" + id + "/", "nightly", "ok", {}, ""},
      {"/ping/" + key + "/backup", "backup", "ok", {}, ""},
      {"/ping/" + key + "/backup/start", "backup", "start", {}, ""},
      {"/ping/" + key + "/nightly/1", "nightly", "fail", 1, ""},
  };
  Jobs world;
  for (const auto& one : cases) {
    INFO(one.target);
    CHECK(world.ask("POST", one.target).status == 200);
    const auto& data = world.last().data;
    CHECK(find_text(data, "check") == one.check);
    CHECK(find_text(data, "state") == one.state);
    CHECK(find_integer(data, "exit") == one.exit);
    CHECK(find_text(data, "rid").value_or("") == one.rid);
  }
  CHECK(world.stored.size() == cases.size());
}

TEST_CASE("what is not known is 404 with one and the same answer") {
  Jobs world;
  const auto unknown = world.ask("GET", "/ping/6d9c2a6e-2b0e-4a53-9f1d-000000000002");
  CHECK(unknown.status == 404);
  for (const auto& target :
       {std::string("/ping/"), "/ping/" + key, "/ping/" + key + "/other",
        "/ping/" + key + "/backup2/start", "/ping/" + key + "/", std::string("/ping/nightly"),
        std::string("/ping/jobs/backup"), "/ping/" + id.substr(1), std::string("/ping//backup")}) {
    INFO(target);
    const auto answer = world.ask("GET", target);
    CHECK(answer.status == 404);
    CHECK(answer.body == unknown.body);
  }
  CHECK(world.ask("DELETE", "/ping/x").status == 404);  // not even the method is judged
  CHECK(world.stored.empty());
}

TEST_CASE("what is wrong with a known address is said") {
  Jobs world;
  const auto method = world.ask("PUT", "/ping/" + id);
  CHECK(method.status == 405);
  for (const auto* verb : {"begin", "256", "-1", "1x", "0001", "start/again", "START"}) {
    CHECK(world.ask("GET", "/ping/" + id + "/" + verb).status == 400);
  }
  for (const auto* run : {"", "a%20b", "a/b", "a_b"}) {
    CHECK(world.ask("GET", "/ping/" + id + "?rid=" + run).status == 400);
  }
  CHECK(world.ask("GET", "/ping/" + id + "?rid=" + std::string(65, 'a')).status == 400);
  CHECK(world.stored.empty());
  // A GET is for pings alone, and a source of pings is no webhook.
  CHECK(world.ask("GET", "/hooks/jobs").status == 404);
  CHECK(world.ask("POST", "/hooks/jobs/" + id, "{}").status == 404);
}

TEST_CASE("of what a job wrote its beginning and its end are kept") {
  Jobs world;
  CHECK(world.ask("POST", "/ping/" + id + "/1", "caf\xc3\xa9 \xff\n").status == 200);
  CHECK(find_text(world.last().data, "body")->starts_with("caf\xc3\xa9 "));
  CHECK(parse_json(world.last().event.data).has_value());
  const std::string large = "begin" + std::string(500'000, 'x') + "the end";
  CHECK(world.ask("POST", "/ping/" + id, large).status == 200);
  const auto body = find_text(world.last().data, "body").value_or("");
  CHECK(body.size() < 11'000);
  CHECK(body.starts_with("begin"));
  CHECK(body.ends_with("the end"));
  CHECK(body.contains("[... 489772 bytes ...]"));
  CHECK(find_integer(world.last().data, "body_bytes") == 500'012);
  // A character that the cut divides does not spoil the text.
  CHECK(is_valid_utf8(ping_body("x" + std::string(20'000, '\xc3'))));
  Request head;
  head.method = "POST";
  head.target = "/ping/" + id;
  CHECK(world.door.check_head(head).body_bytes_max == 1024 * 1024);
}

TEST_CASE("a check that pings too often is told when to come again, and others are not kept") {
  Jobs world;
  auto& hook = std::get<config::Webhook>(world.settings.sources.at("jobs").of);
  hook.per_minute_max = 3;
  world.apply();
  for (int i = 0; i < 3; ++i) CHECK(world.ask("GET", "/ping/" + id).status == 200);
  Request head;
  head.method = "GET";
  head.target = "/ping/" + id;
  const auto refused = world.door.check_head(head);
  CHECK(refused.refuse_status == 429);
  REQUIRE(refused.refuse_headers.size() == 1);
  CHECK(refused.refuse_headers[0].first == "Retry-After");
  CHECK(refused.refuse_headers[0].second == "20");
  CHECK(world.ask("GET", "/ping/" + key + "/backup").status == 200);
  // Remarks have a measure of their own.
  CHECK(world.ask("GET", "/ping/" + id + "/log").status == 200);
  world.clock.advance_by(std::chrono::seconds{20});
  CHECK(world.ask("GET", "/ping/" + id).status == 200);
  CHECK(world.ask("GET", "/ping/" + id).status == 429);
}

TEST_CASE("a ping that cannot be stored is not answered OK") {
  Jobs world;
  world.storage_state = fail(ErrorCode::unavailable, "the disk is full");
  const auto answer = world.ask("GET", "/ping/" + id);
  CHECK(answer.status == 503);
  world.door.set_draining(true);
  CHECK(world.ask("GET", "/ping/" + id).status == 503);
}

TEST_CASE("over a socket: what cron's curl sends is answered, and a HEAD without a body") {
  Jobs world;
  testing::Loopback server(
      {}, [&](Request request) { return world.door.handle(std::move(request)); },
      [&](const Request& head) { return world.door.check_head(head); });
  testing::Client client(server.port);
  client.send(
      fmt::format("GET /ping/{} HTTP/1.1\r\nHost: h\r\nUser-Agent: curl/7.88.1\r\n"
                  "Accept: */*\r\n\r\n",
                  id));
  REQUIRE(server.answered(client));
  CHECK(client.got.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(client.got.ends_with("\r\n\r\nOK\n"));
  client.send(fmt::format("HEAD /ping/{} HTTP/1.1\r\nHost: h\r\n\r\n", id));
  client.got.clear();
  REQUIRE(server.until([&] {  // it says how long the body would be, and has none
    client.read_what_came();
    return client.got.ends_with("\r\n\r\n");
  }));
  CHECK(client.got.contains("Content-Length: 3\r\n"));
  client.send(fmt::format("GET /ping/{} HTTP/1.1\r\nHost: h\r\n\r\n", id));
  client.got.clear();
  REQUIRE(server.answered(client));
  CHECK(client.got.starts_with("HTTP/1.1 200"));
  testing::Client refused(server.port);
  refused.send(fmt::format("PUT /ping/{} HTTP/1.1\r\nHost: h\r\n\r\n", id));
  REQUIRE(server.answered(refused));
  CHECK(refused.got.starts_with("HTTP/1.1 405"));
  CHECK(refused.got.contains("Allow: GET, HEAD, POST\r\n"));
  testing::Client old(server.port);
  old.send(fmt::format("POST /ping/{}/3 HTTP/1.0\r\nContent-Length: 4\r\n\r\noops", id));
  REQUIRE(server.answered(old));
  CHECK(find_text(world.last().data, "body") == "oops");
  CHECK(world.stored.size() == 4);
}

TEST_CASE("secrets of pings that could be guessed, or open two things, are refused when read") {
  Jobs world;
  auto& weak = world.add("weak", Scheme::ping, {"backup"});
  CHECK_FALSE(world.try_apply().has_value());
  weak.secrets.clear();
  weak.ids["again"] = std::get<config::Webhook>(world.settings.sources.at("jobs").of).secrets[0];
  const auto twice = world.try_apply();
  REQUIRE_FALSE(twice.has_value());
  CHECK(twice.error().message.contains("source.weak.ids.again"));
  CHECK(world.ask("GET", "/ping/" + id).status == 200);  // what was there goes on
  auto& hook = std::get<config::Webhook>(world.settings.sources.at("jobs").of);
  world.settings.sources.erase("weak");
  hook.allow = {"10.0.0.0/8"};
  world.apply();
  CHECK(world.ask("GET", "/ping/" + id).status == 403);
}

}  // namespace vigil::ingress
