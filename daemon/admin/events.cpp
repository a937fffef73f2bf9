#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "daemon/admin/explain.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

std::unexpected<Refusal> no_event(EventId id) {
  return refuse(
      404, fmt::format("there is no event {}", id.value),
      "vigilctl events list shows the newest; old ones may be past [storage] events_keep");
}

bool is_name(std::string_view text) {
  constexpr std::size_t bytes_max = 200;
  return !text.empty() && text.size() <= bytes_max && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.:/-").find(c) != std::string_view::npos;
  });
}

Checked<TimePoint> time_member(const json::object& body, TimePoint otherwise) {
  constexpr std::size_t bytes_max = 64;
  const auto text = text_member(body, "time", bytes_max);
  if (!text) return std::unexpected(text.error());
  if (text->empty()) return otherwise;
  const auto at = parse_rfc3339(*text);
  if (!at) return refuse(at.error(), "or leave it out: now");
  return *at;
}

// Who can write to the admin socket is trusted as the configuration trusts the source it speaks
// for; its own words ("admin", or a source nobody configured) are trusted.
Taint taint_for(const config::Settings& settings, const std::string& source, bool untrusted) {
  if (untrusted) return Taint::untrusted;
  const auto known = settings.sources.find(source);
  return known == settings.sources.end() || known->second.trusted ? Taint::trusted
                                                                  : Taint::untrusted;
}

Checked<storage::NewEvent> event_from(const json::object& body, const Desk& desk) {
  constexpr std::size_t name_max = 200;
  constexpr std::size_t subject_max = 1'000;
  storage::NewEvent event;
  event.received_at = desk.parts.clock.now();
  const auto type = text_member(body, "type", name_max);
  if (!type) return std::unexpected(type.error());
  const auto source = text_member(body, "source", name_max);
  if (!source) return std::unexpected(source.error());
  const auto subject = text_member(body, "subject", subject_max);
  if (!subject) return std::unexpected(subject.error());
  const auto uid = text_member(body, "uid", name_max);
  if (!uid) return std::unexpected(uid.error());
  const auto time = time_member(body, event.received_at);
  if (!time) return std::unexpected(time.error());
  event.type = *type;
  event.source = source->empty() ? "admin" : *source;
  event.subject = *subject;
  event.uid = uid->empty() ? "admin-" + random_hex(12) : *uid;
  event.time = *time;
  if (!is_name(event.type) || !is_name(event.source)) {
    return refuse(400,
                  event.type.empty() ? "an event needs a type"
                                     : "type and source are dotted names: letters, digits, _.:/-",
                  R"(for example {"type": "note.added", "subject": "octo/repo#12", "data": {}})");
  }
  const auto* untrusted = body.if_contains("untrusted");
  if (untrusted != nullptr && !untrusted->is_bool()) {
    return refuse(400, "untrusted is not true or false", "leave it out for your own words");
  }
  event.taint =
      taint_for(desk.parts.settings(), event.source, untrusted != nullptr && untrusted->get_bool());
  event.content_type = "application/json";
  return event;
}

}  // namespace

// The journal gives payloads along, which may be large: a few at a time, and the loop goes on in
// between.
asio::awaitable<Answer> list_events(Desk& desk, Call call) {
  const auto limit = call.limit();
  if (!limit) co_return std::unexpected(limit.error());
  const auto before = call.before();
  if (!before) co_return std::unexpected(before.error());
  storage::EventFilter filter;
  filter.source = call.text("source");
  filter.type_like = call.text("type");
  filter.before = EventId{*before};
  json::array views;
  EventId last;
  for (int left = *limit; left > 0;) {
    filter.limit = std::min(left, rows_at_once);
    const auto events = desk.reader().journal.list(filter);
    for (const auto& event : events) views.push_back(view_of(*event, Detail::brief));
    left -= static_cast<int>(events.size());
    if (!events.empty()) filter.before = events.back()->id;
    if (static_cast<int>(events.size()) < filter.limit) break;
    last = filter.before;
    co_await asio::post(desk.parts.executor, asio::use_awaitable);
  }
  const bool more = last && static_cast<int>(views.size()) == *limit;
  json::object out;
  out["events"] = std::move(views);
  out["next_before"] = more ? json::value(last.value) : json::value();
  co_return json_response(out);
}

Answer get_event(Desk& desk, const Call& call) {
  const auto id = call.id<EventId>();
  if (!id) return std::unexpected(id.error());
  const auto event = desk.reader().journal.find(*id);
  if (!event) return no_event(*id);
  return json_response(view_of(*event, Detail::full));
}

Answer explain_event(Desk& desk, const Call& call) {
  const auto id = call.id<EventId>();
  if (!id) return std::unexpected(id.error());
  const auto event = desk.reader().journal.find(*id);
  if (!event) return no_event(*id);
  return json_response(explain(desk.reader(), *event));
}

asio::awaitable<Answer> emit_event(Desk& desk, Call call) {
  auto body = call.body({"type", "source", "subject", "uid", "time", "data", "untrusted"});
  if (!body) co_return std::unexpected(std::move(body.error()));
  auto event = event_from(*body, desk);
  if (!event) co_return std::unexpected(std::move(event.error()));
  json::value data;
  if (auto* given = body->if_contains("data")) data = std::move(*given);
  if (!data.is_null()) event->data = to_text(data);
  const auto source = event->source;
  const auto uid = event->uid;
  auto accepting = desk.parts.accept(std::move(*event), std::move(data));
  Result<storage::Appended> appended = co_await std::move(accepting);
  if (!appended) co_return refuse(appended.error());
  json::object out{{"id", appended->id.value},
                   {"uid", uid},
                   {"source", source},
                   {"status", appended->duplicate ? "duplicate" : "accepted"}};
  co_return json_response(out, appended->duplicate ? 200 : 202);
}

asio::awaitable<Answer> replay_event(Desk& desk, Call call) {
  const auto id = call.id<EventId>();
  if (!id) co_return std::unexpected(id.error());
  auto replaying = desk.parts.runtime.replay(*id);
  Result<void> replayed = co_await std::move(replaying);
  if (!replayed) co_return refuse(replayed.error(), "vigilctl events list shows the newest");
  log_info("an event is replayed: event={} uid={}", id->value, call.request.peer.uid);
  json::object out{{"id", id->value}, {"status", "replayed"}};
  co_return json_response(out, 202);
}

}  // namespace vigil::admin
