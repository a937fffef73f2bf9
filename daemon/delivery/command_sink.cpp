// [sink.NAME] kind = "command": a runbook. Its argv comes from the configuration alone; what an
// action asks for is data on its standard input.
#include <fmt/format.h>

#include <cstring>

#include "config/granted.hpp"
#include "daemon/delivery/program.hpp"
#include "daemon/delivery/sinks.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr std::size_t output_kept_max = 4 * 1024;
constexpr int exit_try_again = 75;  // EX_TEMPFAIL of sysexits.h

json::value output_of(const ProgramEnd& end) {
  std::string_view output = end.output;
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
    auto spec = spec_of(attempt.action);
    if (!spec) co_return failed(spec.error().message);
    auto running =
        run_program(executor_, clock_, std::move(*spec),
                    to_text(json::value(attempt.action.payload)) + "\n", settings_.timeout);
    ProgramEnd end = co_await std::move(running);
    if (end.not_started) {
      const auto code = end.not_started->code;
      if (code == ErrorCode::unavailable) co_return retry_later(end.not_started->message);
      co_return failed(end.not_started->message);
    }
    co_return outcome_of(end);
  }

 private:
  Result<swarm::ChildSpec> spec_of(const storage::Action& action) const {
    swarm::ChildSpec spec;
    auto granted = config::read_granted(settings_.secrets);
    if (!granted) return std::unexpected(std::move(granted.error()));
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
    for (auto& variable : *granted) spec.environment.push_back(std::move(variable));
    return spec;
  }

  Outcome outcome_of(const ProgramEnd& end) const {
    if (!end.in_time) {
      return unanswered(fmt::format("{} was stopped after its timeout of {}",
                                    settings_.argv.front(), vigil::to_text(settings_.timeout)));
    }
    if (end.exit.ok()) {
      return delivered(json::object{{"exit", 0}, {"output", output_of(end)}});
    }
    auto text =
        end.exit.signal != 0
            ? fmt::format("{} ended by signal {} ({})", settings_.argv.front(), end.exit.signal,
                          ::strsignal(end.exit.signal))
            : fmt::format("{} ended with exit code {}", settings_.argv.front(), end.exit.code);
    std::string_view errors = end.errors;
    while (errors.ends_with('\n')) errors.remove_suffix(1);
    if (!errors.empty()) text += ": " + to_valid_utf8(errors);
    if (end.exit.signal != 0) return unanswered(std::move(text));
    if (end.exit.code == exit_try_again) return retry_later(std::move(text));
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
