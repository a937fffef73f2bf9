#include "swarm/process_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <cstring>
#include <filesystem>
#include <optional>

#include "core/digest.hpp"
#include "core/timeout.hpp"
#include "swarm/cgroup.hpp"
#include "swarm/conversation.hpp"
#include "swarm/launch.hpp"
#include "swarm/stragglers.hpp"
#include "swarm/workdir.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;
namespace {

// How long we listen to pipes that outlive their task.
constexpr Duration patience = std::chrono::milliseconds{500};
constexpr int exit_refused = 126;
constexpr int exit_not_found = 127;
// Of sysexits.h: wrong usage, wrong data and wrong configuration stay wrong when tried again.
constexpr std::array hopeless_exits = {64, 65, 78};

struct Ending {
  ChildExit exit;
  bool in_time = true;
  bool cancelled = false;
};

struct Tried {
  AttemptOutcome outcome;
  std::exception_ptr thrown;
};

std::string input_text(const Attempt& attempt) {
  json::object input{{"task", attempt.task.name},
                     {"input", attempt.task.input},
                     {"inputs", attempt.inputs},
                     {"deadline", to_rfc3339(attempt.deadline)}};
  if (!attempt.missing.empty()) input["missing"] = attempt.missing;
  if (!attempt.refused.empty()) input["refused"] = to_valid_utf8(attempt.refused);
  if (attempt.number > 1) input["attempt"] = attempt.number;
  if (attempt.task.variants > 1) input["variant"] = attempt.variant;
  return to_text(json::value(input)) + "\n";
}

json::value result_of(std::string_view output, std::size_t cut_bytes) {
  const auto begin = output.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return nullptr;
  // The beginning of a JSON text may be JSON by accident (123 of 12345): what was cut is text.
  if (auto parsed = parse_json(output); parsed && cut_bytes == 0) return *parsed;
  while (!output.empty() && (output.back() == '\n' || output.back() == '\r')) {
    output.remove_suffix(1);
  }
  return json::string(to_valid_utf8(output));
}

std::string describe(const Ending& ending, const Attempt& attempt, std::string_view errors) {
  std::string text;
  if (!ending.in_time) {
    text = fmt::format("stopped at its deadline {}", to_rfc3339(attempt.deadline));
  } else if (ending.exit.signal != 0) {
    text =
        fmt::format("ended by signal {} ({})", ending.exit.signal, ::strsignal(ending.exit.signal));
  } else {
    text = fmt::format("exit code {}", ending.exit.code);
  }
  while (!errors.empty() && (errors.back() == '\n' || errors.back() == '\r')) {
    errors.remove_suffix(1);
  }
  if (!errors.empty()) text += ": " + to_valid_utf8(errors);
  return text;
}

bool can_be_retried(const Ending& ending, std::string_view errors) {
  const int code = ending.exit.code;
  if (std::ranges::find(hopeless_exits, code) != hopeless_exits.end()) return false;
  const bool by_launcher = code == exit_refused || code == exit_not_found;
  return !by_launcher || errors.find(launcher_says) == std::string_view::npos;
}

AttemptOutcome outcome_of(const Ending& ending, const Attempt& attempt, const Conversation& talk) {
  AttemptOutcome outcome;
  const auto& good = attempt.task.exit_ok;
  outcome.exit_code = ending.exit.code;
  outcome.ok = ending.in_time && std::ranges::find(good, ending.exit.code) != good.end();
  outcome.result = result_of(talk.output, talk.output_cut_bytes);
  outcome.output_cut_bytes = talk.output_cut_bytes;
  if (outcome.ok) return outcome;
  outcome.error = describe(ending, attempt, talk.errors);
  outcome.retryable = !ending.in_time || can_be_retried(ending, talk.errors);
  return outcome;
}

AttemptOutcome not_started(const Error& error) {
  AttemptOutcome outcome;
  outcome.error = error.message;
  // A machine that is out of something may have it again; a program that is missing stays so.
  outcome.retryable = error.code == ErrorCode::unavailable || error.code == ErrorCode::full;
  return outcome;
}

class ProcessRunner final : public Runner {
 public:
  // Absolute, because a child looks for its launcher from its own work directory.
  ProcessRunner(asio::any_io_executor executor, Clock& clock, const std::string& programs_dir,
                const std::string& work_dir, ProcessLimits limits)
      : executor_(std::move(executor)),
        clock_(clock),
        programs_dir_(std::filesystem::absolute(programs_dir).string()),
        work_dir_(std::filesystem::absolute(work_dir).string()),
        limits_(limits),
        spare_(work_dir_),
        cgroups_(CgroupPlace::find()) {
    kill_stragglers(fmt::format("{}={}/", attempt_variable, work_dir_));
    sweep_workdirs(work_dir_);
  }

  asio::awaitable<AttemptOutcome> run(Attempt attempt) override;

 private:
  ChildSpec spec_of(const Attempt& attempt, std::string workdir, const std::string& mark) const;
  asio::awaitable<Tried> try_in(Attempt attempt, std::string workdir);
  asio::awaitable<AttemptOutcome> run_in(Attempt attempt, std::string workdir);
  asio::awaitable<Ending> wait_or_stop(Child& child, TimePoint deadline, Duration grace);

  asio::any_io_executor executor_;
  Clock& clock_;
  std::string programs_dir_;
  std::string work_dir_;
  ProcessLimits limits_;
  SpareWorkdirs spare_;
  std::optional<CgroupPlace> cgroups_;  // where one was delegated
};

asio::awaitable<AttemptOutcome> ProcessRunner::run(Attempt attempt) {
  if (attempt.task.argv.empty() && attempt.task.builtin.empty()) {
    co_return not_started(
        Error{ErrorCode::invalid_input, "there is nobody here who asks models or runs agents"});
  }
  std::string workdir = attempt.task.workdir;
  const bool is_private = workdir.empty();
  const bool is_contained = attempt.task.containment != Containment::none;
  if (is_private) {
    auto made = is_contained ? make_workdir(work_dir_) : spare_.take();
    if (!made) co_return not_started(made.error());
    workdir = std::move(*made);
  }
  Tried tried = co_await try_in(std::move(attempt), workdir);
  const bool is_spare = !is_contained && tried.outcome.ok && is_private && spare_.put_back(workdir);
  if (is_private && !is_spare) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await remove_workdir(workdir);
  }
  if (tried.thrown) std::rethrow_exception(tried.thrown);
  co_return std::move(tried.outcome);
}

// What is thrown comes back as a value, so that the directory can be removed first.
asio::awaitable<Tried> ProcessRunner::try_in(Attempt attempt, std::string workdir) {
  Tried tried;
  try {
    AttemptOutcome outcome = co_await run_in(std::move(attempt), std::move(workdir));
    tried.outcome = std::move(outcome);
  } catch (...) {
    tried.thrown = std::current_exception();
  }
  co_return tried;
}

ChildSpec ProcessRunner::spec_of(const Attempt& attempt, std::string workdir,
                                 const std::string& mark) const {
  const Task& task = attempt.task;
  ChildSpec spec;
  spec.argv = task.argv;
  spec.read_paths = task.read_paths;
  if (!task.builtin.empty()) spec.argv = {programs_dir_ + "/vigil-task", task.builtin};
  spec.workdir = std::move(workdir);
  spec.environment = attempt.environment;
  spec.environment.emplace_back(attempt_variable, mark);
  spec.containment = task.containment;
  spec.write_paths = task.write_paths;
  spec.memory_bytes_max = limits_.memory_bytes_max;
  return spec;
}

asio::awaitable<AttemptOutcome> ProcessRunner::run_in(Attempt attempt, std::string workdir) {
  const std::string mark = fmt::format("{}/{}", work_dir_, random_hex(8));
  ChildSpec spec = spec_of(attempt, std::move(workdir), mark);
  const auto cgroup = cgroups_ ? cgroups_->make() : nullptr;
  if (cgroup) spec.cgroup = cgroup->joins();
  auto started = Child::start(executor_, spec);
  if (!started) co_return not_started(started.error());
  Child child = std::move(*started);
  const auto output_bytes_max =
      attempt.task.output_bytes_max > 0 ? attempt.task.output_bytes_max : limits_.output_bytes_max;
  Conversation talk(executor_, child, output_bytes_max, attempt.said);
  std::string input = attempt.standard_input ? *attempt.standard_input : input_text(attempt);
  talk.begin(std::move(input));
  Ending ending = co_await wait_or_stop(child, attempt.deadline, attempt.grace);
  if (cgroup) cgroup->kill();  // with it whatever it left, wherever that went
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await talk.end(clock_, patience);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  // Whoever is known to have got out of the group, or may have while it was killed.
  const bool may_be_left = talk.are_held || !ending.in_time || ending.cancelled;
  if (may_be_left && !cgroup) kill_stragglers(fmt::format("{}={}", attempt_variable, mark));
  if (ending.cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  co_return outcome_of(ending, attempt, talk);
}

// Never throws: a cancellation is told in the answer, so that the pipes can be closed in order.
asio::awaitable<Ending> ProcessRunner::wait_or_stop(Child& child, TimePoint deadline,
                                                    Duration grace) {
  Ending ending;
  try {
    auto waiting = child.wait();
    const auto left = deadline - clock_.now();
    auto exit = co_await with_timeout(clock_, left, std::move(waiting));
    ending.in_time = exit.has_value();
    if (exit) ending.exit = *exit;
  } catch (const boost::system::system_error&) {
    ending.cancelled = true;
  }
  if (ending.in_time && !ending.cancelled) co_return ending;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  ChildExit exit = co_await child.stop(clock_, grace);
  ending.exit = exit;
  co_return ending;
}

}  // namespace

std::unique_ptr<Runner> make_process_runner(asio::any_io_executor executor, Clock& clock,
                                            std::string programs_dir, std::string work_dir,
                                            ProcessLimits limits) {
  return std::make_unique<ProcessRunner>(std::move(executor), clock, programs_dir, work_dir,
                                         limits);
}

}  // namespace vigil::swarm
