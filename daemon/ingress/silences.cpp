#include "daemon/ingress/silences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/deadline.hpp"
#include "core/log.hpp"
#include "core/vital.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

constexpr const char* own_source = "vigil";  // of its events, and of what it keeps in `seen`
constexpr Duration refused_pause = std::chrono::seconds{1};
constexpr int rows_at_once = 500;
constexpr int pages_max = 10;

std::string_view word_of(Expected what) { return what == Expected::source ? "source" : "entity"; }

std::string item_of(const std::pair<Expected, std::string>& key) {
  return fmt::format("{}:{}", word_of(key.first), key.second);
}

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

std::optional<TimePoint> last_of_source(storage::Stores& stores, const std::string& source) {
  const auto newest = stores.journal.list({.source = source, .limit = 1});
  return newest.empty() ? std::nullopt : std::optional(newest.front()->received_at);
}

// The newest line of the ledger about an event of somebody else's. What is older than `oldest`
// makes no difference.
std::optional<TimePoint> last_of_entity(storage::Stores& stores, const std::string& entity,
                                        TimePoint oldest) {
  DecisionId before;
  for (int page = 0; page < pages_max; ++page) {
    const auto rows = stores.ledger.list(entity, before, rows_at_once);
    for (const auto& row : rows) {
      before = row.id;
      if (row.at < oldest) return row.at;
      if (row.wake_kind != "event" || row.events.empty()) continue;
      const auto event = stores.journal.find(row.events.front());
      if (event && event->source != own_source) return row.at;
    }
    if (rows.size() < static_cast<std::size_t>(rows_at_once)) break;
  }
  return std::nullopt;
}

struct Kept {
  std::optional<TimePoint> since;
  std::optional<TimePoint> told;
};

Kept kept_of(storage::Stores& stores, const std::string& item) {
  Kept out;
  const auto text = stores.seen.get(own_source, item);
  const auto value = text ? parse_json(*text) : Result<json::value>(json::value());
  if (!value) return out;
  const auto time = [&](std::string_view name) {
    const auto us = find_integer(*value, name);
    return us ? std::optional(from_unix_us(*us)) : std::nullopt;
  };
  return {time("since"), time("told")};
}

void keep(storage::Stores& stores, const std::string& item, TimePoint since,
          std::optional<TimePoint> told, TimePoint now) {
  json::object value{{"since", to_unix_us(since)}};
  if (told) value["told"] = to_unix_us(*told);
  stores.seen.put(own_source, item, to_text(json::value(std::move(value))), now);
}

}  // namespace

Silences::Silences(asio::any_io_executor executor, Clock& clock, AcceptNoticed accept)
    : clock_(clock), accept_(std::move(accept)), bell_(executor), group_(executor) {}

void Silences::apply(const config::Settings& settings) {
  std::map<Key, Watched> wanted;
  const auto add = [&](Expected what, const std::string& name, Duration every) {
    if (every == Duration{0}) return;
    const Key key{what, name};
    const auto before = watched_.find(key);
    auto& entry = wanted[key] = before == watched_.end() ? Watched{} : before->second;
    entry.every = every;
  };
  for (const auto& [name, source] : settings.sources) {
    add(Expected::source, name, source.expect_every);
  }
  for (const auto& [name, entity] : settings.entities) {
    add(Expected::entity, name, entity.expect_every);
  }
  watched_ = std::move(wanted);
  bell_.ring();
}

void Silences::start(storage::Stores& reader, std::optional<TimePoint> down_since) {
  reader_ = &reader;
  started_ = clock_.now();
  down_since_ = down_since.value_or(started_);
  group_.spawn("silences", [this] { return vital("silences", run()); });
}

void Silences::heard(Expected what, const std::string& name) {
  if (watched_.empty()) return;
  const auto found = watched_.find({what, name});
  if (found == watched_.end()) return;
  found->second.last = clock_.now();
  found->second.unheard = Duration{0};
  if (found->second.told) bell_.ring();
}

void Silences::look_up(const Key& key, Watched& of) {
  const auto now = clock_.now();
  const auto kept = kept_of(*reader_, item_of(key));
  of.since = std::min(kept.since.value_or(now), now);
  of.told = kept.told;
  of.kept = kept.since.has_value();
  const auto last = key.first == Expected::source
                        ? last_of_source(*reader_, key.second)
                        : last_of_entity(*reader_, key.second, now - of.every);
  if (last) of.last = std::max(of.last.value_or(*last), *last);
  // The clock may have been set back since: what is to come has not happened.
  if (of.last) of.last = std::min(*of.last, now);
  of.unheard = std::max(started_ - std::max(of.from(), down_since_), Duration{0});
  of.known = true;
}

TimePoint Silences::next() const {
  auto out = TimePoint::max();
  for (const auto& [key, of] : watched_) {
    if (!of.known) return clock_.now();
    if (!of.told) out = std::min(out, of.due());
  }
  return out;
}

asio::awaitable<void> Silences::run() {
  while (true) {
    auto remembering = remember();
    bool told = co_await std::move(remembering);
    if (told) {
      auto telling = tell_all();
      told = co_await std::move(telling);
    }
    if (!told) {
      co_await clock_.sleep_for(refused_pause);
      continue;
    }
    const auto until = next();
    if (until == TimePoint::max()) {
      co_await bell_.wait();
      continue;
    }
    auto waiting = with_deadline(clock_, until, rung(bell_));
    Result<bool> early = co_await std::move(waiting);
    (void)early;  // somebody is late, or was heard, or is new
  }
}

// Since when somebody new is expected; and nothing of those who are not any more.
asio::awaitable<bool> Silences::remember() {
  std::map<std::string, TimePoint> fresh;
  std::vector<std::string> all;
  for (auto& [key, of] : watched_) {
    if (!of.known) look_up(key, of);
    all.push_back(item_of(key));
    if (!of.kept) fresh[all.back()] = of.since;
  }
  if (fresh.empty()) co_return true;
  Noticed noticed;
  noticed.along = [fresh, all, now = clock_.now()](storage::Stores& stores) {
    for (const auto& row : stores.seen.all(own_source)) {
      if (std::ranges::find(all, row.item) == all.end()) stores.seen.erase(own_source, row.item);
    }
    for (const auto& [item, since] : fresh) keep(stores, item, since, std::nullopt, now);
  };
  auto accepting = accept_(std::move(noticed));
  Result<int> accepted = co_await std::move(accepting);
  if (!accepted) co_return false;
  for (auto& [key, of] : watched_) of.kept = of.kept || fresh.contains(item_of(key));
  co_return true;
}

// False: the journal took it not; again in a moment.
asio::awaitable<bool> Silences::tell_all() {
  std::vector<Key> keys;
  for (const auto& [key, of] : watched_) keys.push_back(key);
  for (const auto& key : keys) {
    const auto found = watched_.find(key);
    if (found == watched_.end()) continue;  // taken out while another one was told
    auto& of = found->second;
    if (!of.known) look_up(key, of);
    const auto now = clock_.now();
    if (of.told && of.last && *of.last > *of.told) {
      auto telling = tell(key, "vigil.heard_again", *of.told, now);
      const bool told = co_await std::move(telling);
      if (!told) co_return false;
    }
    const auto again = watched_.find(key);
    if (again == watched_.end() || again->second.told || again->second.due() > now) continue;
    auto telling = tell(key, "vigil.silence", again->second.from(), now);
    const bool told = co_await std::move(telling);
    if (!told) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Silences::tell(Key key, std::string type, TimePoint from, TimePoint now) {
  const auto entry = watched_.find(key);
  const auto every = entry->second.every;
  const auto since = entry->second.since;
  const auto due = entry->second.due();
  const bool never = !entry->second.last;
  const bool silent = type == "vigil.silence";
  const auto item = item_of(key);
  const auto lasted = to_text(std::chrono::floor<std::chrono::seconds>(now - from));
  const auto summary =
      silent
          ? fmt::format("nothing from {} {}{} for {}: it is expected every {}", word_of(key.first),
                        key.second, never ? ", ever," : "", lasted, to_text(every))
          : fmt::format("{} {} is heard again, after {}", word_of(key.first), key.second, lasted);
  json::value data =
      json::object{{"status", silent ? "firing" : "resolved"},
                   {"name", key.first == Expected::source ? "SourceSilent" : "EntitySilent"},
                   {"severity", "warning"},
                   {"fingerprint", "silence:" + item},
                   {"labels", json::object{{word_of(key.first), key.second}}},
                   {"summary", summary},
                   {"last", never ? json::value() : json::value(to_rfc3339(from))},
                   {"expected_every", to_text(every)},
                   {"starts", to_rfc3339(due)}};
  storage::NewEvent event;
  event.uid = fmt::format("{}:{}:{}", type, item, to_unix_us(from));
  event.source = own_source;
  event.type = std::move(type);
  event.subject = item;
  event.time = now;
  event.received_at = now;
  event.content_type = "application/json";
  event.taint = Taint::trusted;
  event.data = to_text(data);
  Noticed noticed;
  noticed.events.push_back(std::move(event));
  noticed.payloads.push_back(std::move(data));
  const auto told = silent ? std::optional(from) : std::nullopt;
  noticed.along = [item, since, told, now](storage::Stores& stores) {
    keep(stores, item, since, told, now);
  };
  auto accepting = accept_(std::move(noticed));
  Result<int> accepted = co_await std::move(accepting);
  if (!accepted) {
    log_warn("a silence could not be stored, trying again: {}",
             vigil::quoted(accepted.error().message));
    co_return false;
  }
  if (silent) log_warn("{}", summary);
  if (!silent) log_info("{}", summary);
  if (const auto now_there = watched_.find(key); now_there != watched_.end()) {
    now_there->second.told = told;
  }
  co_return true;
}

asio::awaitable<void> Silences::stop() {
  group_.cancel();
  co_await group_.join();
}

std::vector<Silences::View> Silences::views() const {
  std::vector<View> out;
  for (const auto& [key, of] : watched_) {
    out.push_back({key.first, key.second, of.every, of.last, of.due(), of.told.has_value()});
  }
  return out;
}

}  // namespace vigil::ingress
