#include "daemon/ingress/scheduler.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <deque>
#include <map>
#include <tuple>

#include "core/bell.hpp"
#include "core/deadline.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "core/vital.hpp"
#include "daemon/ingress/schedule.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 1s;
constexpr Duration retry_most = 1min;
// A cursor further ahead was written while the clock was wrong.
constexpr Duration clock_error_max = 24h;

struct Entry {
  Entry(std::string called, Timetable times, config::Schedule with)
      : name(std::move(called)), table(std::move(times)), rules(std::move(with)) {}

  // Everything up to here is dealt with; the cursor. Firings that wait are not: after a restart
  // they are found again.
  TimePoint handled{};
  TimePoint seen{};                       // nominal times up to here were looked at
  TimePoint next_due = TimePoint::max();  // of the first nominal time after `seen`
  std::deque<Firing> waiting;             // due and not accepted yet
  TimePoint not_before{};                 // of the first waiting one: a pause, or a refusal
  int refusals = 0;
  bool firing = false;
  bool saving = false;
  bool removed = false;
  TimePoint saved{};

  void look_ahead() {
    const auto nominal = table.next(seen);
    next_due = nominal ? table.fires_at(*nominal) : TimePoint::max();
  }
  // Where the cursor stands once nothing is in flight.
  void settle(TimePoint fired) { handled = waiting.empty() ? seen : fired; }

  std::string name;
  Timetable table;
  config::Schedule rules;
};
using EntryPtr = std::shared_ptr<Entry>;

std::string cursor_of(const std::string& name) { return "schedule:" + name; }
std::string form_cursor_of(const std::string& name) { return "schedule-form:" + name; }

Duration pause_after(int refusals) {
  return std::min<Duration>(retry_most, retry_least * (1 << std::min(refusals, 6)));
}

storage::NewEvent event_of(const Entry& entry, const Firing& firing, const json::value& data,
                           TimePoint now) {
  storage::NewEvent event;
  event.uid = firing_uid(entry.name, firing.nominal);
  event.source = entry.name;
  event.type = entry.rules.type;
  event.subject = entry.rules.subject;
  event.time = firing.nominal;
  event.received_at = now;
  event.content_type = "application/json";
  event.taint = Taint::trusted;
  event.data = to_text(data);
  return event;
}

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

}  // namespace

struct Scheduler::State {
  State(asio::any_io_executor on, Clock& time, storage::Writer& to, Accept accepts, StillBusy busy)
      : clock(time),
        writer(to),
        accept(std::move(accepts)),
        still_busy(std::move(busy)),
        bell(on),
        loop(on),
        work(on) {}

  void load(Entry& entry);
  void forget(const EntryPtr& entry);
  void admit(Entry& entry, TimePoint now);
  void launch(const EntryPtr& entry, TimePoint now);
  void save(const EntryPtr& entry);
  TimePoint turn();
  asio::awaitable<void> run();
  asio::awaitable<void> fire(EntryPtr entry, Firing firing);
  asio::awaitable<void> save_cursor(EntryPtr entry);

  Clock& clock;
  storage::Writer& writer;
  Accept accept;
  StillBusy still_busy;
  std::function<void(const std::string&)> cancel_other;
  std::map<std::string, EntryPtr> entries;
  storage::Stores* reader = nullptr;  // once started
  bool any_waiting = false;
  Bell bell;
  TaskGroup loop;  // the one sleeper
  TaskGroup work;  // firings on their way into the journal: joined, never cancelled
};

// A schedule that is new, or means other times than before, has missed nothing.
void Scheduler::State::load(Entry& entry) {
  const auto now = clock.now();
  const auto cursor = reader->cursors.get(cursor_of(entry.name));
  const auto form = reader->cursors.get(form_cursor_of(entry.name));
  entry.handled = from_unix_us(cursor);
  if (cursor != 0 && form == entry.table.form()) {
    entry.saved = entry.handled;
    if (entry.handled > now + clock_error_max) {
      log_warn(
          "a schedule's last firing lies in the future (was the clock wrong?), it goes on "
          "from now: source={} last={}",
          entry.name, to_rfc3339(entry.handled));
      entry.handled = now;
    }
  } else {
    entry.handled = now;
    if (entry.table.is_single()) {
      entry.handled = now - entry.rules.misfire_grace - 1us;
      if (!entry.table.next(entry.handled)) {
        log_warn("a schedule's only moment has passed, it will not fire: source={}", entry.name);
      }
    }
  }
  entry.seen = entry.handled;
  entry.look_ahead();
}

// So that nothing counts as missed should it come back later.
void Scheduler::State::forget(const EntryPtr& entry) {
  entry->removed = true;
  work.spawn("forget schedule", [this, name = entry->name]() -> asio::awaitable<void> {
    auto change = [name](storage::Stores& stores) { stores.cursors.set(form_cursor_of(name), 0); };
    auto committing = writer.commit(std::move(change));
    Result<void> done = co_await std::move(committing);
    if (!done) {
      log_warn("a removed schedule could not be forgotten: source={} error={}", name,
               quoted(done.error().message));
    }
  });
}

// Takes in what became due, by the misfire and the overlap rule.
void Scheduler::State::admit(Entry& entry, TimePoint now) {
  if (entry.next_due > now) return;
  const auto due = due_firings(entry.table, entry.rules, entry.seen, now);
  entry.seen = due.seen;
  entry.look_ahead();
  if (due.dropped > 0) {
    log_info("missed firings are not made up for one by one: source={} dropped={} misfire={}",
             entry.name, due.dropped,
             entry.rules.misfire == config::Misfire::skip ? "skip" : "run_once or too many");
  }
  for (const auto& firing : due.fire) {
    const bool busy = entry.firing || !entry.waiting.empty() || still_busy(entry.name);
    const auto verdict =
        busy ? on_overlap(entry.rules.overlap, firing.kind, entry.waiting.size()) : Verdict::fire;
    if (verdict == Verdict::drop) {
      log_info("a firing is skipped, the last one is still at work: source={} nominal={}",
               entry.name, to_rfc3339(firing.nominal));
      continue;
    }
    entry.waiting.push_back(firing);
  }
  if (entry.waiting.empty() && !entry.firing) entry.settle(entry.seen);
}

void Scheduler::State::launch(const EntryPtr& entry, TimePoint now) {
  if (entry->waiting.empty() || entry->firing || entry->not_before > now) return;
  const auto rule = entry->rules.overlap;
  const bool goes_beside =
      rule == config::Overlap::allow_all || rule == config::Overlap::cancel_other;
  if (rule == config::Overlap::cancel_other && still_busy(entry->name)) {
    if (cancel_other) {
      cancel_other(entry->name);
    } else {
      log_warn(
          "nobody can cancel the work on the last firing, the next one goes out beside it: "
          "source={}",
          entry->name);
    }
  } else if (!goes_beside && still_busy(entry->name)) {
    return;  // work_ended() comes
  }
  const auto firing = entry->waiting.front();
  entry->waiting.pop_front();
  entry->firing = true;
  work.spawn("schedule " + entry->name,
             [this, entry, firing] { return vital("schedule", fire(entry, firing)); });
}

asio::awaitable<void> Scheduler::State::fire(EntryPtr entry, Firing firing) {
  json::object payload = entry->rules.data;
  payload["nominal"] = to_rfc3339(firing.nominal);
  if (firing.missed > 0) payload["missed"] = firing.missed;
  json::value data(std::move(payload));
  auto event = event_of(*entry, firing, data, clock.now());
  auto accepting = accept(std::move(event), std::move(data));
  Result<storage::Appended> accepted = co_await std::move(accepting);
  entry->firing = false;
  if (!accepted) {
    const auto pause = pause_after(entry->refusals++);
    entry->not_before = clock.now() + pause;
    entry->waiting.push_front(firing);
    log_warn("a schedule could not fire, trying again in {}: source={} error={}", to_text(pause),
             entry->name, quoted(accepted.error().message));
  } else {
    entry->refusals = 0;
    entry->settle(firing.nominal);
    const bool more = !entry->waiting.empty();
    const bool made_up = more && entry->waiting.front().kind == Firing::Kind::made_up;
    entry->not_before = made_up ? clock.now() + entry->rules.catchup_spread : TimePoint{};
    save(entry);
  }
  bell.ring();
}

void Scheduler::State::save(const EntryPtr& entry) {
  if (entry->saving || entry->removed || entry->saved == entry->handled) return;
  entry->saving = true;
  work.spawn("cursor of " + entry->name, [this, entry] { return save_cursor(entry); });
}

// Behind the event it speaks of. A crash in between finds the firing again, and the journal knows
// its identity.
asio::awaitable<void> Scheduler::State::save_cursor(EntryPtr entry) {
  while (entry->saved != entry->handled && !entry->removed) {
    const auto upto = entry->handled;
    auto change = [name = entry->name, upto, form = entry->table.form()](storage::Stores& stores) {
      stores.cursors.set(cursor_of(name), to_unix_us(upto));
      stores.cursors.set(form_cursor_of(name), form);
    };
    auto committing = writer.commit(std::move(change));
    Result<void> done = co_await std::move(committing);
    if (!done) {
      log_warn(
          "how far a schedule came could not be stored, the next firing tries again: "
          "source={} error={}",
          entry->name, quoted(done.error().message));
      break;
    }
    entry->saved = upto;
  }
  entry->saving = false;
}

// Does what is due; when to look again.
TimePoint Scheduler::State::turn() {
  const auto now = clock.now();
  auto next = TimePoint::max();
  any_waiting = false;
  for (const auto& [name, entry] : entries) {
    admit(*entry, now);
    launch(entry, now);
    save(entry);
    next = std::min(next, entry->next_due);
    if (entry->waiting.empty()) continue;
    any_waiting = true;
    if (entry->not_before > now) next = std::min(next, entry->not_before);
  }
  return next;
}

asio::awaitable<void> Scheduler::State::run() {
  while (true) {
    const auto next = turn();
    if (next == TimePoint::max()) {
      co_await bell.wait();
      continue;
    }
    auto waiting = with_deadline(clock, next, rung(bell));
    Result<bool> early = co_await std::move(waiting);
    (void)early;  // rung or due: either way the next turn looks at everything
  }
}

Scheduler::Scheduler(asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
                     Accept accept, StillBusy still_busy)
    : state_(std::make_unique<State>(std::move(executor), clock, writer, std::move(accept),
                                     std::move(still_busy))) {}
Scheduler::~Scheduler() = default;

Result<void> Scheduler::apply(const config::Settings& settings) {
  std::map<std::string, EntryPtr> wanted;
  for (const auto& [name, source] : settings.sources) {
    const auto* schedule = std::get_if<config::Schedule>(&source.of);
    if (schedule == nullptr) continue;
    auto table = Timetable::compile(name, *schedule);
    if (!table) return std::unexpected(std::move(table.error()));
    wanted[name] = std::make_shared<Entry>(name, std::move(*table), *schedule);
  }
  auto& state = *state_;
  const auto before = std::exchange(state.entries, std::move(wanted));
  for (auto& [name, entry] : state.entries) {
    const auto known = before.find(name);
    const bool same = known != before.end() && known->second->table.form() == entry->table.form();
    if (same) {  // goes on where it is, under the new rules
      known->second->table = entry->table;
      known->second->rules = entry->rules;
      entry = known->second;
      entry->look_ahead();
    } else if (state.reader != nullptr) {
      if (known != before.end()) known->second->removed = true;
      state.load(*entry);
    }
  }
  for (const auto& [name, entry] : before) {
    if (state.reader != nullptr && !state.entries.contains(name)) state.forget(entry);
  }
  state.bell.ring();
  return {};
}

void Scheduler::start(storage::Stores& reader) {
  auto& state = *state_;
  state.reader = &reader;
  for (const auto& [name, entry] : state.entries) state.load(*entry);
  state.loop.spawn("schedules", [&state] { return vital("schedules", state.run()); });
}

void Scheduler::work_ended() {
  if (state_->any_waiting) state_->bell.ring();
}

void Scheduler::on_cancel_other(std::function<void(const std::string& source)> cancel) {
  state_->cancel_other = std::move(cancel);
}

asio::awaitable<void> Scheduler::stop() {
  state_->loop.cancel();
  co_await state_->loop.join();
  co_await state_->work.join();
}

Duration Scheduler::late() const {
  const auto now = state_->clock.now();
  Duration most{0};
  for (const auto& [name, entry] : state_->entries) {
    if (entry->next_due < now) most = std::max<Duration>(most, now - entry->next_due);
  }
  return most;
}

std::vector<Scheduler::Upcoming> Scheduler::upcoming(int per_source) const {
  std::vector<Upcoming> out;
  for (const auto& [name, entry] : state_->entries) {
    int count = 0;
    for (const auto& firing : entry->waiting) {
      if (count++ < per_source) out.push_back({name, firing.nominal});
    }
    auto at = state_->reader == nullptr ? state_->clock.now() : entry->seen;
    while (count++ < per_source) {
      const auto next = entry->table.next(at);
      if (!next) break;
      out.push_back({name, *next});
      at = *next;
    }
  }
  std::ranges::sort(out, {}, [](const Upcoming& one) { return std::tie(one.nominal, one.source); });
  return out;
}

}  // namespace vigil::ingress
