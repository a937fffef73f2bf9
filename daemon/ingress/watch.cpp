#include "daemon/ingress/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <map>
#include <utility>

#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/ingress/keeper.hpp"
#include "daemon/ingress/watch_notices.hpp"
#include "daemon/ingress/watch_reading.hpp"
#include "entities/codebase/places.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 1s;
constexpr Duration retry_most = 5min;
constexpr int settles_max = 25;  // a repository that is never quiet is read all the same
constexpr std::size_t events_at_once = 100;  // in one commit
constexpr Duration grace = 1s;
const std::string form_item;  // no ref has an empty name

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::Repository with, Taint from)
      : name(std::move(called)),
        settings(std::move(with)),
        taint(from),
        bell(executor),
        work(executor) {}

  std::string name;
  config::Repository settings;
  Taint taint;
  bool seen_before = false;  // the form in the database is ours
  KnownRefs known;
  std::unique_ptr<Notices> notices;
  bool notices_failed = false;
  bool dismissed = false;  // a cancellation while something is stored would go unheard
  int failures = 0;
  Watcher::View view;
  Bell bell;
  TaskGroup work;  // the one that looks
};
using EntryPtr = std::shared_ptr<Entry>;

}  // namespace

struct Watcher::State {
  State(asio::any_io_executor on, Clock& time, MakeRunner makes, AcceptNoticed accepts)
      : executor(on),
        clock(time),
        make_runner(std::move(makes)),
        accept(std::move(accepts)),
        keeper(on, "repository", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  void load(Entry& entry) const;
  void keep_watch(Entry& entry, const std::vector<std::string>& folders);
  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<void> wait(EntryPtr entry, Duration pause);
  asio::awaitable<Result<void>> look(EntryPtr entry);
  asio::awaitable<Result<RefReading>> read(EntryPtr entry);
  asio::awaitable<Result<void>> store(EntryPtr entry, RefReading reading);

  asio::any_io_executor executor;
  Clock& clock;
  MakeRunner make_runner;
  AcceptNoticed accept;
  std::unique_ptr<swarm::Runner> runner;
  storage::Stores* reader = nullptr;  // once started
  Keeper<Entry> keeper;
};

void Watcher::State::load(Entry& entry) const {
  for (auto& row : reader->seen.all(entry.name)) {
    if (row.item == form_item) {
      entry.seen_before = row.value == look_form(entry.settings);
    } else {
      entry.known.emplace(std::move(row.item), std::move(row.value));
    }
  }
  if (!entry.seen_before) entry.known.clear();
}

void Watcher::State::keep_watch(Entry& entry, const std::vector<std::string>& folders) {
  if (entry.notices_failed || entry.dismissed) return;
  if (!entry.notices) {
    auto opened = Notices::open(executor, NoticeKind::refs, [&bell = entry.bell] { bell.ring(); });
    if (opened) entry.notices = std::move(*opened);
    entry.notices_failed = !opened;
  }
  auto watched = entry.notices ? entry.notices->watch(folders) : Result<int>{0};
  if (!watched) entry.notices_failed = true;
  if (entry.notices_failed) {
    log_warn("a repository is read every {} only: source={} error={}",
             to_text(entry.settings.every), entry.name,
             watched ? "the kernel gives no more watches" : watched.error().message);
    return;
  }
  if (*watched > 0) entry.bell.ring();  // between the look and now nobody listened there
}

// A child reads it. Known refs are what it compares with, so it may be stopped and begun again.
asio::awaitable<Result<RefReading>> Watcher::State::read(EntryPtr entry) {
  std::error_code unreadable;
  if (!std::filesystem::exists(entry->settings.path, unreadable)) {
    co_return fail(ErrorCode::not_found,
                   fmt::format("there is no folder {}: clone the repository there, or correct "
                               "source.{}.path",
                               entry->settings.path, entry->name));
  }
  if (!runner) runner = make_runner();
  const auto kind = entry->seen_before ? LookKind::later : LookKind::first;
  swarm::Attempt attempt;
  attempt.task = reading_task(entry->settings, entities::codebase::places_of(entry->settings.path),
                              entry->known, kind);
  attempt.deadline = clock.now() + entry->settings.timeout;
  attempt.grace = grace;
  auto running = runner->run(std::move(attempt));
  swarm::AttemptOutcome outcome = co_await std::move(running);
  if (!outcome.ok) co_return fail(ErrorCode::unavailable, outcome.error);
  co_return read_answer(entry->name, entry->settings, entry->taint, outcome.result, clock.now());
}

// In steps that are whole each: after a crash the rest is found again.
asio::awaitable<Result<void>> Watcher::State::store(EntryPtr entry, RefReading reading) {
  const bool silent = !entry->seen_before && !entry->settings.backfill;
  const auto step = silent ? std::max<std::size_t>(reading.changes.size(), 1) : events_at_once;
  const auto form = look_form(entry->settings);
  for (std::size_t from = 0; from < reading.changes.size() || !entry->seen_before; from += step) {
    const auto to = std::min(from + step, reading.changes.size());
    Noticed noticed;
    std::vector<std::pair<std::string, std::string>> moved;
    for (auto at = from; at < to; ++at) {
      auto& change = reading.changes[at];
      moved.emplace_back(change.ref, change.now);
      if (silent) continue;
      noticed.events.push_back(std::move(change.event));
      noticed.payloads.push_back(std::move(change.payload));
    }
    const auto begin = entry->seen_before ? LookKind::later : LookKind::first;
    noticed.along = [name = entry->name, form, moved, begin, now = clock.now()](auto& stores) {
      if (begin == LookKind::first) {
        stores.seen.forget(name);
        stores.seen.put(name, form_item, form, now);
      }
      for (const auto& [ref, id] : moved) {
        if (id.empty()) stores.seen.erase(name, ref);
        if (!id.empty()) stores.seen.put(name, ref, id, now);
      }
    };
    auto accepting = accept(std::move(noticed));
    Result<int> accepted = co_await std::move(accepting);
    if (!accepted) co_return std::unexpected(std::move(accepted.error()));
    entry->seen_before = true;
    entry->view.events += static_cast<std::uint64_t>(*accepted);
    for (auto& [ref, id] : moved) {
      if (id.empty()) entry->known.erase(ref);
      if (!id.empty()) entry->known[ref] = std::move(id);
    }
  }
  co_return Result<void>{};
}

asio::awaitable<Result<void>> Watcher::State::look(EntryPtr entry) {
  auto reading = read(entry);
  Result<RefReading> read = co_await std::move(reading);
  if (!read) co_return std::unexpected(std::move(read.error()));
  keep_watch(*entry, read->folders);
  // What is stored must be known to be stored: no cancellation in between.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto storing = store(entry, std::move(*read));
  Result<void> stored = co_await std::move(storing);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return stored;
}

// Until it is time, or something was heard and it is quiet again.
asio::awaitable<void> Watcher::State::wait(EntryPtr entry, Duration pause) {
  if (pause == Duration{0}) {
    co_await entry->bell.wait();
  } else {
    auto waiting = with_timeout(clock, pause, rung(entry->bell));
    Result<bool> heard = co_await std::move(waiting);
    if (!heard) co_return;
  }
  for (int again = 0; again < settles_max && entry->settings.settle > Duration{0}; ++again) {
    auto settling = with_timeout(clock, entry->settings.settle, rung(entry->bell));
    Result<bool> more = co_await std::move(settling);
    if (!more) co_return;
  }
}

asio::awaitable<void> Watcher::State::run(EntryPtr entry) {
  load(*entry);
  while (!entry->dismissed) {
    auto looking = look(entry);
    Result<void> looked = co_await std::move(looking);
    entry->view.last_look = clock.now();
    entry->view.looks += 1;
    entry->view.refs = entry->known.size();
    Duration pause = entry->settings.every;
    if (looked) {
      if (entry->failures > 0) log_info("a repository can be read again: source={}", entry->name);
      entry->failures = 0;
      entry->view.trouble.clear();
    } else {
      pause = std::min<Duration>(retry_most, retry_least * (1 << std::min(entry->failures++, 9)));
      const bool news = entry->view.trouble != looked.error().message;
      entry->view.trouble = looked.error().message;
      if (news) {
        log_warn("a repository cannot be read, trying again in {}: source={} error={}",
                 to_text(pause), entry->name, vigil::quoted(entry->view.trouble));
      }
    }
    if (entry->dismissed) co_return;
    auto waiting = wait(entry, pause);
    co_await std::move(waiting);
  }
}

Watcher::Watcher(asio::any_io_executor executor, Clock& clock, MakeRunner make_runner,
                 AcceptNoticed accept)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(make_runner),
                                     std::move(accept))) {}
Watcher::~Watcher() = default;

Result<void> Watcher::apply(const config::Settings& settings) {
  auto& state = *state_;
  Keeper<Entry>::Entries entries;
  for (const auto& [name, source] : settings.sources) {
    const auto* wanted = std::get_if<config::Repository>(&source.of);
    if (wanted == nullptr) continue;
    const auto taint = source.trusted ? Taint::trusted : Taint::untrusted;
    const auto known = state.keeper.find(name);
    if (known && look_form(known->settings) == look_form(*wanted)) {
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

void Watcher::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

bool Watcher::poke(const std::string& source) {
  const auto found = state_->keeper.find(source);
  if (!found) return false;
  found->bell.ring();
  return true;
}

asio::awaitable<void> Watcher::stop() { return state_->keeper.stop(); }

std::vector<Watcher::View> Watcher::views() const {
  std::vector<View> out;
  for (const auto& [name, entry] : state_->keeper.entries()) out.push_back(entry->view);
  return out;
}

}  // namespace vigil::ingress
