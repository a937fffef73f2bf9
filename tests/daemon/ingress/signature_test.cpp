// Signatures of each scheme: what the senders publish, what is made here, and every way to be
// wrong.
#include "daemon/ingress/signature.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "config/words.hpp"
#include "core/digest.hpp"
#include "core/json.hpp"
#include "tests/support/places.hpp"

namespace vigil::ingress {
namespace {

using namespace std::chrono_literals;
using config::Scheme;

const TimePoint now = from_unix_us(1'767'225'600'000'000);
const std::string body = R"({"action":"opened","number":7})";

std::string hex_mac(std::string_view key, std::string_view content) {
  return to_hex(as_bytes(hmac_sha256(key, content)));
}

struct Try {
  config::Webhook source;
  std::vector<std::string> secrets = {"s3cret"};
  Request request;
  std::string path_rest;
  TimePoint at = now;

  Try(Scheme scheme, std::vector<std::pair<std::string, std::string>> headers) {
    source.scheme = scheme;
    request.method = "POST";
    request.target = "/hooks/a";
    request.headers = std::move(headers);
    request.body = body;
  }
  Result<void> answer() const {
    std::vector<config::Secret> opened;
    for (const auto& secret : secrets) opened.emplace_back(secret);
    return verify(source, opened, request, path_rest, at);
  }
  bool holds() const {
    const auto got = answer();
    if (got) return true;
    CHECK(got.error().code == ErrorCode::unauthorized);
    for (const auto& secret : secrets) CHECK_FALSE(got.error().message.contains(secret));
    CHECK_FALSE(got.error().message.contains(hex_mac(secrets.at(0), request.body)));
    return false;
  }
};

Try github(std::string_view key, std::string_view content = body) {
  return {Scheme::github, {{"x-hub-signature-256", "sha256=" + hex_mac(key, content)}}};
}

Try slack(std::int64_t seconds) {
  const auto content = fmt::format("v0:{}:{}", seconds, body);
  return {Scheme::slack,
          {{"x-slack-request-timestamp", fmt::format("{}", seconds)},
           {"x-slack-signature", "v0=" + hex_mac("s3cret", content)}}};
}

std::string standard_signature(std::string_view key, std::string_view id, std::int64_t seconds) {
  const auto content = fmt::format("{}.{}.{}", id, seconds, body);
  return "v1," + to_base64(as_bytes(hmac_sha256(key, content)));
}

}  // namespace

TEST_CASE("the vectors that GitHub, Slack and Standard Webhooks publish hold") {
  Try one(Scheme::github,
          {{"x-hub-signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}});
  one.secrets = {"It's a Secret to Everybody"};
  one.request.body = "Hello, World!";
  CHECK(one.holds());
  one.request.body = "Hello, World?";
  CHECK_FALSE(one.holds());
  Try two(Scheme::standard_webhooks,
          {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
           {"webhook-timestamp", "1614265330"},
           {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}});
  two.secrets = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  two.request.body = R"({"test": 2432232314})";
  two.at = from_unix_us(1'614'265'330'000'000);
  CHECK(two.holds());
  two.at += 6min;
  CHECK_FALSE(two.holds());
}

TEST_CASE("github: a digest of the bytes as they came, with its prefix, whole, in SHA-256") {
  CHECK(github("s3cret").holds());
  CHECK_FALSE(github("other").holds());
  CHECK_FALSE(github("s3cret", R"({"action": "opened", "number": 7})").holds());
  auto given = github("s3cret");
  auto& field = given.request.headers.at(0).second;
  const auto good = field;
  for (const auto& wrong :
       {good.substr(7), good.substr(0, good.size() - 2), good + "00", std::string("sha256="),
        "sha1=" + good.substr(7), good.substr(0, 20) + "zz" + good.substr(22), good + " "}) {
    CAPTURE(wrong);
    field = wrong;
    CHECK_FALSE(given.holds());
  }
  Try old(Scheme::github, {{"x-hub-signature", "sha1=" + to_hex(hmac_sha1("s3cret", body))}});
  const auto refused = old.answer();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.contains("SHA-1"));
  CHECK_FALSE(Try(Scheme::github, {}).holds());
}

TEST_CASE("every changed bit of the body or the signature is noticed") {
  const auto good = github("s3cret");
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    auto changed = good;
    changed.request.body[bit / 8] =
        static_cast<char>(changed.request.body[bit / 8] ^ (1 << bit % 8));
    REQUIRE_FALSE(changed.holds());
  }
  const auto& signature = good.request.headers.at(0).second;
  for (std::size_t at = 7; at < signature.size(); ++at) {
    auto changed = good;
    changed.request.headers[0].second[at] = signature[at] == '0' ? '1' : '0';
    REQUIRE_FALSE(changed.holds());
  }
}

TEST_CASE("while secrets are changed, either one opens") {
  auto given = github("new");
  given.secrets = {"old", "new"};
  CHECK(given.holds());
  given.secrets = {"new", "old"};
  CHECK(given.holds());
  given.secrets = {"old", "older"};
  CHECK_FALSE(given.holds());
  given.secrets = {};
  CHECK_FALSE(given.answer());
}

TEST_CASE("slack: the time is part of what is signed, and must be near") {
  const auto seconds = to_unix_us(now) / 1'000'000;
  CHECK(slack(seconds).holds());
  CHECK(slack(seconds - 299).holds());
  CHECK(slack(seconds + 299).holds());
  CHECK_FALSE(slack(seconds - 301).holds());
  CHECK_FALSE(slack(seconds + 301).holds());
  const auto old = slack(seconds - 3600).answer();
  REQUIRE_FALSE(old);
  CHECK(old.error().message.contains("1h"));
  CHECK(old.error().message.contains("clock"));
  auto moved = slack(seconds - 3600);
  moved.request.headers[0].second = fmt::format("{}", seconds);
  CHECK_FALSE(moved.holds());
  for (const auto* wrong :
       {"", "soon", "1767225600x", "-1", "99999999999999999999", "1767225600.5"}) {
    CAPTURE(wrong);
    auto odd = slack(seconds);
    odd.request.headers[0].second = wrong;
    CHECK_FALSE(odd.holds());
  }
}

TEST_CASE("stripe: any v1 of the list counts, v0 never") {
  const auto seconds = to_unix_us(now) / 1'000'000;
  const auto sign = [&](std::string_view key, std::int64_t t) {
    return hex_mac(key, fmt::format("{}.{}", t, body));
  };
  const auto with = [](std::string header) {
    return Try(Scheme::stripe, {{"stripe-signature", std::move(header)}});
  };
  const auto good = sign("s3cret", seconds);
  CHECK(with(fmt::format("t={},v1={}", seconds, good)).holds());
  CHECK(with(fmt::format("t={},v1={},v1={},v0=aa", seconds, sign("old", seconds), good)).holds());
  CHECK(with(fmt::format("v1={},t={}", good, seconds)).holds());
  CHECK_FALSE(with(fmt::format("t={},v0={}", seconds, good)).holds());
  CHECK_FALSE(with(fmt::format("v1={}", good)).holds());
  CHECK_FALSE(with(fmt::format("t={},v1=", seconds)).holds());
  CHECK_FALSE(with(fmt::format("t={},v1={}", seconds + 1, good)).holds());
  const auto late = seconds - 301;
  CHECK_FALSE(with(fmt::format("t={},v1={}", late, sign("s3cret", late))).holds());
  CHECK_FALSE(with(",,=,t=,v1=").holds());
}

TEST_CASE("standard webhooks: id, time and body are signed, by a key in base64") {
  const std::string key = "0123456789abcdefghijklmn";
  const auto seconds = to_unix_us(now) / 1'000'000;
  Try good(Scheme::standard_webhooks,
           {{"webhook-id", "msg_1"},
            {"webhook-timestamp", fmt::format("{}", seconds)},
            {"webhook-signature", standard_signature(key, "msg_1", seconds)}});
  good.secrets = {"whsec_" + to_base64(key)};
  CHECK(good.holds());
  auto several = good;
  several.request.headers[2].second =
      "v1a,AAAA v1," + to_base64("no") + " " + good.request.headers[2].second;
  CHECK(several.holds());
  auto id = good;
  id.request.headers[0].second = "msg_2";
  CHECK_FALSE(id.holds());
  auto version = good;
  version.request.headers[2].second[1] = '2';
  CHECK_FALSE(version.holds());
  auto malformed = good;
  malformed.secrets = {"whsec_not base64"};
  CHECK_FALSE(malformed.holds());
  for (std::size_t missing = 0; missing < 3; ++missing) {
    auto less = good;
    less.request.headers.erase(less.request.headers.begin() + static_cast<std::ptrdiff_t>(missing));
    CHECK_FALSE(less.holds());
  }
}

TEST_CASE("gitlab, gitea, pagerduty and the generic digest") {
  CHECK(Try(Scheme::gitlab, {{"x-gitlab-token", "s3cret"}}).holds());
  for (const auto* wrong : {"", "s3cre", "s3cret ", "S3CRET", "s3crets"}) {
    CHECK_FALSE(Try(Scheme::gitlab, {{"x-gitlab-token", wrong}}).holds());
  }
  CHECK(Try(Scheme::gitea, {{"x-gitea-signature", hex_mac("s3cret", body)}}).holds());
  CHECK(Try(Scheme::gitea, {{"x-hub-signature-256", "sha256=" + hex_mac("s3cret", body)}}).holds());
  CHECK_FALSE(Try(Scheme::gitea, {{"x-gitea-signature", hex_mac("other", body)}}).holds());
  const auto v1 = "v1=" + hex_mac("s3cret", body);
  CHECK(Try(Scheme::pagerduty, {{"x-pagerduty-signature", v1}}).holds());
  CHECK(Try(Scheme::pagerduty, {{"x-pagerduty-signature", "v1=00," + v1}}).holds());
  CHECK_FALSE(Try(Scheme::pagerduty, {{"x-pagerduty-signature", "v2=" + v1.substr(3)}}).holds());
  Try generic(Scheme::hmac, {{"x-mine", "h=" + to_base64(as_bytes(hmac_sha256("s3cret", body)))}});
  generic.source.signature_header = "x-mine";
  generic.source.signature_prefix = "h=";
  generic.source.signature_encoding = "base64";
  CHECK(generic.holds());
  generic.source.signature_encoding = "hex";
  CHECK_FALSE(generic.holds());
}

TEST_CASE("bearer, basic, and a secret in the path") {
  CHECK(Try(Scheme::bearer, {{"authorization", "Bearer s3cret"}}).holds());
  CHECK(Try(Scheme::bearer, {{"authorization", "bearer s3cret"}}).holds());
  for (const auto* wrong : {"", "s3cret", "Bearer", "Bearer ", "Bearer s3cre", "Bearer  s3cret",
                            "Basic s3cret", "Bearers3cret"}) {
    CAPTURE(wrong);
    CHECK_FALSE(Try(Scheme::bearer, {{"authorization", wrong}}).holds());
  }
  const auto basic = [](Scheme scheme, std::string_view pair) {
    Try out(scheme, {{"authorization", "Basic " + to_base64(pair)}});
    out.source.user = "prometheus";
    return out;
  };
  CHECK(basic(Scheme::basic, "prometheus:s3cret").holds());
  CHECK(basic(Scheme::alertmanager, "prometheus:s3cret").holds());
  CHECK_FALSE(basic(Scheme::basic, "prometheus:s3cre").holds());
  CHECK_FALSE(basic(Scheme::basic, "root:s3cret").holds());
  CHECK_FALSE(basic(Scheme::basic, "s3cret").holds());
  CHECK(Try(Scheme::alertmanager, {{"authorization", "Bearer s3cret"}}).holds());
  Try path(Scheme::tradingview, {});
  CHECK_FALSE(path.holds());
  path.path_rest = "s3cret";
  CHECK(path.holds());
  path.path_rest = "s3cret/more";
  CHECK_FALSE(path.holds());
  CHECK(Try(Scheme::none, {}).holds());
}

TEST_CASE("the collected vectors hold") {
  const std::string data = source_dir() + "/../shared/data/";
  const auto load = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  const auto vectors = parse_json(load(data + "signatures/vectors.json"));
  if (!vectors) {
    MESSAGE("skipped: the collected signature vectors are not here");
    return;
  }
  int tried = 0;
  for (const auto* group : {"published", "derived"}) {
    for (const auto& vector : find_path(*vectors, group)->as_array()) {
      auto name = std::string(find_text(vector, "scheme").value());
      std::ranges::replace(name, '-', '_');
      const auto& words = config::Words<Scheme>::all;
      const auto found = std::ranges::find(words, name);
      if (found == words.end()) continue;  // a sender we do not know
      const auto* headers = find_path(vector, "headers");
      if (headers == nullptr) continue;  // signed in the form itself: webhook_mail_test
      CAPTURE(std::string(find_text(vector, "id").value()));
      Try given(static_cast<Scheme>(found - words.begin()), {});
      given.secrets = {std::string(find_text(vector, "secret").value())};
      for (const auto& [key, value] : headers->as_object()) {
        std::string lower(key);
        std::ranges::transform(lower, lower.begin(), [](char c) {
          return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        });
        given.request.headers.emplace_back(lower, std::string(value.as_string()));
      }
      const auto file = find_text(vector, "payload_file");
      given.request.body =
          file ? load(data + std::string(*file)) : std::string(find_text(vector, "body").value());
      if (file && given.request.body.empty()) continue;
      if (const auto at = find_scalar_text(vector, "now")) {
        given.at = from_unix_us(std::stoll(*at) * 1'000'000);
      }
      CHECK(given.answer().has_value() == (find_text(vector, "expect") == "valid"));
      ++tried;
    }
  }
  CHECK(tried > 30);
}

}  // namespace vigil::ingress

TEST_CASE("what stands for the body of a replay is what was proven, in one spelling") {
  vigil::config::Webhook source;
  source.scheme = vigil::config::Scheme::github;
  vigil::ingress::Request request;
  request.headers = {{"x-hub-signature-256", "sha256=AB01"}};
  CHECK(vigil::ingress::body_mac_of(source, request) == "ab01");
  source.scheme = vigil::config::Scheme::gitea;
  request.headers = {{"x-hub-signature-256", "sha256=ff"}, {"x-gitea-signature", "ab02"}};
  CHECK(vigil::ingress::body_mac_of(source, request) == "ab02");  // the one that verify() looks at
  request.headers.pop_back();
  CHECK(vigil::ingress::body_mac_of(source, request) == "ff");
  source.scheme = vigil::config::Scheme::hmac;
  source.signature_header = "x-signature";
  source.signature_encoding = "base64";
  request.headers = {{"x-signature", "qwE="}};
  CHECK(vigil::ingress::body_mac_of(source, request) == "ab01");
  source.scheme = vigil::config::Scheme::bearer;
  CHECK(vigil::ingress::body_mac_of(source, request).empty());
}
