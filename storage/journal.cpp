#include "storage/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "core/json.hpp"
#include "storage/columns.hpp"
#include "storage/compress.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

constexpr std::size_t read_bytes_max = 8 << 20;

std::string body_of(const NewEvent& event) {
  json::array headers;
  headers.reserve(event.headers.size());
  for (const auto& [name, value] : event.headers) {
    headers.push_back(json::array{json::string(name), json::string(value)});
  }
  auto body = to_text(json::value(std::move(headers)));  // compact: it holds no newline
  body += '\n';
  body += event.data;
  return pack(body);
}

// Columns: id, source, uid, type, subject, time, received_at, content_type, taint, body.
EventPtr event_of(const Cursor& row, std::size_t& bytes) {
  auto event = std::make_shared<Event>();
  event->id = row.id<EventId>(0);
  event->source = row.text(1);
  event->uid = row.text(2);
  event->type = row.text(3);
  event->subject = row.text(4);
  event->time = row.time(5);
  event->received_at = row.time(6);
  event->content_type = row.text(7);
  event->taint = row.taint(8);
  const auto body = unpack(row.bytes(9));
  bytes += body.size();
  const auto cut = std::min(body.find('\n'), body.size());
  for (const auto& header : json_of(std::string_view(body).substr(0, cut)).as_array()) {
    const auto& pair = header.as_array();
    event->headers.emplace_back(pair.at(0).as_string(), pair.at(1).as_string());
  }
  const auto data = std::string_view(body).substr(std::min(cut + 1, body.size()));
  if (data.empty()) return event;
  auto parsed = parse_json(data);
  // Doors let only JSON in; anything else is kept as the text it is.
  event->data = parsed ? std::move(*parsed) : json::value(json::string(data));
  return event;
}

bool matches(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (text.substr(0, star) != pattern.substr(0, star)) return false;
  const auto rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at) {
    if (matches(rest, text.substr(at))) return true;
  }
  return false;
}

struct Kind {
  std::string source;
  std::string type;
};

// The kinds of events there are: one step through the index for each, however many events.
std::vector<Kind> kinds(Database& database) {
  std::vector<Kind> out;
  Kind last;
  while (true) {
    auto row = database.query(R"sql(SELECT source, type FROM event WHERE (source, type) > (?, ?)
                                    ORDER BY source, type LIMIT 1)sql",
                              last.source, last.type);
    if (!row.next()) return out;
    last = {row.text(0), row.text(1)};
    out.push_back(last);
  }
}

constexpr int looked_back_max = 1000;  // of each type

// The newest event of that subject: among the latest of its source, as a state that came so long
// ago may well be told once more.
struct Told {
  std::int64_t id = 0;
  std::string uid;
};
Told last_told(Database& database, const NewEvent& event) {
  Told out;
  for (const auto& [source, type] : kinds(database)) {
    if (source != event.source) continue;
    auto row = database.query(R"sql(SELECT id, uid, subject FROM event WHERE source = ? AND type = ?
                                    ORDER BY id DESC LIMIT ?)sql",
                              source, type, looked_back_max);
    while (row.next()) {
      if (row.integer(0) < out.id) break;
      if (row.text(2) != event.subject) continue;
      out = {row.integer(0), std::string(row.text(1))};
      break;
    }
  }
  return out;
}

}  // namespace

Appended Journal::append(const NewEvent& event) {
  std::optional<std::string_view> hash;
  if (!event.dedup_hash.empty()) hash = event.dedup_hash;
  const int added = database_.run(
      R"sql(INSERT INTO event (source, uid, type, subject, time, received_at, content_type, taint,
                               dedup_hash, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING)sql",
      event.source, event.uid, event.type, event.subject, event.time, event.received_at,
      event.content_type, event.taint, hash, Blob{body_of(event)});
  if (added > 0) return {EventId{database_.last_id()}, false};
  auto first = database_.number("SELECT id FROM event WHERE source = ? AND uid = ?", event.source,
                                event.uid);
  if (first == 0 && hash) {
    first = database_.number("SELECT id FROM event WHERE source = ? AND dedup_hash = ?",
                             event.source, *hash);
  }
  if (event.names == Names::delivery) return {EventId{first}, true};
  const auto told = last_told(database_, event);
  const auto base = event.uid + "+";
  if (told.uid == event.uid || told.uid.starts_with(base)) return {EventId{told.id}, true};
  auto again = event;
  again.names = Names::delivery;
  again.uid = fmt::format("{}{}", base, last().value + 1);
  auto appended = append(again);
  appended.uid = std::move(again.uid);
  return appended;
}

EventPtr Journal::find(EventId id) {
  auto row = database_.query(
      R"sql(SELECT id, source, uid, type, subject, time, received_at, content_type, taint, body
            FROM event WHERE id = ?)sql",
      id.value);
  std::size_t bytes = 0;
  return row.next() ? event_of(row, bytes) : nullptr;
}

std::vector<EventPtr> Journal::read_after(EventId cursor, int limit) {
  auto row = database_.query(
      R"sql(SELECT id, source, uid, type, subject, time, received_at, content_type, taint, body
            FROM event WHERE id > ? ORDER BY id LIMIT ?)sql",
      cursor.value, limit);
  std::vector<EventPtr> out;
  std::size_t bytes = 0;
  while (bytes < read_bytes_max && row.next()) out.push_back(event_of(row, bytes));
  return out;
}

std::vector<EventPtr> Journal::list(const EventFilter& filter) {
  const auto before = filter.before ? filter.before.value : INT64_MAX;
  const auto limit = std::max(filter.limit, 0);
  std::vector<std::int64_t> ids;
  if (filter.source.empty() && filter.type_like.empty()) {
    auto row = database_.query("SELECT id FROM event WHERE id < ? ORDER BY id DESC LIMIT ?", before,
                               limit);
    while (row.next()) ids.push_back(row.integer(0));
  } else {
    for (const auto& [source, type] : kinds(database_)) {
      if (!filter.source.empty() && source != filter.source) continue;
      if (!filter.type_like.empty() && !matches(filter.type_like, type)) continue;
      auto row = database_.query(R"sql(SELECT id FROM event WHERE source = ? AND type = ?
                                       AND id < ? ORDER BY id DESC LIMIT ?)sql",
                                 source, type, before, limit);
      while (row.next()) ids.push_back(row.integer(0));
    }
    std::ranges::sort(ids, std::greater{});
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(limit)));
  }
  std::vector<EventPtr> out;
  for (const auto id : ids) {
    if (auto event = find(EventId{id})) out.push_back(std::move(event));
  }
  return out;
}

EventId Journal::last() { return EventId{database_.number("SELECT max(id) FROM event")}; }

std::int64_t Journal::count_after(EventId cursor) {
  return database_.number("SELECT count(*) FROM event WHERE id > ?", cursor.value);
}

}  // namespace vigil::storage
