#include "daemon/ingress/calendars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <utility>

#include "core/bell.hpp"
#include "core/deadline.hpp"
#include "core/digest.hpp"
#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/ingress/calendar_course.hpp"
#include "daemon/ingress/calendar_fetch.hpp"
#include "daemon/ingress/calendar_rows.hpp"
#include "daemon/ingress/keeper.hpp"
#include "daemon/ingress/watch_notices.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 5s;
constexpr Duration retry_most = 1h;
constexpr Duration settle = 200ms;

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::Calendar with, Taint from)
      : name(std::move(called)),
        settings(std::move(with)),
        taint(from),
        bell(executor),
        work(executor) {}

  std::string name;
  config::Calendar settings;
  Taint taint;
  std::string authorization;
  Kept kept;
  std::string stamp;   // of the files, as they were read
  bool asked = false;  // for a look, by somebody
  std::unique_ptr<Notices> notices;
  bool notices_failed = false;
  bool dismissed = false;
  int failures = 0;
  Calendars::View view;
  Bell bell;
  TaskGroup work;  // the one that looks
};
using EntryPtr = std::shared_ptr<Entry>;

}  // namespace

struct Calendars::State {
  State(asio::any_io_executor on, Clock& time, Fetch fetches, MakeRunner makes,
        AcceptNoticed accepts)
      : executor(on),
        clock(time),
        fetch(std::move(fetches)),
        contained(time, std::move(makes)),
        accept(std::move(accepts)),
        keeper(on, "calendar", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  void keep_watch(Entry& entry, const std::vector<std::string>& folders);
  std::shared_ptr<const Fetching> fetching(const EntryPtr& entry);
  asio::awaitable<Result<json::value>> analyse(EntryPtr entry, std::string analyser,
                                               json::object input);
  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<void> wait(EntryPtr entry);
  asio::awaitable<Result<void>> look(EntryPtr entry);
  asio::awaitable<Result<void>> read(EntryPtr entry, Fetched fetched);
  asio::awaitable<Result<void>> store(EntryPtr entry, Fetched fetched, Looked looked,
                                      TimePoint until);
  asio::awaitable<Result<void>> tell(EntryPtr entry);

  asio::any_io_executor executor;
  Clock& clock;
  Fetch fetch;
  Reading contained;
  AcceptNoticed accept;
  storage::Stores* reader = nullptr;  // once started
  Keeper<Entry> keeper;
};

void Calendars::State::keep_watch(Entry& entry, const std::vector<std::string>& folders) {
  if (folders.empty() || entry.notices_failed || entry.dismissed) return;
  if (!entry.notices) {
    auto opened = Notices::open(executor, NoticeKind::any, [&bell = entry.bell] { bell.ring(); });
    if (opened) entry.notices = std::move(*opened);
    entry.notices_failed = !opened;
  }
  auto watched = entry.notices ? entry.notices->watch(folders) : Result<int>{0};
  if (!watched) entry.notices_failed = true;
  if (entry.notices_failed) {
    log_warn("a calendar is read every {} only: source={}", to_text(entry.settings.every),
             entry.name);
  } else if (*watched > 0) {
    entry.bell.ring();  // between the look and now nobody listened there
  }
}

asio::awaitable<Result<json::value>> Calendars::State::analyse(EntryPtr entry, std::string analyser,
                                                               json::object input) {
  swarm::Task task;
  task.name = analyser;
  task.builtin = std::move(analyser);
  task.timeout = entry->settings.timeout;
  if (entry->settings.form == config::CalendarForm::file) {
    task.read_paths = {entry->settings.path};
  }
  task.input = std::move(input);
  auto reading = contained.read(std::move(task));
  co_return co_await std::move(reading);
}

std::shared_ptr<const Fetching> Calendars::State::fetching(const EntryPtr& entry) {
  auto out = std::make_shared<Fetching>();
  out->settings = entry->settings;
  out->authorization = entry->authorization;
  out->clock = &clock;
  out->fetch = fetch;
  out->analyse = [this, entry](std::string analyser, json::object input) {
    return analyse(entry, std::move(analyser), std::move(input));
  };
  return out;
}

asio::awaitable<Result<void>> Calendars::State::look(EntryPtr entry) {
  const auto& settings = entry->settings;
  if (settings.form == config::CalendarForm::file) {
    std::error_code unreadable;
    if (!std::filesystem::exists(settings.path, unreadable)) {
      co_return fail(ErrorCode::not_found,
                     fmt::format("there is no {}: put the calendar there, or correct "
                                 "source.{}.path",
                                 settings.path, entry->name));
    }
    entry->stamp = stamp_of(settings.path);
    auto reading = read(entry, Fetched{});
    co_return co_await std::move(reading);
  }
  auto getting = fetch_calendar(fetching(entry), entry->kept.resources);
  Result<Fetched> fetched = co_await std::move(getting);
  // What was fetched before still holds, and must be read again as time goes on.
  const bool aged = entry->kept.known_until - clock.now() < settings.look_ahead * 3 / 4;
  if (!fetched && (!aged || entry->kept.resources.etags.empty())) {
    co_return std::unexpected(std::move(fetched.error()));
  }
  const bool same = fetched && fetched->texts.empty() && fetched->gone.empty();
  if (same && !aged && entry->kept.seen_before &&
      fetched->now.token == entry->kept.resources.token) {
    co_return Result<void>{};
  }
  auto what = fetched ? std::move(*fetched) : Fetched{{}, {}, entry->kept.resources};
  auto reading = read(entry, std::move(what));
  Result<void> done = co_await std::move(reading);
  if (!fetched && done) co_return std::unexpected(std::move(fetched.error()));
  co_return done;
}

asio::awaitable<Result<void>> Calendars::State::read(EntryPtr entry, Fetched fetched) {
  const auto now = clock.now();
  const auto& settings = entry->settings;
  json::object input{{"now", to_rfc3339(now)},
                     {"ahead", fmt::format("{}s", settings.look_ahead / 1s)},
                     {"zone", settings.tz}};
  if (settings.form == config::CalendarForm::file) {
    input["path"] = settings.path;
  } else {
    input["documents"] = texts_of(reader->seen, entry->name, fetched);
  }
  auto analysing = analyse(entry, "calendar.look", std::move(input));
  Result<json::value> result = co_await std::move(analysing);
  if (!result) co_return std::unexpected(std::move(result.error()));
  auto looked = looked_of(*result);
  if (!looked) co_return std::unexpected(std::move(looked.error()));
  keep_watch(*entry, looked->folders);
  // What is stored must be known to be stored: no cancellation in between.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto storing = store(entry, std::move(fetched), std::move(*looked), now + settings.look_ahead);
  Result<void> stored = co_await std::move(storing);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return stored;
}

asio::awaitable<Result<void>> Calendars::State::store(EntryPtr entry, Fetched fetched,
                                                      Looked looked, TimePoint until) {
  const auto now = clock.now();
  const auto& before = entry->kept;
  auto after = std::make_shared<Kept>();
  after->seen_before = true;
  after->resources = fetched.now;
  after->occurrences = std::move(looked.occurrences);
  after->known_until = until;
  // What was told of occurrences that are gone is forgotten with them.
  for (const auto& [telling, begins] : before.done) {
    const auto key = telling.substr(telling.find(' ') + 1);
    if (after->occurrences.contains(key)) after->done[telling] = begins;
  }
  Noticed noticed;
  if (before.seen_before || entry->settings.backfill) {
    const auto known = before.seen_before ? before.known_until : until;
    for (auto& one :
         changes(entry->name, entry->taint, before.occurrences, after->occurrences, known, now)) {
      noticed.events.push_back(std::move(one.event));
      noticed.payloads.push_back(std::move(one.payload));
    }
  }
  noticed.along = keeping(entry->name, form_of(entry->settings), before, after, fetched, now);
  auto accepting = accept(std::move(noticed));
  Result<int> accepted = co_await std::move(accepting);
  if (!accepted) co_return std::unexpected(std::move(accepted.error()));
  entry->view.events += static_cast<std::uint64_t>(*accepted);
  entry->kept = *after;
  if (looked.cut) {
    co_return fail(ErrorCode::too_large, "too many occurrences ahead: shorten look_ahead");
  }
  if (!looked.troubles.empty()) co_return fail(ErrorCode::invalid_input, looked.troubles.front());
  co_return Result<void>{};
}

// What is due now, and what is known to have been told, in one commit.
asio::awaitable<Result<void>> Calendars::State::tell(EntryPtr entry) {
  const auto now = clock.now();
  auto due = due_at(entry->name, entry->taint, entry->kept.occurrences, leads_of(entry->settings),
                    entry->kept.done, now);
  entry->view.next_due = due.next;
  if (due.told.empty()) co_return Result<void>{};
  Noticed noticed;
  for (auto& one : due.told) {
    noticed.events.push_back(std::move(one.event));
    noticed.payloads.push_back(std::move(one.payload));
  }
  noticed.along = keeping(entry->name, due.done, now);
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto accepting = accept(std::move(noticed));
  Result<int> accepted = co_await std::move(accepting);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (!accepted) co_return std::unexpected(std::move(accepted.error()));
  entry->view.events += static_cast<std::uint64_t>(*accepted);
  for (const auto& [telling, begins] : due.done) entry->kept.done[telling] = begins;
  co_return Result<void>{};
}

// Until the next look, telling what becomes due meanwhile; sooner when something was heard.
asio::awaitable<void> Calendars::State::wait(EntryPtr entry) {
  while (!entry->dismissed) {
    auto telling = tell(entry);
    Result<void> told = co_await std::move(telling);
    auto until = entry->view.next_look;
    if (told && entry->view.next_due) until = std::min(until, *entry->view.next_due);
    if (!told) until = std::min(until, clock.now() + retry_least);
    if (clock.now() >= entry->view.next_look) co_return;
    auto waiting = with_deadline(clock, until, rung(entry->bell));
    Result<bool> heard = co_await std::move(waiting);
    if (!heard) continue;  // it is time
    // A program that writes many files is let finish.
    for (int again = 0; heard && again < 25; ++again) {
      auto settling = with_timeout(clock, settle, rung(entry->bell));
      heard = co_await std::move(settling);
    }
    // What was written beside the calendar does not matter.
    const bool file = entry->settings.form == config::CalendarForm::file;
    const bool asked = std::exchange(entry->asked, false);
    if (asked || !file || stamp_of(entry->settings.path) != entry->stamp) co_return;
  }
}

asio::awaitable<void> Calendars::State::run(EntryPtr entry) {
  entry->kept = load_kept(reader->seen, entry->name, form_of(entry->settings));
  auto& view = entry->view;
  while (!entry->dismissed) {
    auto looking = look(entry);
    Result<void> looked = co_await std::move(looking);
    ++view.looks;
    view.occurrences = entry->kept.occurrences.size();
    Duration pause = entry->settings.every;
    if (looked) {
      entry->failures = 0;
      view.trouble.clear();
    } else {
      pause = std::min<Duration>(retry_most, retry_least * (1 << std::min(entry->failures++, 10)));
      if (view.trouble != looked.error().message) {
        log_warn("a calendar cannot be read as a whole, trying again in {}: source={} error={}",
                 to_text(pause), entry->name, vigil::quoted(looked.error().message));
      }
      view.trouble = looked.error().message;
    }
    view.next_look = clock.now() + pause;
    auto waiting = wait(entry);
    co_await std::move(waiting);
  }
}

Calendars::Calendars(asio::any_io_executor executor, Clock& clock, Fetch fetch,
                     MakeRunner make_runner, AcceptNoticed accept)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(fetch),
                                     std::move(make_runner), std::move(accept))) {}
Calendars::~Calendars() = default;

Result<void> Calendars::apply(const config::Settings& settings) {
  auto& state = *state_;
  std::map<std::string, std::string> authorizations;
  for (const auto& [name, source] : settings.sources) {
    const auto* calendar = std::get_if<config::Calendar>(&source.of);
    if (calendar == nullptr || !calendar->password) continue;
    const auto password = config::read_secret(*calendar->password);
    if (!password) {
      return fail(password.error().code,
                  fmt::format("source.{}.password: {}", name, password.error().message));
    }
    authorizations[name] =
        "Basic " + to_base64(calendar->user + ":" + std::string(password->reveal()));
  }
  Keeper<Entry>::Entries wanted;
  for (const auto& [name, source] : settings.sources) {
    const auto* calendar = std::get_if<config::Calendar>(&source.of);
    if (calendar == nullptr) continue;
    const auto known = state.keeper.find(name);
    // The same calendar goes on where it is, under the new rules.
    const bool goes_on = known && form_of(known->settings) == form_of(*calendar);
    auto entry = goes_on
                     ? known
                     : std::make_shared<Entry>(state.executor, name, *calendar, Taint::untrusted);
    entry->settings = *calendar;
    entry->taint = source.trusted ? Taint::trusted : Taint::untrusted;
    entry->authorization = authorizations[name];
    entry->view.source = name;
    entry->asked = goes_on;
    if (goes_on) entry->bell.ring();
    wanted[name] = std::move(entry);
  }
  state.keeper.replace(std::move(wanted));
  return {};
}

void Calendars::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

bool Calendars::poke(const std::string& source) {
  const auto found = state_->keeper.find(source);
  if (!found) return false;
  found->asked = true;
  found->bell.ring();
  return true;
}

asio::awaitable<void> Calendars::stop() { co_await state_->keeper.stop(); }

std::vector<Calendars::View> Calendars::views() const {
  std::vector<View> out;
  for (const auto& [name, entry] : state_->keeper.entries()) out.push_back(entry->view);
  return out;
}

}  // namespace vigil::ingress
