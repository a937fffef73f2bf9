#include "daemon/runtime/runtime.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "core/check.hpp"
#include "core/log.hpp"
#include "daemon/runtime/commit.hpp"
#include "daemon/runtime/runtime_state.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

constexpr int recovered_at_once = 1'000;
constexpr int crashes_max = 3;  // decisions begun that the daemon did not survive

}  // namespace

Runtime::Runtime(asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
                 Bulletin& bulletin, Places places)
    : state_(std::make_unique<State>(std::move(executor), clock, writer, bulletin,
                                     std::move(places))) {}
Runtime::~Runtime() = default;

Result<void> Runtime::apply(std::shared_ptr<const config::Settings> shared) {
  const auto& settings = *shared;
  auto compiled = Inhabitants::compile(shared);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  auto standing = standing_cases_of(**compiled, state_->house.inhabitants.get());
  state_->house.inhabitants = std::move(*compiled);
  state_->decision_threads = settings.daemon.decision_threads;
  state_->swarm_limits = settings.swarm;
  state_->swarms.apply(settings);
  if (!state_->started) return {};
  state_->host.adopt();
  for (const auto& [name, entity] : settings.entities) state_->known.insert(name);
  state_->hold_absent();
  state_->host.pump();
  state_->notes.spawn("note entities", [state = state_.get(), standing = std::move(standing)] {
    return state->note_reloaded(standing);
  });
  return {};
}

asio::awaitable<void> Runtime::State::note_reloaded(std::vector<StandingCase> standing) {
  auto noting = note_entities(std::move(standing));
  Result<void> noted = co_await std::move(noting);
  if (!noted) log_warn("new entities were not noted: {}", quoted(noted.error().message));
  alarm.timer_set(house.clock.now());  // of the standing cases
}

asio::awaitable<Result<void>> Runtime::State::note_entities(std::vector<StandingCase> standing) {
  auto change = [inhabitants = house.inhabitants, standing = std::move(standing),
                 now = house.clock.now()](storage::Stores& stores) {
    for (const auto& one : inhabitants->all()) {
      stores.entities.seen(one->settings.name, one->settings.kind, now);
    }
    commit_standing(stores, standing, now);
  };
  auto committing = house.writer.commit(std::move(change));
  co_return co_await std::move(committing);
}

std::string Runtime::State::source_of(const storage::Wake& wake) const {
  if (wake.events.empty()) return "";
  const auto event = house.reader->journal.find(wake.events.front());
  return event ? event->source : "";
}

// Everything that was routed and not decided goes back into the mailboxes.
asio::awaitable<Result<void>> Runtime::State::recover() {
  const auto now = house.clock.now();
  const bool unclean = house.writer.was_unclean();
  std::vector<storage::Wake> fatal;
  WakeId after;
  while (true) {
    const auto wakes = house.reader->wakes.open(after, recovered_at_once);
    if (wakes.empty()) break;
    for (const auto& wake : wakes) {
      after = wake.id;
      if (known.insert(wake.entity).second) hold_absent();
      if (unclean && wake.attempts >= crashes_max && wake.error.empty()) {
        fatal.push_back(wake);
        continue;
      }
      auto waiting = waiting_of(wake);
      waiting.holds_case = wake.attempts > 0 && wake.not_before > now;
      waiting.careful =
          unclean && !wake.gathering && wake.not_before <= now && !held.contains(wake.entity);
      if (waiting.careful) ++careful;
      if (!waiting.careful) waiting.source = source_of(wake);
      house.mailboxes.put(std::move(waiting), now);
    }
  }
  dead = house.reader->wakes.count_dead() + static_cast<std::int64_t>(fatal.size());
  auto change = [fatal, now](storage::Stores& stores) {
    for (const auto& wake : fatal) {
      commit_burial(stores, wake, "the daemon ended each time this was decided", now);
    }
  };
  auto committing = house.writer.commit(std::move(change));
  co_return co_await std::move(committing);
}

Result<void> Runtime::open_reader() {
  if (state_->house.reader) return {};
  auto reader = storage::Stores::open_reader(state_->house.places.state_dir);
  if (!reader) return std::unexpected(std::move(reader.error()));
  state_->house.reader = std::move(*reader);
  return {};
}

asio::awaitable<Result<void>> Runtime::start() {
  auto& state = *state_;
  VIGIL_CHECK(state.house.inhabitants != nullptr);
  if (auto opened = open_reader(); !opened) co_return opened;
  auto noting = state.note_entities(standing_cases_of(*state.house.inhabitants));
  Result<void> noted = co_await std::move(noting);
  if (!noted) co_return noted;
  for (const auto& row : state.house.reader->entities.all()) {
    state.known.insert(row.name);
    if (row.paused) state.paused.insert(row.name);
  }
  state.hold_absent();
  auto recovering = state.recover();
  Result<void> recovered = co_await std::move(recovering);
  if (!recovered) co_return recovered;
  state.started = true;
  state.host.start(state.decision_threads, state.careful);
  state.swarms.start(state.swarm_limits);
  state.alarm.start();
  state.router.start();
  state.host.pump();
  co_return Result<void>();
}

asio::awaitable<void> Runtime::stop(TimePoint deadline) {
  auto& state = *state_;
  if (!state.started) co_return;
  auto router = state.router.stop();
  co_await std::move(router);
  auto alarm = state.alarm.stop();
  co_await std::move(alarm);
  auto host = state.host.stop(deadline);
  co_await std::move(host);
  auto swarms = state.swarms.stop();
  co_await std::move(swarms);
  co_await state.notes.join();
}

void Runtime::accepted(EventPtr event) { state_->router.accepted(std::move(event)); }
void Runtime::on_heard(std::function<void(const std::string& entity)> tell) {
  state_->house.heard = std::move(tell);
}
void Runtime::on_actions(std::function<void()> tell) {
  state_->house.outbox_changed = std::move(tell);
}
void Runtime::on_work_ended(std::function<void()> tell) { state_->work_ended = std::move(tell); }

bool Runtime::busy_with(const std::string& source) const {
  return state_->router.holds(source) || state_->house.mailboxes.busy_with(source) ||
         state_->swarms.busy_with(source);
}

void Runtime::cancel_work_of(const std::string& source) {
  constexpr const char* why = "a newer firing of its schedule replaces it";
  state_->swarms.cancel_of_source(source, why);
  state_->router.supersede(source, why);
}

void Runtime::settled(const storage::Settled& settled) {
  auto& house = state_->house;
  const auto row = house.reader->outbox.find(settled.action);
  if (row) {
    house.bulletin.post("action", [&] {
      return json::object{{"id", row->id.value}, {"entity", row->entity}, {"kind", row->kind},
                          {"sink", row->sink},   {"case", row->case_key}, {"state", row->state},
                          {"error", row->error}};
    });
  }
  // None: it was decided already, by a recovery that found it first.
  const auto wake = house.reader->wakes.find(settled.wake);
  if (wake) house.deliver({waiting_of(*wake)});
}

}  // namespace vigil::runtime
