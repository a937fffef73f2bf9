// What each sender's webhooks are about, over payloads as they are really sent.
#include "daemon/ingress/presets.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "daemon/ingress/body.hpp"
#include "tests/support/places.hpp"

namespace vigil::ingress {
namespace {

using config::Scheme;
using Headers = std::vector<std::pair<std::string, std::string>>;

const std::string collected = source_dir() + "/../shared/data/";

std::string load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Described about(Scheme scheme, const std::string& body, Headers headers = {},
                config::Webhook settings = {}) {
  settings.scheme = scheme;
  Request request;
  request.headers = std::move(headers);
  const auto data = parse_json(body);
  REQUIRE(data.has_value());
  return describe("mine", settings, request, *data);
}

// Reads a collected payload; empty, with a word about it, when the collection is not here.
std::string collect(const std::string& path) {
  auto out = load(collected + path);
  if (out.empty()) MESSAGE("skipped: a collected payload is not here: " << path);
  return out;
}

}  // namespace

TEST_CASE("github: event and action make the type, pull request and issue the subject") {
  const Headers headers = {{"x-github-event", "issues"}, {"x-github-delivery", "d"}};
  const auto issue =
      about(Scheme::github,
            R"({"action":"opened","issue":{"number":3},"repository":{"full_name":"octo/repo"}})",
            headers);
  CHECK(issue.type == "github.issues.opened");
  CHECK(issue.subject == "octo/repo#3");
  CHECK(issue.uid == "d");
  CHECK_FALSE(issue.signed_id);
  const auto push = about(Scheme::github, R"({"ref":"x","repository":{"full_name":"octo/repo"}})",
                          {{"x-github-event", "push"}});
  CHECK(push.type == "github.push");
  CHECK(push.subject == "octo/repo");
  CHECK(about(Scheme::github, R"({"zen":"x"})", {{"x-github-event", "ping"}}).type ==
        "github.ping");
  CHECK(about(Scheme::github, "[]", {}).type == "github.unknown");
  CHECK(about(Scheme::github, R"({"action":"A b\n\u00e9"})", {{"x-github-event", "New-Event"}})
            .type == "github.new-event.a_b___");
}

TEST_CASE("github: every collected payload is told by its event, action and repository") {
  std::istringstream table(collect("webhooks/github-expected.tsv"));
  std::string line;
  std::getline(table, line);
  int seen = 0;
  while (std::getline(table, line)) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '\t');) cells.push_back(cell);
    const auto body = load(collected + "webhooks/" + cells.at(0));
    if (body.empty()) continue;
    CAPTURE(cells.at(0));
    const auto got = about(Scheme::github, body, {{"x-github-event", cells.at(1)}});
    const auto& action = cells.at(2);
    CHECK(got.type == "github." + cells.at(1) + (action.empty() ? "" : "." + action));
    CHECK(got.subject.starts_with(cells.at(3)));
    if (cells.at(1) == "pull_request" || cells.at(1) == "issues") CHECK(got.subject.contains('#'));
    if (cells.at(1) == "push" || cells.at(1) == "release") CHECK_FALSE(got.subject.contains('#'));
    ++seen;
  }
  if (seen > 0) CHECK(seen > 100);
}

TEST_CASE("gitlab: the kind says what a number counts") {
  const auto of = [](const std::string& name) {
    const auto body = collect("webhooks/gitlab/" + name);
    return body.empty() ? Described{} : about(Scheme::gitlab, body, {{"idempotency-key", "k"}});
  };
  const auto merge = of("pull_request_create.json");
  if (merge.type.empty()) return;
  CHECK(merge.type == "gitlab.merge_request.open");
  CHECK(merge.subject == "gitlab-org/hello-world!1");
  CHECK(merge.uid == "k");
  CHECK(of("issue_closed.json").subject == "gitlab-org/hello-world#1");
  CHECK(of("issue_closed.json").type == "gitlab.issue.close");
  CHECK(of("review_comment_create.json").subject == "gitlab-org/hello-world!1");
  CHECK(of("issue_comment_create.json").subject == "gitlab-org/hello-world#1");
  CHECK(of("pipeline_hook.json").subject == "gitlab-org/gitlab-test!15");
  CHECK(of("push.json").subject == "gitlab-org/hello-world");
  CHECK(of("push.json").type == "gitlab.push");
}

TEST_CASE("gitlab: hooks that caused each other share a number, and are two all the same") {
  const Headers headers = {{"x-gitlab-event-uuid", "u"}};
  const auto one = about(Scheme::gitlab, R"({"object_kind":"push"})", headers);
  const auto two = about(Scheme::gitlab, R"({"object_kind":"pipeline"})", headers);
  CHECK(one.uid != two.uid);
  CHECK(one.uid == about(Scheme::gitlab, R"({"object_kind":"push"})", headers).uid);
  CHECK(about(Scheme::gitlab, "{}", {}).uid.empty());
}

TEST_CASE("gitea: like GitHub, and the secret that old versions send is dropped") {
  const auto body = collect("webhooks/gitea/pull_request_merged.json");
  if (body.empty()) return;
  const auto got =
      about(Scheme::gitea, body, {{"x-gitea-event", "pull_request"}, {"x-gitea-delivery", "d"}});
  CHECK(got.type == "gitea.pull_request.closed");
  CHECK(got.subject.ends_with("#1"));
  CHECK(got.uid == "d");
  Request request;
  request.body = body;
  bool unsupported = false;
  const auto read = read_body(Scheme::gitea, request, unsupported);
  REQUIRE(read.has_value());
  CHECK(body.contains("\"secret\""));
  CHECK_FALSE(read->text.contains("\"secret\""));
  CHECK(find_path(read->data, "secret") == nullptr);
}

TEST_CASE("slack: the inner event makes the type, its channel the subject") {
  const auto body = collect("chat/slack/app_mention.json");
  if (body.empty()) return;
  const auto got = about(Scheme::slack, body);
  CHECK(got.type == "slack.app_mention");
  CHECK(got.uid == "Ev111");
  CHECK(got.signed_id);
  CHECK_FALSE(got.subject.empty());
  const auto reaction = about(Scheme::slack, collect("chat/slack/reaction_added.json"));
  CHECK(reaction.type == "slack.reaction_added");
  CHECK_FALSE(reaction.subject.empty());
  CHECK_FALSE(about(Scheme::slack, R"({"type":"block_actions"})").signed_id);
}

TEST_CASE("stripe and pagerduty: ids, types and times stand in the body that is signed") {
  const auto stripe = about(
      Scheme::stripe,
      R"({"id":"evt_1","type":"charge.failed","created":1767225600,"data":{"object":{"id":"ch_1"}}})");
  CHECK(stripe.uid == "evt_1");
  CHECK(stripe.signed_id);
  CHECK(stripe.type == "stripe.charge.failed");
  CHECK(stripe.subject == "ch_1");
  CHECK(stripe.time == from_unix_us(1'767'225'600'000'000));
  const auto pager = about(
      Scheme::pagerduty,
      R"({"event":{"id":"e1","event_type":"incident.triggered","occurred_at":"2026-01-01T00:00:00Z",)"
      R"("data":{"id":"P1"}}})");
  CHECK(pager.uid == "e1");
  CHECK(pager.type == "pagerduty.incident.triggered");
  CHECK(pager.subject == "P1");
  CHECK(pager.time == from_unix_us(1'767'225'600'000'000));
  CHECK_FALSE(about(Scheme::stripe, R"({"created":-5})").time.has_value());
  CHECK_FALSE(about(Scheme::stripe, R"({"created":1e300})").time.has_value());
}

TEST_CASE("alertmanager: the same group in the same state is the same delivery") {
  const auto post = [](const std::string& status, const std::string& alerts) {
    return about(Scheme::alertmanager,
                 fmt::format(R"({{"status":"{}","groupKey":"g","alerts":[{}]}})", status, alerts));
  };
  const std::string a = R"({"fingerprint":"a","status":"firing","startsAt":"1"})";
  const std::string b = R"({"fingerprint":"b","status":"firing","startsAt":"1"})";
  const std::string a_again = R"({"fingerprint":"a","status":"firing","startsAt":"2"})";
  const auto first = post("firing", a + "," + b);
  CHECK(first.type == "alertmanager.firing");
  CHECK(first.subject == "g");
  CHECK(first.uid == post("firing", b + "," + a).uid);
  CHECK(first.uid != post("resolved", a + "," + b).uid);
  CHECK(first.uid != post("firing", a).uid);
  CHECK(post("firing", a).uid != post("firing", a_again).uid);
  CHECK(first.names_state);  // which may come back: the sender keeps the start of an alert
}

TEST_CASE("alertmanager: an alert that resolves twice does so at two times") {
  const auto resolved = [](const std::string& end) {
    return about(
               Scheme::alertmanager,
               fmt::format(R"({{"status":"resolved","groupKey":"g","alerts":[{{"fingerprint":"a",)"
                           R"("status":"resolved","startsAt":"1","endsAt":"{}"}}]}})",
                           end))
        .uid;
  };
  CHECK(resolved("2") == resolved("2"));
  CHECK(resolved("2") != resolved("3"));
}

TEST_CASE("alertmanager: a running one's posts differ where the alerts do") {
  std::vector<std::string> uids;
  for (const auto* name : {"01-firing-two-alerts", "04-firing-one-alert",
                           "06-group-firing-one-resolved", "08-group-resolved"}) {
    const auto post = collect(fmt::format("alerts/alertmanager/{}.http", name));
    if (post.empty()) return;
    const auto got = about(Scheme::alertmanager, post.substr(post.find("\r\n\r\n") + 4));
    CHECK(got.type == (std::string_view(name).contains("group-resolved") ? "alertmanager.resolved"
                                                                         : "alertmanager.firing"));
    CHECK_FALSE(got.subject.empty());
    for (const auto& other : uids) CHECK(got.uid != other);
    uids.push_back(got.uid);
  }
}

TEST_CASE("standard webhooks and generic senders: the configuration says where to look") {
  const Headers headers = {{"webhook-id", "msg_1"}, {"x-my-id", "n-1"}};
  const std::string body =
      R"({"type":"user.created","kind":"k","user":{"id":42},"timestamp":"2026-01-01T00:00:00Z"})";
  const auto standard = about(Scheme::standard_webhooks, body, headers);
  CHECK(standard.uid == "msg_1");
  CHECK(standard.signed_id);
  CHECK(standard.type == "mine.user.created");
  CHECK(standard.time.has_value());
  config::Webhook settings;
  settings.type_path = "kind";
  settings.subject_path = "user.id";
  settings.id_header = "X-My-Id";
  const auto generic = about(Scheme::hmac, body, headers, settings);
  CHECK(generic.uid == "n-1");
  CHECK_FALSE(generic.signed_id);
  CHECK(generic.type == "mine.k");
  CHECK(generic.subject == "42");
  CHECK(about(Scheme::bearer, body, headers, settings).signed_id);
  settings.type = "fixed.type";
  CHECK(about(Scheme::bearer, body, headers, settings).type == "fixed.type");
  CHECK(about(Scheme::bearer, body).type == "mine.event");
  CHECK(about(Scheme::bearer, body).uid.empty());
  CHECK_FALSE(about(Scheme::hmac, body).signed_id);
}

TEST_CASE("kept headers are the harmless ones, in valid UTF-8 and short") {
  Request request;
  request.headers = {{"user-agent", std::string(2000, 'a')},
                     {"x-github-event", "p\xff"},
                     {"authorization", "a"},
                     {"cookie", "a"},
                     {"x-hub-signature-256", "a"},
                     {"x-gitlab-token", "a"},
                     {"stripe-signature", "a"},
                     {"webhook-signature", "a"},
                     {"x-forwarded-for", "a"}};
  const auto kept = kept_headers(request);
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].second.size() == 500);
  CHECK(kept[1].second == "p\xef\xbf\xbd");
}

}  // namespace vigil::ingress
