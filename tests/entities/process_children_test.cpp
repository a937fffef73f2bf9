// Children of process entities that do what real programs do: start slowly, die between questions,
// talk too much, leave things behind.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>

#include "tests/entities/process_world.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace std::chrono_literals;
using World = vigil::testing::ProcessWorld;

namespace {

// Answers with what it was told; `kind` is the event's type, `here` its own directory.
constexpr const char* obliging = R"(
import json, os, subprocess, sys, time
here = os.path.dirname(os.path.abspath(sys.argv[0]))
def note(name, text):
    with open(os.path.join(here, name), "a") as file: file.write(text)
note("started", "s")
note("cwd", os.getcwd())
questions = 0
while True:
    line = sys.stdin.readline()
    if not line: break
    asked = json.loads(line)
    event = asked["wake"]["events"][0]
    kind = event["type"]
    questions += 1
    note("order", kind + " ")
    def answer(**more):
        print(json.dumps({"id": asked["id"], "why": kind, **more}), flush=True)
    if kind == "last": answer(); sys.exit(0)
    elif kind == "count": answer(state={"questions": questions, "pid": os.getpid()})
    elif kind == "die": print("NameError: name 'x' is not defined", file=sys.stderr); sys.exit(3)
    elif kind == "kill": os.kill(os.getpid(), 11)
    elif kind == "hang":
        note("hangs", "h")
        while True: time.sleep(60)
    elif kind == "endless":
        while True: sys.stdout.write("x" * 65536)
    elif kind == "many": print("{}\n" * 5); answer()
    elif kind == "complain":
        for n in range(20000): print("complaint", n, file=sys.stderr)
        answer()
    elif kind == "size": answer(state={"n": len(event["data"]["text"])})
    elif kind == "large": answer(documents=[{"key": "k", "body": "y" * (4 << 20)}])
    elif kind == "leave":
        child = subprocess.Popen(["sleep", "617"], start_new_session=False)
        note("left", str(child.pid)); sys.exit(1)
    elif kind == "late-id": print(json.dumps({"why": "no id"}), flush=True)
    else: answer()
note("ended", "e")
)";

bool says(const Result<Decision>& answer, std::string_view part) {
  return !answer && answer.error().message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a child is started by the first question and stays for the next") {
  World world(obliging);
  (void)world.host();
  world.loop.poll();
  CHECK_FALSE(std::filesystem::exists(world.file("started")));
  const auto first = world.ask("count");
  const auto second = world.ask("count");
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK(second->state->at("questions").as_int64() == 2);
  CHECK(first->state->at("pid") == second->state->at("pid"));
  CHECK(world.content("started") == "s");
}

TEST_CASE("callers are answered in the order they came, each with its own answer") {
  World world(obliging);
  std::vector<Result<Decision>> answers(8);
  TaskGroup group(world.loop.get_executor());
  for (std::size_t n = 0; n < answers.size(); ++n) {
    world.ask_in(group, World::wake("q" + std::to_string(n)), answers[n]);
  }
  world.until([&] { return group.size() == 0; });
  for (std::size_t n = 0; n < answers.size(); ++n) {
    REQUIRE_MESSAGE(answers[n].has_value(), answers[n].error().message);
    CHECK(answers[n]->why == "q" + std::to_string(n));
  }
  CHECK(world.content("order") == "q0 q1 q2 q3 q4 q5 q6 q7 ");
}

TEST_CASE("a caller that gives up neither blocks the others nor leaves its answer to them") {
  World world(obliging);
  Result<Decision> hanging;
  Result<Decision> queued;
  Result<Decision> kept;
  TaskGroup givers(world.loop.get_executor());
  TaskGroup keepers(world.loop.get_executor());
  world.ask_in(givers, World::wake("hang"), hanging);
  world.until([&] { return std::filesystem::exists(world.file("hangs")); });
  world.ask_in(givers, World::wake("given-up"), queued);
  world.ask_in(keepers, World::wake("kept"), kept);
  world.loop.poll();
  givers.cancel();
  world.until([&] { return givers.size() + keepers.size() == 0; });
  REQUIRE_MESSAGE(kept.has_value(), kept.error().message);
  CHECK(kept->why == "kept");
  CHECK(world.content("order") == "hang kept ");
  CHECK(world.content("started") == "ss");
}

TEST_CASE("a child that ended between questions is no failure") {
  World world(obliging, 10s, 5min);
  CHECK(world.ask("last").has_value());
  const auto next = world.ask("count");
  REQUIRE_MESSAGE(next.has_value(), next.error().message);
  CHECK(next->state->at("questions").as_int64() == 1);
  const auto pid = next->state->at("pid").to_number<int>();
  REQUIRE(::kill(pid, SIGKILL) == 0);
  world.until([&] { return ::kill(pid, 0) != 0; });  // it is reaped while nobody asks
  CHECK(world.ask("count").has_value());
  CHECK(world.content("started") == "sss");
}

TEST_CASE("how a child ended is told, with its last words") {
  World world(obliging);
  CHECK(says(world.ask("die"), "exit code 3"));
  CHECK(says(world.ask("die"), "NameError: name 'x' is not defined"));
  CHECK(says(world.ask("kill"), "signal 11"));
  CHECK(world.ask("fine").has_value());
}

TEST_CASE("a program that cannot be started says so") {
  World world(obliging);
  world.settings.argv = {"/no/such/program"};
  CHECK(says(world.ask("a"), "/no/such/program"));
  World other(obliging);
  other.settings.workdir = "/no/such/directory";
  CHECK(says(other.ask("a"), "/no/such/directory"));
}

TEST_CASE("after a failure the next question waits for the restart, if that is soon") {
  World world(obliging, 5s, 300ms);
  CHECK_FALSE(world.ask("die").has_value());
  const auto begun = std::chrono::steady_clock::now();
  CHECK(world.ask("fine").has_value());
  CHECK(std::chrono::steady_clock::now() - begun >= 250ms);
  World patient(obliging, 2s, 5min);
  CHECK_FALSE(patient.ask("die").has_value());
  const auto refused = patient.ask("fine");
  CHECK(says(refused, "started again in"));
  CHECK(refused.error().code == ErrorCode::unavailable);
}

TEST_CASE("other settings of the same child hold from the next question on") {
  World world(obliging, 5s, 5min);
  const auto first = world.ask("count");
  REQUIRE(first.has_value());
  auto settings = world.settings;
  settings.timeout = 300ms;
  CHECK(world.host().adopt(settings));
  const auto second = world.ask("count");
  REQUIRE(second.has_value());
  CHECK(first->state->at("pid") == second->state->at("pid"));
  CHECK(says(world.ask("hang"), "300ms"));
  settings.restart_backoff = 1ms;
  settings.timeout = 5s;
  CHECK(world.host().adopt(settings));
  CHECK(world.ask("fine").has_value());  // the old backoff would be five minutes
}

TEST_CASE("a child elsewhere, or another one, is not the same child") {
  World world(obliging);
  auto settings = world.settings;
  settings.workdir = "/";
  CHECK_FALSE(world.host().adopt(settings));
  settings = world.settings;
  settings.argv.push_back("more");
  CHECK_FALSE(world.host().adopt(settings));
}

TEST_CASE("questions and answers of megabytes go through") {
  World world(obliging);
  const auto asked = world.ask("size", json::object{{"text", std::string(3 << 20, 'x')}});
  REQUIRE_MESSAGE(asked.has_value(), asked.error().message);
  CHECK(asked->state->at("n").as_int64() == 3 << 20);
  const auto large = world.ask("large");
  REQUIRE_MESSAGE(large.has_value(), large.error().message);
  CHECK(large->documents.at(0).body.size() == 4 << 20);
  const auto refused = world.ask("size", json::object{{"text", std::string(65 << 20, 'x')}});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::too_large);
  CHECK(world.content("started") == "s");  // which was not its fault
}

TEST_CASE("a line without end, more lines than questions and no id are refused") {
  World world(obliging);
  const auto endless = world.ask("endless");
  CHECK(says(endless, "8 MiB"));
  CHECK(endless.error().code == ErrorCode::invalid_input);
  CHECK(says(world.ask("many"), "its id"));
  CHECK(says(world.ask("late-id"), "its id"));
  CHECK(world.ask("fine").has_value());
}

TEST_CASE("a child that complains without end is answered all the same") {
  World world(obliging);
  const auto answer = world.ask("complain");
  CHECK(answer.has_value());
  CHECK(world.ask("complain").has_value());
}

TEST_CASE("what a failed child started is stopped with it") {
  World world(obliging);
  CHECK(says(world.ask("leave"), "exit code 1"));  // at once, though its pipes are still open
  const auto pid = std::stoi(world.content("left"));
  world.until([&] {
    return ::kill(pid, 0) != 0 || !std::filesystem::exists("/proc/" + std::to_string(pid) + "/exe");
  });
}

TEST_CASE("a child that is stopped may finish what it does first") {
  World world(obliging);
  CHECK(world.ask("fine").has_value());
  const auto cwd = world.content("cwd");
  CHECK(std::filesystem::is_directory(cwd));  // a directory of its own
  CHECK(std::filesystem::path(cwd).filename().string().starts_with("vigild-process-"));
  world.stop();
  CHECK(world.content("ended") == "e");
  CHECK_FALSE(std::filesystem::exists(cwd));
  const auto late = world.ask("late");
  CHECK(says(late, "being stopped"));
  CHECK(late.error().code == ErrorCode::unavailable);
}

TEST_CASE("stopping in the middle of a question ends all who wait") {
  World world(obliging, 60s);
  std::vector<Result<Decision>> answers(3);
  TaskGroup group(world.loop.get_executor());
  for (auto& answer : answers) world.ask_in(group, World::wake("hang"), answer);
  world.until([&] { return std::filesystem::exists(world.file("hangs")); });
  world.stop();
  world.until([&] { return group.size() == 0; });
  for (const auto& answer : answers) {
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == ErrorCode::unavailable);
  }
}
