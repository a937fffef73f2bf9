#include "swarm/process_runner.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <csignal>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "swarm/conversation.hpp"
#include "swarm/engine.hpp"
#include "tests/support/places.hpp"
#include "tests/swarm/children.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

TEST_CASE("a task gets one JSON object and its JSON answer is the result") {
  Runners real;
  auto attempt = real.attempt({"cat"});
  attempt.task.input = {{"text", "größer"}, {"n", 9'007'199'254'740'993}};
  attempt.inputs = {{"up", {1, 2}}};
  const auto outcome = real.run(std::move(attempt));
  REQUIRE(outcome.ok);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.result.at("task") == json::value("t"));
  CHECK(outcome.result.at("input").at("text") == json::value("größer"));
  CHECK(outcome.result.at("input").at("n") == 9'007'199'254'740'993);
  CHECK(outcome.result.at("inputs").at("up").as_array().size() == 2);
  CHECK(parse_rfc3339(outcome.result.at("deadline").as_string()));
  CHECK(real.workdirs_are_gone());
}

TEST_CASE("what is not JSON is text, and nothing is null") {
  Runners real;
  CHECK(real.run(real.shell("echo two words")).result == json::value("two words"));
  CHECK(real.run(real.shell("true")).result.is_null());
  CHECK(real.run(real.shell("printf '\\377x'")).result == json::value("\xEF\xBF\xBDx"));
}

TEST_CASE("a flood of output is read to its end, capped and counted") {
  Runners real(ProcessLimits{.output_bytes_max = 1000});
  const auto outcome = real.run(real.shell("head -c 5000000 /dev/zero | tr '\\0' 1"));
  CHECK(outcome.ok);
  REQUIRE(outcome.result.is_string());  // a thousand digits would be a number, but it was cut
  CHECK(outcome.result.as_string().size() == 1000);
  CHECK(outcome.output_cut_bytes == 4'999'000);
  auto own = real.shell("echo 123456");
  own.task.output_bytes_max = 3;
  CHECK(real.run(std::move(own)).result == json::value("123"));
}

TEST_CASE("a failure carries the end of standard error") {
  Runners real;
  const auto outcome = real.run(
      real.shell("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 2"));
  CHECK_FALSE(outcome.ok);
  CHECK(outcome.retryable);
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.error.starts_with("exit code 2: "));
  CHECK(has(outcome.error, "line 1999"));
  CHECK_FALSE(has(outcome.error, "line 100\n"));
  CHECK(outcome.error.size() < 2200);
}

TEST_CASE("exit codes say done, try again, or give up") {
  Runners real;
  auto differs = real.shell("exit 1");
  differs.task.exit_ok = {0, 1};
  CHECK(real.run(std::move(differs)).ok);
  CHECK(real.run(real.shell("exit 75")).retryable);
  for (const char* code : {"64", "65", "78"}) {
    CHECK_FALSE(real.run(real.shell(std::string("exit ") + code)).retryable);
  }
  CHECK(real.run(real.shell("exit 127")).retryable);  // the script's own, not the launcher's
  const auto missing = real.run(real.attempt({"no-such-program-here"}));
  CHECK_FALSE(missing.ok);
  CHECK_FALSE(missing.retryable);
  CHECK(has(missing.error, "no-such-program-here"));
  auto lost = real.shell("true");
  lost.task.workdir = "/no/such/directory";
  const auto nowhere = real.run(std::move(lost));
  CHECK_FALSE(nowhere.retryable);
  CHECK(has(nowhere.error, "does not exist"));
}

TEST_CASE("past its deadline a task is stopped and the outcome says so") {
  Runners real;
  const auto before = real.loop.clock->steady_now();
  const auto outcome = real.run(real.shell("trap '' TERM; while :; do sleep 1; done", 100ms));
  CHECK_FALSE(outcome.ok);
  CHECK(outcome.retryable);
  CHECK(has(outcome.error, "stopped at its deadline"));
  CHECK(real.loop.clock->steady_now() - before < 5s);
  CHECK(own_children() == 0);
  CHECK(real.workdirs_are_gone());
}

TEST_CASE("a cancelled attempt stops its child, removes its directory, then throws") {
  Runners real;
  asio::cancellation_signal cancel;
  std::exception_ptr thrown;
  auto attempt = real.shell("echo '{\"progress\":1}' >&3; trap '' TERM; while :; do sleep 1; done");
  // The child runs when it speaks: that is when it is cancelled.
  attempt.said = [&](const json::object&) { cancel.emit(asio::cancellation_type::terminal); };
  asio::co_spawn(
      real.loop.context, real.runner->run(std::move(attempt)),
      asio::bind_cancellation_slot(
          cancel.slot(), [&](std::exception_ptr error, const AttemptOutcome&) { thrown = error; }));
  real.loop.context.run();
  REQUIRE(thrown);
  CHECK_THROWS_AS(std::rethrow_exception(thrown), boost::system::system_error);
  CHECK(own_children() == 0);
  CHECK(real.workdirs_are_gone());
}

TEST_CASE("the control channel carries JSON lines; garbage is left out and noted") {
  Runners real;
  auto attempt = real.shell(
      "eval \"exec 9>&$VIGIL_CONTROL_FD\"; echo '{\"interface\":{\"v\":1}}' >&9; echo nonsense "
      ">&9; "
      "echo '[1]' >&9; echo >&9; printf '{\"progress\":0.5}' >&9; echo 1");
  std::vector<json::object> said;
  attempt.said = [&](json::object line) { said.push_back(std::move(line)); };
  CHECK(real.run(std::move(attempt)).ok);
  REQUIRE(said.size() == 3);
  CHECK(said[0].at("interface").at("v") == 1);
  CHECK(said[1].at("progress") == json::value(0.5));
  CHECK(has(said[2].at("note").as_string(), "2 lines"));
}

TEST_CASE("control lines are bounded in length and number") {
  ControlLines lines;
  int heard = 0;
  const auto said = [&](const json::object&) { ++heard; };
  const std::string long_line =
      "{\"x\":\"" + std::string(ControlLines::line_bytes_max, 'x') + "\"}\n";
  for (std::size_t at = 0; at < long_line.size(); at += 1000) {
    lines.take(std::string_view(long_line).substr(at, 1000), said);
  }
  CHECK(heard == 0);
  CHECK(lines.ignored() == 1);
  for (std::size_t i = 0; i < ControlLines::lines_max + 5; ++i) lines.take("{}\n", said);
  CHECK(heard == static_cast<int>(ControlLines::lines_max));
  CHECK(lines.ignored() == 6);
}

TEST_CASE("a grandchild in its own session cannot hold up the end of its task") {
  Runners real;
  const auto before = real.loop.clock->steady_now();
  const auto outcome = real.run(real.shell("setsid sleep 300 & echo $!"));
  CHECK(outcome.ok);
  CHECK(real.loop.clock->steady_now() - before < 5s);
  REQUIRE(outcome.result.is_int64());
  CHECK(is_gone_soon(static_cast<int>(outcome.result.as_int64())));
}

TEST_CASE("a task that is stopped takes along what left its group and closed its pipes") {
  Runners real;
  int escaped = 0;
  auto attempt = real.shell(
      "setsid sleep 300 >/dev/null 2>&1 </dev/null 3>&- & echo '{\"pid\":'$!'}' >&3; sleep 300",
      300ms);
  attempt.said = [&](const json::object& said) { escaped = said.at("pid").to_number<int>(); };
  CHECK_FALSE(real.run(std::move(attempt)).ok);
  REQUIRE(escaped > 0);
  CHECK(is_gone_soon(escaped));
}

TEST_CASE("what still runs from before a crash is killed at the start, and nobody else") {
  const Scratch scratch;
  Loop loop;
  const auto start = [&](const std::string& mark) {
    ChildSpec spec;
    spec.argv = {"sleep", "300"};
    spec.workdir = scratch.str();
    spec.containment = Containment::none;
    spec.environment = {{"VIGIL_ATTEMPT", mark}};
    return std::move(Child::start(loop.context.get_executor(), spec).value());
  };
  const auto stop = [](Loop& on, Child& which) -> asio::awaitable<ChildExit> {
    Duration grace = 5s;
    co_return co_await which.stop(*on.clock, grace);
  };
  Child old = start((scratch.path / "work/0123").string());
  Child other = start((scratch.path / "works/0123").string());
  const auto runner = make_process_runner(loop.context.get_executor(), *loop.clock, bin_dir(),
                                          (scratch.path / "work").string(), {});
  CHECK(loop.run(old.wait()).signal == SIGKILL);
  CHECK(is_alive(other.pid()));
  CHECK(loop.run(stop(loop, other)).signal == SIGTERM);
}

TEST_CASE("whatever a task leaves in its directory goes, and nothing behind a link does") {
  Runners real;
  const auto precious = real.scratch.path / "precious";
  fs::create_directories(precious);
  std::ofstream(precious / "file") << "keep";
  const auto outcome = real.run(real.shell(
      "ln -s " + precious.string() + " link; mkdir -p a/b/c; echo x > a/b/c/f; ln -s " +
      precious.string() +
      " a/b/link; mkdir locked; echo x > locked/f; chmod 0 locked; mkfifo pipe; "
      "d=deep; i=0; while [ $i -lt 300 ]; do mkdir $d; cd $d; d=d; i=$((i+1)); done; echo x > f"));
  CHECK(outcome.ok);
  CHECK(real.workdirs_are_gone());
  CHECK(fs::exists(precious / "file"));
}

TEST_CASE("what a crash left in the work directory is removed first, and only that") {
  const Scratch scratch;
  fs::create_directories(scratch.path / "work/task-0123/a/b");
  fs::create_directories(scratch.path / "work/other");
  std::ofstream(scratch.path / "work/task-0123/a/b/f") << "x";
  Loop loop;
  const auto runner = make_process_runner(loop.context.get_executor(), *loop.clock, bin_dir(),
                                          (scratch.path / "work").string(), {});
  CHECK_FALSE(fs::exists(scratch.path / "work/task-0123"));
  CHECK(fs::exists(scratch.path / "work/other"));
}

TEST_CASE("200 runs leave no descriptor and no process behind") {
  Runners real;
  CHECK(real.run(real.attempt({"true"})).ok);
  const int before = open_descriptors();
  for (int i = 0; i < 200; ++i) {
    const auto outcome = real.run(i % 3 == 0   ? real.attempt({"missing-program"})
                                  : i % 3 == 1 ? real.shell("echo x; exit 1")
                                               : real.attempt({"true"}));
    CHECK(outcome.ok == (i % 3 == 2));
  }
  CHECK(open_descriptors() == before);
  CHECK(own_children() == 0);
  CHECK(real.workdirs_are_gone());
}

namespace {

class NoCheckpoints final : public Checkpoints {
 public:
  asio::awaitable<void> started(SwarmId, std::string, int, std::int64_t) override { co_return; }
  asio::awaitable<void> ended(SwarmId, TaskOutcome, std::int64_t) override { co_return; }
};

}  // namespace

TEST_CASE("the engine runs a plan of real processes, strictly contained") {
  Runners real;
  NoCheckpoints checkpoints;
  EngineLimits limits;
  limits.slots = 2;
  Engine engine(real.loop.context.get_executor(), *real.loop.clock, *real.runner, checkpoints,
                limits);
  Run run;
  run.id = SwarmId{1};
  run.owner = "tests";
  Task left;
  left.name = "left";
  left.argv = {"/bin/sh", "-c", "echo '{\"interface\":20}' >&3; echo 20"};
  Task right = left;
  right.name = "right";
  right.argv = {"/bin/sh", "-c", "echo 22"};
  Task join;
  join.name = "join";
  join.needs = {"left", "right"};
  join.argv = {"python3", "-c",
               "import json,sys; print(sum(json.load(sys.stdin)['inputs'].values()))"};
  run.plan.tasks = {left, right, join};
  run.plan.result_of = "join";
  const Report report = real.loop.run(engine.run(std::move(run)));
  CHECK_MESSAGE(report.ok, report.error);
  CHECK(report.result == json::value(42));
  CHECK(report.wall > 0s);
  CHECK(real.workdirs_are_gone());
}

TEST_CASE("hundreds of children side by side all end well and at once") {
  // Descriptors are closed and reused all the time here, which is when Asio may call one ready
  // because of another; a child must not seem late or ended for that.
  Runners real;
  NoCheckpoints checkpoints;
  EngineLimits limits;
  limits.slots = 8;
  Engine engine(real.loop.context.get_executor(), *real.loop.clock, *real.runner, checkpoints,
                limits);
  Run run;
  for (int i = 0; i < 400; ++i) {
    Task task;
    task.name = "t" + std::to_string(i);
    task.argv = {"/bin/true"};
    task.containment = Containment::none;
    run.plan.tasks.push_back(task);
  }
  const Report report = real.loop.run(engine.run(std::move(run)));
  CHECK_MESSAGE(report.ok, report.error);
  CHECK(report.attempts == 400);
  CHECK(own_children() == 0);
}

TEST_CASE(
    "a directory is used again by tasks without containment alone, and only when it is empty") {
  Runners real;
  const auto where = [&](Containment containment, const std::string& script) {
    auto attempt = real.shell(script + "; pwd");
    attempt.task.containment = containment;
    const auto outcome = real.run(std::move(attempt));
    return outcome.result.is_string() ? std::string(outcome.result.as_string()) : "";
  };
  const auto first = where(Containment::none, "true");
  CHECK(where(Containment::strict, "true") != first);
  CHECK(where(Containment::none, "echo left > behind") == first);
  CHECK_FALSE(fs::exists(first));
  const auto second = where(Containment::none, "chmod 755 .");
  CHECK(second != first);
  CHECK(where(Containment::none, "stat -c %a .") == "700\n" + second);
}
