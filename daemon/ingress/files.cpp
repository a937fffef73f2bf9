#include "daemon/ingress/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <utility>

#include "config/words.hpp"
#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/ingress/item_events.hpp"
#include "daemon/ingress/keeper.hpp"
#include "daemon/ingress/watch_notices.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 1s;
constexpr Duration retry_most = 5min;
constexpr Duration settle_least = 50ms;  // between two looks: what is written in a burst
const std::string form_key = "form";

using Known = std::map<std::string, std::string>;

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

// What was read under another path says nothing.
std::string follow_form(const config::Files& settings) {
  return fmt::format("{}\n{}", settings.path, static_cast<int>(settings.form));
}

std::string folder_of(const std::string& path) {
  std::error_code unreadable;
  if (fs::is_directory(path, unreadable)) return path;
  const auto parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::Files with, Taint from)
      : name(std::move(called)),
        settings(std::move(with)),
        taint(from),
        bell(executor),
        work(executor) {}

  std::string name;
  config::Files settings;
  Taint taint;
  bool seen_before = false;  // the form in the database is ours
  Known known;
  std::unique_ptr<Notices> notices;
  bool notices_failed = false;
  bool dismissed = false;
  int failures = 0;
  Follower::View view;
  Bell bell;
  TaskGroup work;
};
using EntryPtr = std::shared_ptr<Entry>;

struct Look {
  TakenItems items;
  Known changed;
  std::vector<std::string> gone;
  std::string notes;
  bool more = false;
  bool pending = false;
};

swarm::Task following_task(const Entry& entry) {
  const auto& settings = entry.settings;
  swarm::Task task;
  task.name = "follow";
  task.builtin = "feeds.follow";
  task.timeout = settings.timeout;
  task.read_paths = {folder_of(settings.path)};
  json::object state;
  for (const auto& [key, value] : entry.known) state[key] = value;
  json::object input{{"path", settings.path},
                     {"form", config::word_of(settings.form)},
                     {"names", json::array(settings.names.begin(), settings.names.end())},
                     {"subject_path", settings.subject_path},
                     {"time_path", settings.time_path},
                     {"settle_us", settings.settle.count()},
                     {"line_bytes_max", settings.line_bytes_max},
                     {"first", !entry.seen_before},
                     {"backfill", settings.backfill},
                     {"state", std::move(state)}};
  if (settings.form == config::FileForm::table) input["table"] = table_input(*settings.table);
  task.input = std::move(input);
  return task;
}

Result<Look> look_of(const Entry& entry, const json::value& answer, TimePoint now) {
  Look look;
  auto items = take_items(entry.name, entry.settings.type, entry.taint, answer, now);
  if (!items) return std::unexpected(std::move(items.error()));
  look.items = std::move(*items);
  if (const auto* state = find_path(answer, "state"); state != nullptr && state->is_object()) {
    for (const auto& [key, value] : state->get_object()) {
      if (value.is_string()) look.changed[key] = std::string(value.get_string());
    }
  }
  const auto texts = [&](const char* name) {
    std::vector<std::string> out;
    const auto* list = find_path(answer, name);
    if (list == nullptr || !list->is_array()) return out;
    for (const auto& one : list->get_array()) {
      if (one.is_string()) out.emplace_back(std::string_view(one.get_string()));
    }
    return out;
  };
  look.gone = texts("gone");
  for (const auto& note : texts("notes")) look.notes = note;
  look.more = find_bool(answer, "more").value_or(false);
  look.pending = find_bool(answer, "pending").value_or(false);
  return look;
}

}  // namespace

struct Follower::State {
  State(asio::any_io_executor on, Clock& time, MakeRunner makes, AcceptNoticed accepts)
      : executor(on),
        clock(time),
        reading(time, std::move(makes)),
        accept(std::move(accepts)),
        keeper(on, "file", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  void load(Entry& entry) const;
  void keep_watch(Entry& entry);
  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<Result<Look>> look(EntryPtr entry);
  asio::awaitable<Result<void>> store(EntryPtr entry, Look look);

  asio::any_io_executor executor;
  Clock& clock;
  Reading reading;
  AcceptNoticed accept;
  storage::Stores* reader = nullptr;
  Keeper<Entry> keeper;
};

void Follower::State::load(Entry& entry) const {
  for (auto& row : reader->seen.all(entry.name)) {
    if (row.item == form_key) {
      entry.seen_before = row.value == follow_form(entry.settings);
    } else {
      entry.known.emplace(std::move(row.item), std::move(row.value));
    }
  }
  if (!entry.seen_before) entry.known.clear();
}

void Follower::State::keep_watch(Entry& entry) {
  if (entry.notices_failed || entry.dismissed) return;
  if (!entry.notices) {
    auto opened = Notices::open(executor, NoticeKind::any, [&bell = entry.bell] { bell.ring(); });
    if (opened) entry.notices = std::move(*opened);
    entry.notices_failed = !opened;
  }
  auto watched =
      entry.notices ? entry.notices->watch({folder_of(entry.settings.path)}) : Result<int>{0};
  if (!watched) entry.notices_failed = true;
  if (entry.notices_failed) {
    log_warn("a file is read every {} only: source={}", to_text(entry.settings.every), entry.name);
    return;
  }
  if (*watched > 0) entry.bell.ring();  // between the look and now nobody listened there
}

asio::awaitable<Result<void>> Follower::State::store(EntryPtr entry, Look look) {
  const bool first = !entry->seen_before;
  if (!first && look.items.all.empty() && look.changed.empty() && look.gone.empty()) {
    co_return Result<void>{};
  }
  Noticed noticed;
  for (auto& item : look.items.all) {
    noticed.events.push_back(std::move(item.event));
    noticed.payloads.push_back(std::move(item.payload));
  }
  noticed.along = [name = entry->name, form = follow_form(entry->settings), first,
                   changed = look.changed, gone = look.gone,
                   now = clock.now()](storage::Stores& stores) {
    if (first) stores.seen.forget(name);
    if (first) stores.seen.put(name, form_key, form, now);
    for (const auto& [key, value] : changed) stores.seen.put(name, key, value, now);
    for (const auto& key : gone) stores.seen.erase(name, key);
  };
  auto accepting = accept(std::move(noticed));
  Result<int> accepted = co_await std::move(accepting);
  if (!accepted) co_return std::unexpected(std::move(accepted.error()));
  entry->seen_before = true;
  entry->view.events += static_cast<std::uint64_t>(*accepted);
  for (auto& [key, value] : look.changed) entry->known[key] = std::move(value);
  for (const auto& key : look.gone) entry->known.erase(key);
  co_return Result<void>{};
}

asio::awaitable<Result<Look>> Follower::State::look(EntryPtr entry) {
  auto asking = reading.read(following_task(*entry));
  Result<json::value> answer = co_await std::move(asking);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  auto look = look_of(*entry, *answer, clock.now());
  if (!look) co_return look;
  const auto& left_out = look->notes.empty() ? look->items.trouble : look->notes;
  if (!left_out.empty()) {
    entry->view.left_out = left_out;
    log_warn("a file: source={} note={}", entry->name, vigil::quoted(left_out));
  }
  Look outcome;
  outcome.more = look->more;
  outcome.pending = look->pending;
  // What is stored must be known to be stored: no cancellation in between.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto storing = store(entry, std::move(*look));
  Result<void> stored = co_await std::move(storing);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (!stored) co_return std::unexpected(std::move(stored.error()));
  co_return outcome;
}

asio::awaitable<void> Follower::State::run(EntryPtr entry) {
  load(*entry);
  while (!entry->dismissed) {
    keep_watch(*entry);
    auto looking = look(entry);
    Result<Look> looked = co_await std::move(looking);
    entry->view.last_look = clock.now();
    ++entry->view.looks;
    Duration pause = entry->settings.every;
    if (looked) {
      if (entry->failures > 0) log_info("a file can be read again: source={}", entry->name);
      entry->failures = 0;
      entry->view.trouble.clear();
      if (looked->more) continue;
      if (looked->pending) pause = std::max(entry->settings.settle, settle_least);
    } else {
      pause = std::min<Duration>(retry_most, retry_least * (1 << std::min(entry->failures++, 9)));
      if (entry->view.trouble != looked.error().message) {
        entry->view.trouble = looked.error().message;
        log_warn("a file cannot be read, trying again in {}: source={} error={}", to_text(pause),
                 entry->name, vigil::quoted(entry->view.trouble));
      }
    }
    if (entry->dismissed) co_return;
    if (pause == Duration{0}) {
      co_await entry->bell.wait();
    } else {
      auto waiting = with_timeout(clock, pause, rung(entry->bell));
      Result<bool> heard = co_await std::move(waiting);
      if (!heard) continue;
    }
    co_await clock.sleep_for(settle_least);
  }
}

Follower::Follower(asio::any_io_executor executor, Clock& clock, MakeRunner make_runner,
                   AcceptNoticed accept)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(make_runner),
                                     std::move(accept))) {}
Follower::~Follower() = default;

Result<void> Follower::apply(const config::Settings& settings) {
  auto& state = *state_;
  Keeper<Entry>::Entries entries;
  for (const auto& [name, source] : settings.sources) {
    const auto* wanted = std::get_if<config::Files>(&source.of);
    if (wanted == nullptr) continue;
    const auto taint = source.trusted ? Taint::trusted : Taint::untrusted;
    const auto known = state.keeper.find(name);
    if (known && follow_form(known->settings) == follow_form(*wanted)) {
      known->settings = *wanted;  // goes on where it is, under the new rules
      known->taint = taint;
      known->bell.ring();
      entries[name] = known;
      continue;
    }
    auto entry = std::make_shared<Entry>(state.executor, name, *wanted, taint);
    entry->view.source = name;
    entry->view.path = wanted->path;
    entries[name] = std::move(entry);
  }
  state.keeper.replace(std::move(entries));
  return {};
}

void Follower::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

bool Follower::poke(const std::string& source) {
  const auto found = state_->keeper.find(source);
  if (!found) return false;
  found->bell.ring();
  return true;
}

asio::awaitable<void> Follower::stop() { return state_->keeper.stop(); }

std::vector<Follower::View> Follower::views() const {
  std::vector<View> out;
  for (const auto& [name, entry] : state_->keeper.entries()) out.push_back(entry->view);
  return out;
}

}  // namespace vigil::ingress
