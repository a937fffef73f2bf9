#include <array>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "core/json.hpp"
#include "daemon/ingress/cron.hpp"
#include "daemon/ingress/gate.hpp"
#include "daemon/ingress/presets.hpp"
#include "daemon/ingress/schedule.hpp"
#include "daemon/ingress/signature.hpp"
#include "daemon/ingress/sns.hpp"
#include "entities/forge_facts.hpp"
#include "entities/ops/sources.hpp"
#include "tests/fuzz/target.hpp"

namespace vigil::fuzz {
namespace {

constexpr TimePoint now{std::chrono::microseconds{1'790'000'000'000'000}};

// What was refused is refused however it arrives, and more bytes never change a head that is whole.
void head(std::string_view bytes) {
  const auto whole = ingress::read_head(bytes, {});
  using Kind = ingress::GateAnswer::Kind;
  if (whole.kind == Kind::head) {
    must(whole.head_bytes <= bytes.size(), "the head ends within the bytes");
    must(!whole.request.method.empty() && !whole.request.target.empty(), "a head has both");
    const auto again = ingress::read_head(bytes.substr(0, whole.head_bytes), {});
    must(again.kind == Kind::head && again.request.target == whole.request.target,
         "what follows a head is not part of it");
  }
  const auto half = ingress::read_head(bytes.substr(0, bytes.size() / 2), {});
  if (half.kind == Kind::refuse) must(whole.kind == Kind::refuse, "more bytes do not mend a head");
  if (half.kind == Kind::head) {
    must(whole.kind == Kind::head && whole.head_bytes == half.head_bytes, "a head stays a head");
  }
}

// The first line is the value of every signature header in turn; nobody guesses a secret.
void signature(std::string_view bytes) {
  using config::Scheme;
  constexpr std::array schemes{Scheme::github,    Scheme::gitlab,       Scheme::gitea,
                               Scheme::slack,     Scheme::stripe,       Scheme::standard_webhooks,
                               Scheme::pagerduty, Scheme::alertmanager, Scheme::tradingview,
                               Scheme::hmac,      Scheme::bearer,       Scheme::basic,
                               Scheme::sendgrid,  Scheme::postmark,     Scheme::telegram};
  constexpr std::array names{"x-hub-signature-256",
                             "x-gitlab-token",
                             "x-gitea-signature",
                             "x-slack-signature",
                             "x-slack-request-timestamp",
                             "stripe-signature",
                             "webhook-id",
                             "webhook-timestamp",
                             "webhook-signature",
                             "x-pagerduty-signature",
                             "authorization",
                             "x-telegram-bot-api-secret-token",
                             "x-signature"};
  const auto [value, body] = halves_of(bytes);
  ingress::Request request;
  request.method = "POST";
  request.target = "/hooks/x";
  request.body = body;
  for (const auto* name : names) request.headers.emplace_back(name, std::string(value));
  for (const auto scheme : schemes) {
    config::Webhook source;
    source.scheme = scheme;
    source.user = "sam";
    std::vector<config::Secret> secrets;
    secrets.emplace_back(std::string("a secret that nobody knows 9f8e7d6c"));
    const auto proven = ingress::verify(source, secrets, request, value, now);
    must(!proven.has_value(), "a signature is not guessed");
  }
}

// The payload of a webhook: parsed, described, read by the readers of forges and alerts.
void event(std::string_view bytes) {
  const auto [type, body] = halves_of(bytes);
  const auto data = parse_json(body);
  if (!data) return;
  const auto text = to_text(*data);
  // Not that it is the same: Boost.JSON 1.81 may read a long number back one bit off.
  must(parse_json(text).has_value(), "what was written is read again");
  ingress::Request request;
  request.body = body;
  request.headers = {{"x-github-event", std::string(type)}, {"x-gitlab-event", std::string(type)}};
  config::Webhook source;
  for (const auto scheme : {config::Scheme::github, config::Scheme::gitlab, config::Scheme::slack,
                            config::Scheme::alertmanager, config::Scheme::pagerduty}) {
    source.scheme = scheme;
    (void)ingress::describe("x", source, request, *data);
  }
  (void)entities::read_forge_facts(type, *data);
  (void)ingress::read_sns(*data);
  Event told;
  told.type = type;
  told.data = *data;
  (void)entities::ops::read_alerts(told);
}

void cron(std::string_view bytes) {
  const auto [expression, zone] = halves_of(bytes);
  config::Schedule schedule;
  schedule.cron = expression;
  schedule.tz = zone.empty() ? std::string("Europe/Berlin") : std::string(zone);
  const auto table = ingress::Timetable::compile("x", schedule);
  if (!table) return;
  auto at = now;
  for (int i = 0; i < 5; ++i) {
    const auto next = table->next(at);
    if (!next) return;
    must(*next > at, "times go on");
    at = *next;
  }
}

constexpr std::array table{
    Target{"head", "conformance/http tests/data/http", head},
    Target{"signature", "signatures", signature},
    Target{"event", "webhooks alerts chat conformance/json", event},
    Target{"cron", "tests/fuzz/seeds/cron", cron},
};

}  // namespace

std::span<const Target> door_targets() { return table; }

}  // namespace vigil::fuzz
