// The webhook door, without sockets: what is let in, what is stored, what is answered.
#include "daemon/ingress/door.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "core/digest.hpp"
#include "tests/daemon/ingress/door_world.hpp"

namespace vigil::ingress {
namespace {

using config::Scheme;
using testing::DoorWorld;
using testing::error_of;
using testing::github_signature;
using Headers = std::vector<std::pair<std::string, std::string>>;

const std::string opened =
    R"({"action":"opened","number":7,"repository":{"full_name":"octo/repo"},)"
    R"("pull_request":{"number":7,"title":"Caf\u00e9"}})";

Headers github(std::string_view body, std::string delivery = "d-1",
               std::string event = "pull_request") {
  return {{"content-type", "application/json"},
          {"x-github-event", std::move(event)},
          {"x-github-delivery", std::move(delivery)},
          {"x-hub-signature-256", github_signature("s3cret", body)},
          {"authorization", "Bearer hidden"},
          {"cookie", "hidden"},
          {"user-agent", "GitHub-Hookshot/1"}};
}

struct Github : DoorWorld {
  Github() {
    add("github", Scheme::github, {"s3cret"});
    apply();
  }
};

}  // namespace

TEST_CASE("a signed webhook is stored as it came, then answered 202 with its id") {
  Github world;
  const auto answer = world.post("/hooks/github", opened, github(opened));
  CHECK(answer.status == 202);
  CHECK(answer.body == "{\"id\":1,\"status\":\"accepted\"}\n");
  REQUIRE(world.stored.size() == 1);
  const auto& event = world.last().event;
  CHECK(event.uid == "d-1");
  CHECK(event.source == "github");
  CHECK(event.type == "github.pull_request.opened");
  CHECK(event.subject == "octo/repo#7");
  CHECK(event.data == opened);  // not written anew
  CHECK(event.time == world.clock.now());
  CHECK(event.received_at == world.clock.now());
  CHECK(event.taint == Taint::untrusted);
  CHECK(event.content_type == "application/json");
  CHECK(find_integer(world.last().data, "pull_request.number") == 7);
  for (const auto& [name, value] : event.headers) {
    CHECK(name != "x-hub-signature-256");
    CHECK_FALSE(value.contains("hidden"));
  }
  CHECK(event.headers.size() == 3);
  CHECK(world.door.stats().accepted == 1);
}

TEST_CASE("a second delivery is answered 200 with the first one's id") {
  Github world;
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 202);
  const auto again = world.post("/hooks/github", opened, github(opened));
  CHECK(again.status == 200);
  CHECK(again.body == "{\"status\":\"duplicate\",\"id\":1}\n");
  CHECK(world.stored.size() == 1);
  CHECK(world.door.stats().duplicates == 1);
}

TEST_CASE("a replay under another delivery id, which nobody signed, is a duplicate all the same") {
  Github world;
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 202);
  CHECK(world.post("/hooks/github", opened, github(opened, "d-2")).status == 200);
  CHECK(world.stored.size() == 1);
  auto chosen = std::get<config::Webhook>(world.settings.sources.at("github").of);
  chosen.id_header = "X-Request-Id";
  world.settings.sources.at("github").of = chosen;
  world.apply();
  auto headers = github(opened, "d-3");
  headers.emplace_back("x-request-id", "r-1");
  CHECK(world.post("/hooks/github", opened, headers).status == 200);
  const std::string other = R"({"action":"closed"})";
  headers = github(other, "d-3");
  headers.emplace_back("x-request-id", "r-1");
  CHECK(world.post("/hooks/github", other, headers).status == 202);
  CHECK(world.last().event.uid == "r-1");
}

TEST_CASE("who cannot prove the secret is answered 401 and told what to check") {
  Github world;
  auto headers = github(opened + " ");
  const auto wrong = world.post("/hooks/github", opened, headers);
  CHECK(wrong.status == 401);
  CHECK(error_of(wrong).contains("same secret"));
  CHECK_FALSE(wrong.body.contains("s3cret"));
  CHECK(world.post("/hooks/github", opened, {}).status == 401);
  CHECK(error_of(world.post("/hooks/github", opened, {})).contains("x-hub-signature-256"));
  CHECK(world.stored.empty());
  CHECK(world.door.stats().refused == 3);
}

TEST_CASE("what is nobody's place is 404, another method 405, a stranger's address 403") {
  Github world;
  world.add("closed", Scheme::none, {}).allow = {"10.0.0.0/8"};
  world.apply();
  CHECK(world.post("/hooks/other", opened, github(opened)).status == 404);
  CHECK(world.post("/hooks/", opened, github(opened)).status == 404);
  CHECK(world.post("/", opened, github(opened)).status == 404);
  CHECK(world.post("/hooks/githubx", opened, github(opened)).status == 404);
  CHECK(world.post("/hooks/github/", opened, github(opened, "d-9")).status == 202);
  CHECK(world.post("/hooks/closed", "{}", {}).status == 403);
  Request get;
  get.method = "GET";
  get.target = "/hooks/github";
  CHECK(world.send(get).status == 405);
  get.target = "/hooks/other";
  CHECK(world.send(get).status == 404);
}

TEST_CASE("behind a proxy the address is the one the proxy wrote, not one the caller did") {
  DoorWorld world;
  world.add("hook", Scheme::none, {}).allow = {"203.0.113.0/24"};
  world.apply();
  const Headers forwarded = {{"x-forwarded-for", "203.0.113.5"}};
  CHECK(world.post("/hooks/hook", "{}", forwarded).status == 403);  // there is no proxy
  world.settings.http.behind_proxy = true;
  world.apply();
  CHECK(world.post("/hooks/hook", "{}", forwarded).status == 202);
  CHECK(
      world.post("/hooks/hook", "{}", {{"x-forwarded-for", "203.0.113.5, 198.51.100.1"}}).status ==
      403);
  CHECK(world
            .post("/hooks/hook", "{}",
                  {{"x-forwarded-for", "203.0.113.5"}, {"x-forwarded-for", "198.51.100.1"}})
            .status == 403);
  CHECK(world.post("/hooks/hook", "{}", {{"x-forwarded-for", ""}}).status == 403);
}

TEST_CASE("what is not one JSON value in UTF-8 of sane depth is 400, other kinds of content 415") {
  Github world;
  const auto status_of = [&](const std::string& body, const std::string& type) {
    auto headers = github(body, "d-" + random_hex(4));
    headers[0].second = type;
    const auto answer = world.post("/hooks/github", body, headers);
    CHECK_FALSE(error_of(answer).contains("not JSON: "));
    return answer.status;
  };
  const std::string json = "application/json";
  for (const auto* body : {"", "{", "{}x", "{'a':1}", "\xff\xfe", "{\"a\":\"\xc3\x28\"}", "nul",
                           "{\"a\":01}", "[1,]"}) {
    CAPTURE(to_valid_utf8(body));
    CHECK(status_of(body, json) == 400);
  }
  CHECK(status_of(std::string(100, '[') + std::string(100, ']'), json) == 400);
  CHECK(status_of(std::string(1'000'000, '['), json) == 400);
  CHECK(status_of("<a/>", "application/xml") == 415);
  CHECK(status_of("{}", "multipart/form-data; boundary=x") == 415);
  CHECK(status_of("{}", "text/plain") == 415);
  CHECK(world.stored.empty());
  CHECK(status_of(R"({"a":1})", "Application/JSON ; charset=utf-8") == 202);
  CHECK(status_of(R"({"a":2})", "application/cloudevents+json") == 202);
}

TEST_CASE("GitHub's form carries the same JSON, and signs the form") {
  Github world;
  const std::string form = "payload=%7B%22action%22%3A%22opened%22%2C%22a%22%3A%22b+c%22%7D";
  auto headers = github(form);
  headers[0].second = "application/x-www-form-urlencoded";
  CHECK(world.post("/hooks/github", form, headers).status == 202);
  CHECK(world.last().event.data == R"({"action":"opened","a":"b c"})");
  CHECK(world.last().event.type == "github.pull_request.opened");
  const std::string broken = "payload=%7B%22action";
  headers = github(broken, "d-2");
  headers[0].second = "application/x-www-form-urlencoded";
  CHECK(world.post("/hooks/github", broken, headers).status == 400);
}

TEST_CASE("a slash command's form becomes an object; Slack's question is answered") {
  DoorWorld world;
  world.add("slack", Scheme::slack, {"s3cret"});
  world.apply();
  const auto send = [&](const std::string& body, const std::string& type) {
    const auto at = to_unix_us(world.clock.now()) / 1'000'000;
    const auto content = fmt::format("v0:{}:{}", at, body);
    return world.post(
        "/hooks/slack", body,
        {{"content-type", type},
         {"x-slack-request-timestamp", fmt::format("{}", at)},
         {"x-slack-signature", "v0=" + to_hex(as_bytes(hmac_sha256("s3cret", content)))}});
  };
  const std::string form = "application/x-www-form-urlencoded";
  CHECK(send("command=%2Fdeploy&text=a%26b+%C3%A9&channel_id=C1&trigger_id=1", form).status == 202);
  CHECK(find_text(world.last().data, "text") == "a&b \u00e9");
  CHECK(world.last().event.subject == "C1");
  CHECK(world.last().event.type == "slack.command.deploy");
  CHECK(send("command=%2Fdeploy&text=a%26b+%C3%A9&channel_id=C1&trigger_id=1", form).status == 200);
  CHECK(send("a=%FF", form).status == 400);
  const auto answer =
      send(R"({"type":"url_verification","challenge":"3eZ\"b"})", "application/json");
  CHECK(answer.status == 200);
  CHECK(answer.body == "{\"challenge\":\"3eZ\\\"b\"}\n");
  CHECK(world.stored.size() == 1);
  Request unsigned_question;
  unsigned_question.method = "POST";
  unsigned_question.target = "/hooks/slack";
  unsigned_question.body = R"({"type":"url_verification","challenge":"x"})";
  CHECK(world.send(unsigned_question).status == 401);
}

TEST_CASE("what cannot be stored now is 503 with Retry-After") {
  Github world;
  for (const auto code : {ErrorCode::full, ErrorCode::busy, ErrorCode::unavailable}) {
    world.storage_state = fail(code, "the disk is full");
    const auto answer = world.post("/hooks/github", opened, github(opened));
    CHECK(answer.status == 503);
    CHECK(error_of(answer).contains("the disk is full"));
    REQUIRE(answer.headers.size() == 1);
    CHECK(answer.headers[0].first == "Retry-After");
  }
  world.storage_state = {};
  world.door.set_draining(true);
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 503);
  world.door.set_draining(false);
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 202);
  CHECK(world.door.stats().unavailable == 4);
}

TEST_CASE("a source says how large its bodies may be") {
  Github world;
  auto& hook = world.add("small", Scheme::none, {});
  hook.body_bytes_max = 10;
  world.apply();
  Request head;
  head.method = "POST";
  head.target = "/hooks/small?a=/hooks/github";
  CHECK(world.door.check_head(head).body_bytes_max == 10);
  head.target = "/hooks/github";
  CHECK(world.door.check_head(head).body_bytes_max == world.settings.http.body_bytes_max);
}

TEST_CASE("when a secret or a range cannot be read, the door stays as it was") {
  Github world;
  auto good = world.settings;
  world.add("other", Scheme::github, {"x"}).secrets = {
      {"file:" + (world.directory / "no").string()}};
  const auto refused = world.try_apply();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.contains("source.other.secrets"));
  world.settings = good;
  world.add("other", Scheme::github, {"x"}).allow = {"everybody"};
  const auto range = world.try_apply();
  REQUIRE_FALSE(range);
  CHECK(range.error().message.contains("source.other.allow"));
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 202);
  CHECK(world.post("/hooks/other", opened, github(opened)).status == 404);
  world.settings.sources.clear();
  world.apply();
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 404);
}

TEST_CASE("a page in a browser cannot post to a source without a secret") {
  DoorWorld world;
  world.add("open", Scheme::none, {});
  world.add("token", Scheme::bearer, {"s3cret"});
  world.apply();
  CHECK(world.post("/hooks/open", "{}", {}).status == 202);
  CHECK(world.post("/hooks/open", "{}", {{"origin", "https://evil.example"}}).status == 403);
  CHECK(world.post("/hooks/open", "{}", {{"origin", "null"}}).status == 403);
  CHECK(world.post("/hooks/open", "{}", {{"sec-fetch-site", "cross-site"}}).status == 403);
  CHECK(world.post("/hooks/token", "{}", {{"origin", "x"}, {"authorization", "Bearer s3cret"}})
            .status == 202);
}

TEST_CASE("a trusted source's events are trusted") {
  Github world;
  world.settings.sources.at("github").trusted = true;
  world.apply();
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 202);
  CHECK(world.last().event.taint == Taint::trusted);
}

TEST_CASE("ids that are too long are told apart to their last letter") {
  DoorWorld world;
  world.add("hook", Scheme::none, {}).id_header = "x-request-id";
  world.apply();
  const std::string id(5000, 'a');
  CHECK(world.post("/hooks/hook", "{}", {{"x-request-id", id + "1"}}).status == 202);
  CHECK(world.post("/hooks/hook", "{}", {{"x-request-id", id + "2"}}).status == 202);
  CHECK(world.post("/hooks/hook", "{}", {{"x-request-id", id + "1"}}).status == 200);
  CHECK(world.last().event.uid.size() < 200);
  CHECK(world.post("/hooks/hook", "{}", {{"x-request-id", "\xff"}}).status == 202);
  CHECK(is_valid_utf8(world.last().event.uid));
}

TEST_CASE("subjects that are too long are told apart to their last letter") {
  DoorWorld world;
  world.add("hook", Scheme::none, {}).subject_path = "about";
  world.apply();
  const auto subject_of = [&](const std::string& about) {
    CHECK(world.post("/hooks/hook", "{\"about\":\"" + about + "\"}", {}).status == 202);
    return world.last().event.subject;
  };
  const std::string about(100'000, 'a');
  CHECK(subject_of("short") == "short");
  CHECK(subject_of(about + "1") != subject_of(about + "2"));
  CHECK(subject_of(about + "1") == subject_of(about + "1"));
  CHECK(subject_of(about + "1").size() <= 501);
  CHECK(subject_of(std::string(500, 'a')).size() == 500);
  std::string umlauts;
  while (umlauts.size() < 1000) umlauts += "\u00fc";
  CHECK(is_valid_utf8(subject_of("x" + umlauts)));
}

TEST_CASE("a source that a reload takes away while a body comes is not there any more") {
  Github world;
  Request request;
  request.method = "POST";
  request.target = "/hooks/github";
  request.headers = github(opened);
  CHECK(world.door.check_head(request).refuse_status == 0);
  request.body = opened;
  world.settings.sources.clear();
  world.apply();
  CHECK(world.handle(request).status == 404);
  CHECK(world.stored.empty());
}

TEST_CASE("a reload while an event is on its way to the disk does not disturb it") {
  Github world;
  world.before_storing = [&] {
    world.settings.sources.clear();
    world.apply();
  };
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 202);
  CHECK(world.last().event.source == "github");
  CHECK(world.post("/hooks/github", opened, github(opened)).status == 404);
}

TEST_CASE("a secret that its scheme could never take is noticed when it is read") {
  struct Row {
    Scheme scheme;
    std::string secret;
    std::string about;  // empty: it is taken
  };
  const std::vector<Row> rows = {
      {Scheme::standard_webhooks, "whsec_not base64", "base64"},
      {Scheme::standard_webhooks, "whsec_=", "base64"},
      {Scheme::standard_webhooks, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ""},
      {Scheme::standard_webhooks, "any text", ""},
      {Scheme::gitlab, "tab\tinside", "control characters"},
      {Scheme::bearer, "two\nlines", "control characters"},
      {Scheme::alertmanager, " padded", "space"},
      {Scheme::bearer, "fine-token_1==", ""},
      {Scheme::tradingview, "a/b", "path"},
      {Scheme::tradingview, "a?b", "path"},
      {Scheme::tradingview, "Abc-123_~.", ""},
      {Scheme::hmac, "any \x01 bytes ", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.secret);
    DoorWorld world;
    world.add("hook", row.scheme, {row.secret});
    const auto applied = world.try_apply();
    CHECK(applied.has_value() == row.about.empty());
    if (applied) continue;
    CHECK(applied.error().message.starts_with("source.hook.secrets: file:"));
    CHECK(applied.error().message.contains(row.about));
    CHECK_FALSE(applied.error().message.contains(row.secret));
  }
}

}  // namespace vigil::ingress
