#include "entities/process/process_host.hpp"

#include <fmt/format.h>
#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>

#include "config/granted.hpp"
#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "core/timeout.hpp"
#include "entities/process/speaker.hpp"

namespace vigil::entities {
namespace asio = boost::asio;
namespace {

constexpr Duration backoff_max = std::chrono::minutes{5};
constexpr Duration patience_at_stop = std::chrono::seconds{2};  // to end by itself
constexpr Duration grace_at_stop = std::chrono::seconds{2};     // between TERM and KILL
constexpr Duration no_patience{0};
constexpr Duration grace_of_failed = std::chrono::milliseconds{200};
constexpr std::size_t question_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t excerpt_bytes = 120;

// Read by with_deadline, which needs a value.
asio::awaitable<bool> finished(asio::awaitable<void> work) {
  co_await std::move(work);
  co_return true;
}

}  // namespace

struct ProcessHost::State {
  State(asio::any_io_executor on, Clock& time, config::Process process)
      : executor(std::move(on)),
        clock(time),
        settings(std::move(process)),
        backoff(settings.restart_backoff),
        group(executor) {}

  // Whose turn it is to ask.
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& on) : bell(on) {}
    Bell bell;
    bool granted = false;
  };
  asio::awaitable<void> take_turn();
  void pass_turn();

  asio::awaitable<Result<std::shared_ptr<Speaker>>> ensure_started(std::string entity);
  Result<std::shared_ptr<Speaker>> start(const std::string& entity);
  Result<swarm::ChildSpec> make_spec();
  asio::awaitable<Result<Decision>> ask(Wake wake, json::object memory);
  asio::awaitable<Result<std::string>> converse(std::shared_ptr<Speaker> with,
                                                std::string question);
  Result<Decision> read_answer(const std::string& line) const;
  void ended(const std::shared_ptr<Speaker>& of);
  asio::awaitable<void> end_failed(std::shared_ptr<Speaker> speaking);
  const std::string& program() const { return settings.argv.front(); }
  std::unexpected<Error> going_away() const {
    return fail(ErrorCode::unavailable, fmt::format("{} is being stopped", program()));
  }

  asio::any_io_executor executor;
  Clock& clock;
  config::Process settings;
  Complaints complaints;
  std::shared_ptr<Speaker> speaker;  // nobody else ends it than who takes it from here
  std::string workdir;               // ours, when the settings name none
  std::int64_t number = 0;
  Duration backoff;
  TimePoint not_before{};  // the next start
  bool asking = false;
  bool stopping = false;
  std::deque<std::shared_ptr<Waiter>> waiters;
  TaskGroup group;
};

ProcessHost::ProcessHost(asio::any_io_executor executor, Clock& clock, config::Process settings)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(settings))) {}
ProcessHost::~ProcessHost() = default;

// ---- turns --------------------------------------------------------------------------------------

void ProcessHost::State::pass_turn() {
  if (waiters.empty()) {
    asking = false;
    return;
  }
  const auto next = waiters.front();
  waiters.pop_front();
  next->granted = true;
  next->bell.ring();
}

asio::awaitable<void> ProcessHost::State::take_turn() {
  if (!asking) {
    asking = true;
    co_return;
  }
  struct Place {  // left on every way out
    State& state;
    std::shared_ptr<Waiter> waiter;
    bool taken = false;
    ~Place() {
      if (!waiter->granted) {
        std::erase(state.waiters, waiter);
      } else if (!taken) {
        state.pass_turn();
      }
    }
  };
  Place place{*this, std::make_shared<Waiter>(executor)};
  waiters.push_back(place.waiter);
  co_await place.waiter->bell.wait();
  place.taken = true;
}

// ---- the child ----------------------------------------------------------------------------------

// The program is its owner's own, as trusted as the daemon's configuration: it runs uncontained,
// but in its own process group, and it dies with the daemon.
Result<swarm::ChildSpec> ProcessHost::State::make_spec() {
  swarm::ChildSpec out;
  out.argv = settings.argv;
  out.workdir = settings.workdir;
  out.containment = swarm::Containment::none;
  auto granted = config::read_granted(settings.secrets);
  if (!granted) return std::unexpected(std::move(granted.error()));
  out.environment = std::move(*granted);
  if (!out.workdir.empty()) return out;
  if (workdir.empty()) {
    auto path = (std::filesystem::temp_directory_path() / "vigild-process-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
      return fail(ErrorCode::unavailable,
                  fmt::format("cannot make a work directory {}: {}", path, std::strerror(errno)));
    }
    workdir = path;
  }
  out.workdir = workdir;
  return out;
}

Result<std::shared_ptr<Speaker>> ProcessHost::State::start(const std::string& entity) {
  const auto spec = make_spec();
  if (!spec) return std::unexpected(spec.error());
  auto child = swarm::Child::start(executor, *spec);
  if (!child) return std::unexpected(std::move(child.error()));
  speaker = std::make_shared<Speaker>(executor, clock, complaints, std::move(*child), entity);
  speaker->begin([this, of = std::weak_ptr(speaker)] { ended(of.lock()); });
  return speaker;
}

// Whoever asks sees the end by himself; when nobody does, it is seen to here.
void ProcessHost::State::ended(const std::shared_ptr<Speaker>& of) {
  if (asking || !of || speaker != of) return;
  group.spawn("end of a process entity",
              [this, last = std::exchange(speaker, nullptr)] { return end_failed(last); });
}

asio::awaitable<Result<std::shared_ptr<Speaker>>> ProcessHost::State::ensure_started(
    std::string entity) {
  if (speaker && speaker->has_ended()) {  // after its last answer: no failure
    const auto over = std::exchange(speaker, nullptr);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto ending = end_failed(over);
    co_await std::move(ending);
  }
  if (stopping) co_return going_away();
  if (speaker) co_return speaker;
  const auto pause = not_before - clock.now();
  if (pause > settings.timeout) {
    co_return fail(ErrorCode::unavailable, fmt::format("{} failed; it is started again in {}",
                                                       program(), vigil::to_text(pause)));
  }
  if (pause.count() > 0) {
    auto sleeping = clock.sleep_until(not_before);
    co_await std::move(sleeping);
  }
  if (stopping) co_return going_away();
  co_return start(entity);
}

// ---- a question ---------------------------------------------------------------------------------

asio::awaitable<Result<std::string>> ProcessHost::State::converse(std::shared_ptr<Speaker> with,
                                                                  std::string question) {
  SteadyTime steady(clock);
  const TimePoint until = steady.now() + settings.timeout;
  auto writing = finished(with->child.write(std::move(question)));
  Result<bool> written = co_await with_deadline(steady, until, std::move(writing));
  if (!written) {
    co_return fail(ErrorCode::timed_out,
                   fmt::format("{} did not read its question within {} and was stopped", program(),
                               vigil::to_text(settings.timeout)));
  }
  auto listening = with->next_line();
  Result<Speaker::Heard> heard = co_await with_deadline(steady, until, std::move(listening));
  if (!heard) {
    co_return fail(ErrorCode::timed_out, fmt::format("{} did not answer within {} and was stopped",
                                                     program(), vigil::to_text(settings.timeout)));
  }
  if (*heard == Speaker::Heard::line) co_return with->take_line();
  if (*heard == Speaker::Heard::too_long) {
    co_return fail(ErrorCode::invalid_input,
                   fmt::format("{} answered with a line of more than {} MiB", program(),
                               Speaker::line_bytes_max >> 20));
  }
  co_return fail(ErrorCode::unavailable, fmt::format("{} ended without an answer", program()));
}

Result<Decision> ProcessHost::State::read_answer(const std::string& line) const {
  const auto garbage = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} answered with no decision ({}): {}", program(), why,
                            vigil::quoted(line.substr(0, excerpt_bytes))));
  };
  const auto answer = parse_json(line);
  if (!answer) return garbage("it is not JSON: " + answer.error().message);
  if (find_integer(*answer, "id") != number) {
    return garbage(fmt::format("its id is not the question's, {}", number));
  }
  auto decision = decision_from_json(*answer);
  if (!decision) return garbage(decision.error().message);
  return decision;
}

asio::awaitable<Result<Decision>> ProcessHost::State::ask(Wake wake, json::object memory) {
  json::object question;
  question["id"] = ++number;
  question["wake"] = to_json(wake);
  question["memory"] = std::move(memory);
  auto line = vigil::to_text(json::value(std::move(question))) + "\n";
  if (line.size() > question_bytes_max) {
    co_return fail(ErrorCode::too_large,
                   fmt::format("the question has {} MiB, more than a process is asked ({} MiB): "
                               "take fewer events at once",
                               line.size() >> 20, question_bytes_max >> 20));
  }
  while (true) {
    auto starting = ensure_started(wake.entity);
    Result<std::shared_ptr<Speaker>> with = co_await std::move(starting);
    if (!with) co_return std::unexpected(std::move(with.error()));
    const bool may_be_gone = (*with)->has_answered();
    auto talking = converse(*with, line);
    Result<std::string> answer = co_await std::move(talking);
    if (answer) co_return read_answer(*answer);
    // One that answered before and went away after it has not failed: another one is asked.
    const bool went_away = may_be_gone && (*with)->has_ended() && (*with)->is_silent();
    if (!went_away || stopping) co_return std::unexpected(std::move(answer.error()));
  }
}

asio::awaitable<void> ProcessHost::State::end_failed(std::shared_ptr<Speaker> speaking) {
  auto ending = speaking->end(no_patience, grace_of_failed);
  co_await std::move(ending);
}

asio::awaitable<Result<Decision>> ProcessHost::decide(Wake wake, json::object memory) {
  auto& state = *state_;
  co_await state.take_turn();
  struct Turn {  // given back on every way out
    State& state;
    bool over = false;
    explicit Turn(State& of) : state(of) {}
    ~Turn() {
      // Cancelled in the middle: the answer may still come, and must not be taken for the next.
      // One that ended right after its answer is reaped at once, not at the next question.
      if (state.speaker && (!over || state.speaker->has_ended())) {
        state.group.spawn("stop process",
                          [&in = state, of = std::exchange(state.speaker, nullptr)] {
                            return in.end_failed(of);
                          });
      }
      state.pass_turn();
    }
  };
  Turn turn(state);
  if (state.stopping) co_return state.going_away();
  auto asking = state.ask(std::move(wake), std::move(memory));
  Result<Decision> decision = co_await std::move(asking);
  turn.over = true;
  if (decision) {
    state.backoff = state.settings.restart_backoff;
    co_return decision;
  }
  if (decision.error().code == ErrorCode::too_large) co_return decision;  // not the child's fault
  // Whatever it does now, it is not our protocol: the next question goes to a new one.
  const auto failed = std::exchange(state.speaker, nullptr);
  if (state.stopping) co_return state.going_away();
  if (failed) {
    // Cancelled in the very turn in which the answer came: then nothing may be awaited any more.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto ending = state.end_failed(failed);
    co_await std::move(ending);
    if (decision.error().code == ErrorCode::unavailable) {
      decision.error().message += fmt::format(" ({})", failed->epitaph());
    }
  }
  if (failed || state.clock.now() >= state.not_before) {
    state.not_before = state.clock.now() + state.backoff;
    state.backoff = std::min(state.backoff * 2, backoff_max);
  }
  co_return decision;
}

bool ProcessHost::adopt(const config::Process& settings) {
  auto& state = *state_;
  if (settings.argv != state.settings.argv || settings.workdir != state.settings.workdir) {
    return false;
  }
  if (settings.restart_backoff != state.settings.restart_backoff) {
    state.backoff = settings.restart_backoff;
    state.not_before = std::min(state.not_before, state.clock.now() + state.backoff);
  }
  state.settings = settings;
  return true;
}

asio::awaitable<void> ProcessHost::stop() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto& state = *state_;
  state.stopping = true;
  if (const auto last = std::exchange(state.speaker, nullptr)) {
    auto ending = last->end(patience_at_stop, grace_at_stop);
    co_await std::move(ending);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  }
  state.group.cancel();
  co_await state.group.join();
  if (state.workdir.empty()) co_return;
  std::error_code ignored;  // what cannot be removed is the system's to clean up
  std::filesystem::remove_all(state.workdir, ignored);
  state.workdir.clear();
}

}  // namespace vigil::entities
