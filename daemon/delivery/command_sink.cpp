// [sink.NAME] kind = "command": a runbook. Its argv comes from the configuration alone; what an
// action asks for is data on its standard input.
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <cstring>

#include "core/deadline.hpp"
#include "daemon/delivery/sinks.hpp"
#include "swarm/child.hpp"
#include "swarm/conversation.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr Duration grace = std::chrono::seconds{2};            // between TERM and KILL
constexpr Duration patience = std::chrono::milliseconds{500};  // for pipes that outlive it
constexpr std::size_t output_bytes_max = 64 * 1024;
constexpr std::size_t output_kept_max = 4 * 1024;
constexpr int exit_try_again = 75;  // EX_TEMPFAIL of sysexits.h

struct Ending {
  swarm::ChildExit exit;
  bool in_time = true;
  bool cancelled = false;
};

// Never throws: a cancellation is told in the answer, so that the pipes can be closed in order.
asio::awaitable<Ending> wait_or_stop(Clock& clock, swarm::Child& child, TimePoint deadline) {
  Ending ending;
  try {
    auto waiting = child.wait();
    auto limited = with_deadline(clock, deadline, std::move(waiting));
    Result<swarm::ChildExit> exit = co_await std::move(limited);
    ending.in_time = exit.has_value();
    if (exit) ending.exit = *exit;
  } catch (const boost::system::system_error&) {
    ending.cancelled = true;
  }
  if (ending.in_time && !ending.cancelled) co_return ending;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto stopping = child.stop(clock, grace);
  swarm::ChildExit exit = co_await std::move(stopping);
  ending.exit = exit;
  co_return ending;
}

json::value output_of(const swarm::Conversation& talk) {
  std::string_view output = talk.output;
  while (output.ends_with('\n')) output.remove_suffix(1);
  if (output.empty()) return nullptr;
  if (output.size() <= output_kept_max) {
    if (auto parsed = parse_json(output)) return std::move(*parsed);
  }
  return json::value(to_valid_utf8(output.substr(0, output_kept_max)));
}

class CommandSink final : public Sink {
 public:
  CommandSink(config::CommandSink settings, const SinkGround& ground)
      : settings_(std::move(settings)), executor_(ground.executor), clock_(ground.clock) {}

  Repeat repeat(const storage::Action&) const override {
    return settings_.idempotent ? Repeat::harmless : Repeat::dangerous;
  }
  int per_hour_max() const override { return settings_.per_hour_max; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    auto started = swarm::Child::start(executor_, spec_of(attempt.action));
    if (!started) {
      const auto code = started.error().code;
      if (code == ErrorCode::unavailable) co_return retry_later(started.error().message);
      co_return failed(started.error().message);
    }
    auto child = std::move(*started);
    swarm::Conversation talk(executor_, child, output_bytes_max, nullptr);
    talk.begin(to_text(json::value(attempt.action.payload)) + "\n");
    auto waiting = wait_or_stop(clock_, child, clock_.now() + settings_.timeout);
    Ending ending = co_await std::move(waiting);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto closing = talk.end(clock_, patience);
    co_await std::move(closing);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (ending.cancelled) throw boost::system::system_error(asio::error::operation_aborted);
    co_return outcome_of(ending, talk);
  }

 private:
  swarm::ChildSpec spec_of(const storage::Action& action) const {
    swarm::ChildSpec spec;
    spec.argv = settings_.argv;
    spec.workdir = "/";
    spec.containment = swarm::Containment::none;  // the administrator's own program
    spec.file_bytes_max = 0;                      // which may well write a large backup
    spec.environment = {{"TMPDIR", "/tmp"},
                        {"VIGIL_ACTION", fmt::format("{}", action.id.value)},
                        {"VIGIL_ACTION_KEY", action.key},
                        {"VIGIL_ACTION_KIND", action.kind},
                        {"VIGIL_ATTEMPT", fmt::format("{}", action.attempts)},
                        {"VIGIL_ENTITY", action.entity}};
    return spec;
  }

  Outcome outcome_of(const Ending& ending, const swarm::Conversation& talk) const {
    if (!ending.in_time) {
      return unanswered(fmt::format("{} was stopped after its timeout of {}",
                                    settings_.argv.front(), vigil::to_text(settings_.timeout)));
    }
    if (ending.exit.ok()) {
      return delivered(json::object{{"exit", 0}, {"output", output_of(talk)}});
    }
    auto text =
        ending.exit.signal != 0
            ? fmt::format("{} ended by signal {} ({})", settings_.argv.front(), ending.exit.signal,
                          ::strsignal(ending.exit.signal))
            : fmt::format("{} ended with exit code {}", settings_.argv.front(), ending.exit.code);
    std::string_view errors = talk.errors;
    while (errors.ends_with('\n')) errors.remove_suffix(1);
    if (!errors.empty()) text += ": " + to_valid_utf8(errors);
    if (ending.exit.signal != 0) return unanswered(std::move(text));
    if (ending.exit.code == exit_try_again) return retry_later(std::move(text));
    return failed(std::move(text));
  }

  config::CommandSink settings_;
  asio::any_io_executor executor_;
  Clock& clock_;
};

}  // namespace

std::shared_ptr<Sink> make_command_sink(const config::CommandSink& settings,
                                        const SinkGround& ground) {
  return std::make_shared<CommandSink>(settings, ground);
}

}  // namespace vigil::delivery
