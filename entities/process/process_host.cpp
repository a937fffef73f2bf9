#include "entities/process/process_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <optional>

#include "core/bell.hpp"
#include "core/deadline.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "swarm/child.hpp"

namespace vigil::entities {
namespace asio = boost::asio;
namespace {

constexpr std::size_t line_bytes_max = 8 * 1024 * 1024;
constexpr Duration backoff_max = std::chrono::minutes{5};
constexpr Duration grace = std::chrono::seconds{2};
constexpr std::size_t excerpt_bytes = 120;

// The program from its settings. It is the owner's own, as trusted as the daemon's configuration:
// it runs uncontained, but dies with the daemon.
swarm::ChildSpec spec_of(const config::Process& settings) {
  swarm::ChildSpec out;
  out.argv = settings.argv;
  out.workdir = settings.workdir.empty() ? "/" : settings.workdir;
  out.containment = swarm::Containment::none;
  return out;
}

asio::awaitable<bool> finished(asio::awaitable<void> work) {
  co_await std::move(work);
  co_return true;
}

}  // namespace

struct ProcessHost::State {
  State(asio::any_io_executor on, Clock& time, std::string with, config::Process process)
      : executor(std::move(on)),
        clock(time),
        launcher(std::move(with)),
        settings(std::move(process)),
        backoff(settings.restart_backoff),
        turn(executor),
        group(executor) {}

  asio::awaitable<Result<void>> ensure_started();
  asio::awaitable<Result<Decision>> ask(Wake wake, json::object memory);
  asio::awaitable<Result<std::string>> read_line();
  asio::awaitable<std::string> next_line();
  asio::awaitable<void> forward_errors(std::shared_ptr<swarm::Child> of);
  asio::awaitable<void> end(Duration patience);
  void failed();

  asio::any_io_executor executor;
  Clock& clock;
  std::string launcher;
  config::Process settings;
  std::shared_ptr<swarm::Child> child;
  std::string unread;  // after the last whole line
  std::int64_t number = 0;
  Duration backoff;
  TimePoint not_before{};  // the next start
  bool asking = false;
  bool stopping = false;
  Bell turn;
  TaskGroup group;
};

ProcessHost::ProcessHost(asio::any_io_executor executor, Clock& clock, std::string launcher,
                         config::Process settings)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(launcher),
                                     std::move(settings))) {}
ProcessHost::~ProcessHost() = default;

void ProcessHost::State::failed() {
  not_before = clock.now() + backoff;
  backoff = std::min(backoff * 2, backoff_max);
}

asio::awaitable<Result<void>> ProcessHost::State::ensure_started() {
  if (child) co_return Result<void>();
  if (clock.now() < not_before) {
    co_return fail(ErrorCode::unavailable,
                   fmt::format("{} failed before; it is started again in {}", settings.argv.front(),
                               vigil::to_text(not_before - clock.now())));
  }
  auto started = swarm::Child::start(executor, launcher, spec_of(settings));
  if (!started) {
    failed();
    co_return std::unexpected(std::move(started.error()));
  }
  child = std::make_shared<swarm::Child>(std::move(*started));
  unread.clear();
  group.spawn("errors of a process entity", [this, of = child] { return forward_errors(of); });
  co_return Result<void>();
}

// What the child writes to its standard error is its owner's to read.
asio::awaitable<void> ProcessHost::State::forward_errors(std::shared_ptr<swarm::Child> of) {
  while (true) {
    auto reading = of->read_errors();
    const std::string said = co_await std::move(reading);
    if (said.empty()) co_return;
    log_info("a process entity says: program={} text={}", settings.argv.front(),
             vigil::quoted(said));
  }
}

asio::awaitable<std::string> ProcessHost::State::next_line() {
  while (true) {
    const auto end = unread.find('\n');
    if (end != std::string::npos) {
      auto line = unread.substr(0, end);
      unread.erase(0, end + 1);
      co_return line;
    }
    if (unread.size() > line_bytes_max) co_return std::string();
    auto reading = child->read_output();
    const std::string more = co_await std::move(reading);
    if (more.empty()) co_return std::string();
    unread += more;
  }
}

asio::awaitable<Result<std::string>> ProcessHost::State::read_line() {
  const auto until = clock.now() + settings.timeout;
  auto limited = with_deadline(clock, until, next_line());
  Result<std::string> line = co_await std::move(limited);
  if (!line) {
    co_return fail(ErrorCode::timed_out,
                   fmt::format("{} did not answer within {} and was stopped", settings.argv.front(),
                               vigil::to_text(settings.timeout)));
  }
  if (!line->empty()) co_return line;
  co_return fail(ErrorCode::unavailable,
                 unread.size() > line_bytes_max
                     ? fmt::format("{} answered with an endless line", settings.argv.front())
                     : fmt::format("{} ended without an answer", settings.argv.front()));
}

asio::awaitable<Result<Decision>> ProcessHost::State::ask(Wake wake, json::object memory) {
  auto starting = ensure_started();
  Result<void> started = co_await std::move(starting);
  if (!started) co_return std::unexpected(std::move(started.error()));
  json::object question;
  question["id"] = ++number;
  question["wake"] = to_json(wake);
  question["memory"] = std::move(memory);
  auto text = vigil::to_text(json::value(std::move(question))) + "\n";
  const auto until = clock.now() + settings.timeout;
  auto writing = with_deadline(clock, until, finished(child->write(std::move(text))));
  Result<bool> written = co_await std::move(writing);
  if (!written) {
    co_return fail(ErrorCode::timed_out,
                   fmt::format("{} does not read its questions", settings.argv.front()));
  }
  auto reading = read_line();
  Result<std::string> line = co_await std::move(reading);
  if (!line) co_return std::unexpected(std::move(line.error()));
  const auto garbage = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} answered with no decision ({}): {}", settings.argv.front(), why,
                            vigil::quoted(line->substr(0, excerpt_bytes))));
  };
  const auto answer = parse_json(*line);
  if (!answer) co_return garbage("it is not JSON");
  if (find_integer(*answer, "id").value_or(number) != number) {
    co_return garbage("its id is not the question's");
  }
  auto decision = decision_from_json(*answer);
  if (!decision) co_return garbage(decision.error().message);
  co_return std::move(*decision);
}

asio::awaitable<void> ProcessHost::State::end(Duration patience) {
  if (!child) co_return;
  const auto ending = std::exchange(child, nullptr);
  ending->close_input();
  auto stopping_child = ending->stop(clock, patience);
  co_await std::move(stopping_child);
}

asio::awaitable<Result<Decision>> ProcessHost::decide(Wake wake, json::object memory) {
  auto& state = *state_;
  while (state.asking) co_await state.turn.wait();
  if (state.stopping) co_return fail(ErrorCode::unavailable, "the daemon is stopping");
  struct Turn {  // given back on every way out
    State& state;
    explicit Turn(State& of) : state(of) { state.asking = true; }
    ~Turn() {
      state.asking = false;
      state.turn.ring();
    }
  };
  const Turn mine(state);
  auto asking = state.ask(std::move(wake), std::move(memory));
  Result<Decision> decision = co_await std::move(asking);
  if (decision) {
    state.backoff = state.settings.restart_backoff;
    co_return decision;
  }
  // Whatever it does now, it is not our protocol: the next question goes to a new one.
  if (state.child) {
    state.failed();
    auto ending = state.end(Duration{0});
    co_await std::move(ending);
  }
  co_return decision;
}

asio::awaitable<void> ProcessHost::stop() {
  auto& state = *state_;
  state.stopping = true;
  auto ending = state.end(grace);
  co_await std::move(ending);
  state.group.cancel();
  co_await state.group.join();
}

}  // namespace vigil::entities
