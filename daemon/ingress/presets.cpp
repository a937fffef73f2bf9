#include "daemon/ingress/presets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>

#include "core/digest.hpp"
#include "storage/descent.hpp"

namespace vigil::ingress {
namespace {

using config::Scheme;

std::string text_at(const json::value& data, std::string_view path) {
  return find_scalar_text(data, path).value_or("");
}

// A word of a type: lower case, what is not a letter, digit or dash becomes an underscore.
std::string word(std::string_view text) {
  std::string out(text.substr(0, 100));
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!plain) c = '_';
  }
  return out;
}

std::string join(std::string head, const std::string& tail) {
  if (!tail.empty()) head += "." + word(tail);
  return head;
}

std::string first_of(const json::value& data, std::initializer_list<std::string_view> paths) {
  for (const auto path : paths) {
    if (auto found = find_scalar_text(data, path); found && !found->empty()) return *found;
  }
  return {};
}

std::optional<TimePoint> unix_time_at(const json::value& data, std::string_view path) {
  const auto seconds = find_integer(data, path);
  if (!seconds || *seconds <= 0 || *seconds > 100'000'000'000) return std::nullopt;
  return from_unix_us(*seconds * 1'000'000);
}

std::optional<TimePoint> time_at(const json::value& data, std::string_view path) {
  const auto text = find_text(data, path);
  if (!text) return std::nullopt;
  const auto parsed = parse_rfc3339(*text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

// GitHub and its relatives: the event is named in a header, the action in the body.
Described forge(std::string_view name, const Request& request, const json::value& data) {
  Described out;
  const auto event = request.header(fmt::format("x-{}-event", name));
  out.uid = request.header(fmt::format("x-{}-delivery", name));
  out.signed_id = false;
  out.type = join(join(std::string(name), std::string(event.empty() ? "unknown" : event)),
                  text_at(data, "action"));
  out.subject = text_at(data, "repository.full_name");
  const auto number =
      first_of(data, {"pull_request.number", "issue.number", "discussion.number", "number"});
  if (!out.subject.empty() && !number.empty()) out.subject += "#" + number;
  if (out.subject.empty()) out.subject = text_at(data, "organization.login");
  return out;
}

Described gitlab(const Request& request, const json::value& data) {
  Described out;
  out.uid = request.header("idempotency-key");
  if (const auto uuid = request.header("x-gitlab-event-uuid"); out.uid.empty() && !uuid.empty()) {
    // GitLab before 17.4. Hooks that caused each other share the number, so it takes the body too.
    out.uid = fmt::format("{}:{}", uuid, to_hex(as_bytes(sha256(to_text(data)))).substr(0, 16));
  }
  const auto kind = first_of(data, {"object_kind", "event_type", "event_name"});
  out.type = join(join("gitlab", kind.empty() ? "unknown" : kind),
                  text_at(data, "object_attributes.action"));
  out.subject = text_at(data, "project.path_with_namespace");
  // A pipeline has an iid too, which is no issue's: the kind says what the number counts.
  auto merge = text_at(data, "merge_request.iid");
  auto issue = text_at(data, "issue.iid");
  if (kind == "merge_request") merge = text_at(data, "object_attributes.iid");
  if (kind == "issue" || kind == "work_item") issue = text_at(data, "object_attributes.iid");
  if (out.subject.empty()) return out;
  if (!merge.empty()) {
    out.subject += "!" + merge;
  } else if (!issue.empty()) {
    out.subject += "#" + issue;
  }
  return out;
}

Described slack(const json::value& data) {
  Described out;
  out.uid = text_at(data, "event_id");
  const bool callback = text_at(data, "type") == "event_callback";
  auto command = text_at(data, "command");  // "/deploy"
  if (command.starts_with('/')) command.erase(0, 1);
  out.type = command.empty() ? join("slack", text_at(data, callback ? "event.type" : "type"))
                             : join("slack.command", command);
  out.time = unix_time_at(data, "event_time");
  out.subject = first_of(
      data, {"event.channel", "event.item.channel", "channel.id", "channel_id", "team_id"});
  return out;
}

// Alertmanager sends neither an id nor a signature: the same group in the same state is the same
// fact, until another one of the group was told. What fires has no end yet; what resolved is told
// apart by it.
Described alertmanager(const json::value& data) {
  std::vector<std::string> alerts;
  if (const auto* list = find_path(data, "alerts"); list != nullptr && list->is_array()) {
    for (const auto& alert : list->get_array()) {
      const auto status = text_at(alert, "status");
      alerts.push_back(fmt::format("{} {} {} {}", text_at(alert, "fingerprint"), status,
                                   text_at(alert, "startsAt"),
                                   status == "resolved" ? text_at(alert, "endsAt") : ""));
    }
  }
  std::ranges::sort(alerts);
  Described out;
  out.names_state = true;
  out.type = join("alertmanager", text_at(data, "status"));
  out.subject = text_at(data, "groupKey");
  const auto state =
      fmt::format("{}\n{}\n{}", out.subject, text_at(data, "status"), fmt::join(alerts, "\n"));
  out.uid = to_hex(as_bytes(sha256(state))).substr(0, 32);
  return out;
}

Described sns(const json::value& data) {
  const auto type = text_at(data, "Type");
  return {.uid = text_at(data, "MessageId"),
          .type = type == "Notification"               ? "sns.notification"
                  : type == "SubscriptionConfirmation" ? "sns.subscription_confirmation"
                                                       : "sns.unsubscribe_confirmation",
          .subject = text_at(data, "TopicArn"),
          .time = time_at(data, "Timestamp")};
}

Described generic(const std::string& source, const config::Webhook& settings,
                  const Request& request, const json::value& data) {
  Described out;
  out.type = source + ".event";
  if (!settings.type_path.empty()) out.type = join(source, text_at(data, settings.type_path));
  if (settings.scheme == Scheme::standard_webhooks) {
    out.uid = request.header("webhook-id");
    out.type =
        join(source, text_at(data, settings.type_path.empty() ? "type" : settings.type_path));
    out.time = time_at(data, "timestamp");
  }
  return out;
}

Described of_scheme(const std::string& source, const config::Webhook& settings,
                    const Request& request, const json::value& data) {
  switch (settings.scheme) {
    case Scheme::github:
      return forge("github", request, data);
    case Scheme::gitea:
      return forge("gitea", request, data);
    case Scheme::gitlab:
      return gitlab(request, data);
    case Scheme::slack:
      return slack(data);
    case Scheme::stripe:
      return {.uid = text_at(data, "id"),
              .type = join("stripe", text_at(data, "type")),
              .subject = text_at(data, "data.object.id"),
              .time = unix_time_at(data, "created")};
    case Scheme::pagerduty:
      return {.uid = text_at(data, "event.id"),
              .type = join("pagerduty", text_at(data, "event.event_type")),
              .subject = text_at(data, "event.data.id"),
              .time = time_at(data, "event.occurred_at")};
    case Scheme::alertmanager:
      return alertmanager(data);
    case Scheme::sns:
      return sns(data);
    case Scheme::telegram:
      return {.uid = "update:" + text_at(data, "update_id"), .type = "telegram.update"};
    default:
      return generic(source, settings, request, data);
  }
}

constexpr std::array<std::string_view, 17> kept_names{
    "user-agent",        "x-github-event",        "x-github-delivery",
    "x-github-hook-id",  "x-gitlab-event",        "x-gitlab-event-uuid",
    "x-gitlab-instance", "x-gitea-event",         "x-gitea-delivery",
    "x-slack-retry-num", "x-slack-retry-reason",  "webhook-id",
    "x-webhook-id",      "x-request-id",          "idempotency-key",
    "traceparent",       storage::descent_header,
};
constexpr std::size_t kept_bytes_max = 500;

// Schemes that prove the body, not the header somebody chose for the id. The others prove who holds
// a secret that goes with every request: who has it needs no replay.
bool signs_the_body(Scheme scheme) {
  switch (scheme) {
    case Scheme::github:
    case Scheme::gitea:
    case Scheme::slack:
    case Scheme::stripe:
    case Scheme::standard_webhooks:
    case Scheme::pagerduty:
    case Scheme::sns:
    case Scheme::hmac:
      return true;
    default:
      return false;
  }
}

}  // namespace

Described describe(const std::string& source, const config::Webhook& settings,
                   const Request& request, const json::value& data) {
  auto out = of_scheme(source, settings, request, data);
  if (settings.scheme == config::Scheme::tradingview) {
    if (settings.type_path.empty()) out.type = "market.signal";
    out.subject = text_at(data, find_text(data, "symbol") ? "symbol" : "ticker");
  }
  if (!settings.type.empty()) out.type = settings.type;
  if (!settings.subject_path.empty()) out.subject = text_at(data, settings.subject_path);
  if (!settings.id_header.empty()) {
    out.uid = request.header(word(settings.id_header));
    out.signed_id = !signs_the_body(settings.scheme);
    out.names_state = false;
  }
  // What was signed can be sent once more as it is: without an id the body itself is one.
  if (out.uid.empty() && signs_the_body(settings.scheme)) out.signed_id = false;
  return out;
}

std::vector<std::pair<std::string, std::string>> kept_headers(const Request& request) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, value] : request.headers) {
    if (std::ranges::find(kept_names, name) == kept_names.end()) continue;
    out.emplace_back(name, to_valid_utf8(value.substr(0, kept_bytes_max)));
  }
  return out;
}

}  // namespace vigil::ingress
