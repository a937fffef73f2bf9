#include "daemon/ingress/poll_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/digest.hpp"
#include "daemon/ingress/presets.hpp"

namespace vigil::ingress {
namespace {

constexpr std::size_t id_bytes_max = 500;
constexpr std::size_t subject_bytes_max = 200;
constexpr std::size_t word_bytes_max = 60;

std::string text_of(const json::value* value) {
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return std::string(std::string_view(value->get_string()));
  return value->is_structured() ? std::string() : to_text(*value);
}

std::string text_at(const json::value& item, const std::string& path) {
  return path.empty() ? std::string() : text_of(find_path(item, path));
}

// A part of an event type: "Push Event" is push_event.
std::string word_from(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, word_bytes_max)) {
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c + 32);
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') {
      out += c;
    } else {
      out += '_';
    }
  }
  return out;
}

// PullRequestReviewEvent is told by webhooks as pull_request_review.
std::string webhook_word(std::string_view type) {
  if (type.ends_with("Event")) type.remove_suffix(5);
  std::string out;
  for (const char c : type) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !out.empty()) out += '_';
    out += upper ? static_cast<char>(c + 32) : c;
  }
  return word_from(out);
}

storage::NewEvent event_of(const std::string& source, Taint taint, const std::string& id,
                           const json::value& payload, TimePoint now) {
  storage::NewEvent event;
  event.uid = id;
  event.source = source;
  event.time = now;
  event.received_at = now;
  event.content_type = "application/json";
  event.taint = taint;
  event.data = to_text(payload);
  return event;
}

// Docs: https://docs.github.com/en/rest/using-the-rest-api/github-event-types. A push tells its
// commits otherwise than a webhook does.
json::value webhook_payload(const json::value& item) {
  json::object out;
  if (const auto* payload = find_path(item, "payload");
      payload != nullptr && payload->is_object()) {
    out = payload->get_object();
  }
  const auto full_name = text_at(item, "repo.name");
  out["repository"] =
      json::object{{"full_name", full_name}, {"name", full_name.substr(full_name.rfind('/') + 1)}};
  out["sender"] = json::object{{"login", text_at(item, "actor.login")}};
  // Copies first: what is inserted moves what stands in the object.
  if (const auto head = text_at(json::value(out), "head"); !head.empty()) {
    out["after"] = head;
    out["pusher"] = json::object{{"name", text_at(item, "actor.login")}};
    auto* commits = out.if_contains("commits");
    if (commits != nullptr && commits->is_array()) {
      for (auto& commit : commits->get_array()) {
        if (!commit.is_object()) continue;
        if (const auto sha = text_at(commit, "sha"); !sha.empty()) commit.get_object()["id"] = sha;
      }
    }
  }
  return json::value(std::move(out));
}

PolledItem github_item(const std::string& source, Taint taint, const json::value& item,
                       std::string id, TimePoint now) {
  auto payload = webhook_payload(item);
  Request as_webhook;
  as_webhook.headers = {{"x-github-event", webhook_word(text_at(item, "type"))}};
  config::Webhook settings;
  settings.scheme = config::Scheme::github;
  auto described = describe(source, settings, as_webhook, payload);
  auto event = event_of(source, taint, "event-" + id, payload, now);
  event.type = std::move(described.type);
  event.subject = std::move(described.subject);
  event.time = parse_rfc3339(text_at(item, "created_at")).value_or(now);
  return {std::move(id), std::move(event), std::move(payload)};
}

PolledItem plain_item(const std::string& source, const config::Poll& settings, Taint taint,
                      const json::value& item, std::string id, TimePoint now) {
  auto event = event_of(source, taint, id, item, now);
  event.type = settings.type;
  if (const auto word = word_from(text_at(item, settings.type_path)); !word.empty()) {
    event.type += "." + word;
  }
  event.subject = to_valid_utf8(text_at(item, settings.subject_path).substr(0, subject_bytes_max));
  event.time = parse_rfc3339(text_at(item, settings.time_path)).value_or(now);
  return {std::move(id), std::move(event), item};
}

// One event for the whole document; its id says what it holds.
PolledPage whole_document(const std::string& source, const config::Poll& settings, Taint taint,
                          const std::string& document, const IsKnown& known, TimePoint now) {
  PolledPage page;
  page.ids = {to_hex(as_bytes(sha256(document)))};
  if (known(page.ids.front())) return page;
  auto parsed = parse_json(document);
  json::value payload =
      parsed ? std::move(*parsed) : json::value(json::object{{"text", to_valid_utf8(document)}});
  // The same content may come back: each time it is news.
  auto event = event_of(source, taint, fmt::format("{}@{}", page.ids.front(), to_unix_us(now)),
                        payload, now);
  event.type = settings.type;
  event.subject =
      to_valid_utf8(text_at(payload, settings.subject_path).substr(0, subject_bytes_max));
  page.fresh.push_back({page.ids.front(), std::move(event), std::move(payload)});
  return page;
}

}  // namespace

Result<PolledPage> read_page(const std::string& source, const config::Poll& settings, Taint taint,
                             const std::string& document, const IsKnown& known, TimePoint now) {
  if (settings.form == config::PollForm::document) {
    return whole_document(source, settings, taint, document, known, now);
  }
  const auto parsed = parse_json(document);
  if (!parsed) {
    return fail(ErrorCode::invalid_input, "the document is not JSON: " + parsed.error().message);
  }
  const auto* list = settings.items.empty() ? &*parsed : find_path(*parsed, settings.items);
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::invalid_input,
                settings.items.empty()
                    ? "the document is not a list: say in `items` where the list stands"
                    : fmt::format("there is no list at {}: correct `items`", settings.items));
  }
  PolledPage page;
  const bool github = settings.form == config::PollForm::github_events;
  for (const auto& item : list->get_array()) {
    auto id = github ? text_at(item, "id") : text_at(item, settings.id);
    if (id.empty() || id.size() > id_bytes_max) {
      ++page.skipped;
      continue;
    }
    page.ids.push_back(id);
    if (known(id)) continue;
    page.fresh.push_back(github ? github_item(source, taint, item, std::move(id), now)
                                : plain_item(source, settings, taint, item, std::move(id), now));
  }
  if (page.ids.empty() && page.skipped > 0) {
    return fail(ErrorCode::invalid_input,
                fmt::format("no item of the list says who it is at \"{}\": correct `id`",
                            github ? "id" : settings.id));
  }
  return page;
}

std::string poll_form(const config::Poll& settings) {
  return fmt::format("{}\n{}\n{}\n{}", settings.url, static_cast<int>(settings.form),
                     settings.items, settings.id);
}

std::string next_page(std::string_view link, std::string_view url) {
  const auto origin = url.substr(0, url.find('/', url.find("://") + 3));
  while (!link.empty()) {
    const auto end = std::min(link.find(",<"), link.find(", <"));
    const auto one = link.substr(0, end);
    link.remove_prefix(end == std::string_view::npos ? link.size() : end + 1);
    const auto open = one.find('<');
    const auto close = one.find('>');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) continue;
    if (one.find("rel=\"next\"", close) == std::string_view::npos) continue;
    const auto target = one.substr(open + 1, close - open - 1);
    if (target.starts_with(origin) && target.substr(origin.size()).starts_with('/')) {
      return std::string(target);
    }
  }
  return {};
}

}  // namespace vigil::ingress
