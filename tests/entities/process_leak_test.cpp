// What is left of children that come and go: nothing.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "tests/entities/process_world.hpp"

using namespace vigil;
using namespace std::chrono_literals;
using World = vigil::testing::ProcessWorld;

namespace {

std::size_t open_descriptors() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

// Children of this program that nobody waited for, running or not.
bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

// The daemon's log goes to standard error: into a file, for a while.
class KeptLog {
 public:
  explicit KeptLog(std::filesystem::path path) : path_(std::move(path)), before_(::dup(2)) {
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE(::dup2(file, 2) == 2);
    ::close(file);
  }
  ~KeptLog() { end(); }
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;
  std::string end() {
    if (before_ < 0) return {};
    ::dup2(before_, 2);
    ::close(std::exchange(before_, -1));
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path path_;
  int before_;
};

}  // namespace

TEST_CASE("a crowd of short-lived children does not fill the log") {
  World world("");
  world.settings.argv = {"/bin/sh", "-c", "read question; echo gone >&2; exit 3"};
  KeptLog log(world.file("log"));
  for (int turn = 0; turn < 60; ++turn) (void)world.ask("a");
  std::istringstream lines(log.end());
  int told = 0;
  for (std::string line; std::getline(lines, line);) told += line.ends_with("\"gone\"") ? 1 : 0;
  CHECK(told >= 20);
  CHECK(told <= 40);  // 20 a minute, and a minute may begin meanwhile
}

TEST_CASE("after fifty children there is none left, and no descriptor of theirs") {
  REQUIRE_FALSE(has_children());
  World world("");
  world.settings.argv = {"/bin/sh", "-c", "read question; echo gone >&2; exit 3"};
  const auto first = world.ask("a");  // what a loop opens once is open now
  REQUIRE_FALSE(first.has_value());
  CHECK(first.error().message.find("exit code 3") != std::string::npos);
  CHECK(first.error().message.find("gone") != std::string::npos);
  CHECK_FALSE(has_children());
  const auto before = open_descriptors();
  for (int turn = 0; turn < 50; ++turn) CHECK_FALSE(world.ask("a").has_value());
  CHECK(open_descriptors() == before);
  CHECK_FALSE(has_children());
}

TEST_CASE("a caller may give up at any moment of a question") {
  const auto before = open_descriptors();
  for (const char* program :
       {"exec cat", "read question; exit 3", "read question; echo '{\"id\":1}'"}) {
    CAPTURE(program);
    // One turn of the loop more each time, until the question is over before it is given up.
    for (int turns = 0, finished = 0; finished < 3; ++turns) {
      CAPTURE(turns);
      World world("", 20s);
      world.settings.argv = {"/bin/sh", "-c", program};
      Result<entities::Decision> out;
      TaskGroup group(world.loop.get_executor());
      world.ask_in(group, World::wake("a"), out);
      for (int turn = 0; turn < turns && group.size() > 0; ++turn) {
        world.loop.restart();
        world.loop.run_one_for(1s);
      }
      finished += group.size() == 0 ? 1 : 0;
      group.cancel();
      world.until([&] { return group.size() == 0; });
      world.stop();
    }
    CHECK_FALSE(has_children());
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("whoever asks behind one that gave up is answered, at whatever moment that was") {
  for (int turns = 0, finished = 0; finished < 3; ++turns) {
    CAPTURE(turns);
    World world("", 20s);
    // Answers with the id it read: {"id":1,"wake":...
    world.settings.argv = {"/bin/sh", "-c",
                           "while read -r q; do id=${q#*:}; id=${id%%,*}; "
                           "printf '{\"id\":%s,\"why\":\"asked\"}\\n' $id; done"};
    Result<entities::Decision> first;
    Result<entities::Decision> second;
    TaskGroup giving_up(world.loop.get_executor());
    TaskGroup patient(world.loop.get_executor());
    world.ask_in(giving_up, World::wake("a"), first);
    world.ask_in(patient, World::wake("b"), second);
    for (int turn = 0; turn < turns && giving_up.size() > 0; ++turn) {
      world.loop.restart();
      world.loop.run_one_for(1s);
    }
    finished += giving_up.size() == 0 ? 1 : 0;
    giving_up.cancel();
    world.until([&] { return giving_up.size() + patient.size() == 0; });
    REQUIRE_MESSAGE(second.has_value(), second.error().message);
    CHECK(second->why == "asked");
    world.stop();
  }
  CHECK_FALSE(has_children());
}

TEST_CASE("an entity may be stopped at any moment of a question") {
  const auto before = open_descriptors();
  for (int turns = 0, finished = 0; finished < 3; ++turns) {
    CAPTURE(turns);
    World world("", 20s);
    world.settings.argv = {"/bin/sh", "-c", "read -r q; echo '{\"id\":1,\"why\":\"asked\"}'"};
    std::vector<Result<entities::Decision>> answers(3);
    TaskGroup group(world.loop.get_executor());
    for (auto& answer : answers) world.ask_in(group, World::wake("a"), answer);
    for (int turn = 0; turn < turns && group.size() == 3; ++turn) {
      world.loop.restart();
      world.loop.run_one_for(1s);
    }
    finished += group.size() < 3 ? 1 : 0;
    world.stop();
    world.until([&] { return group.size() == 0; });
    for (const auto& answer : answers) {
      if (!answer) CHECK_FALSE(answer.error().message.empty());
    }
  }
  CHECK(open_descriptors() == before);
  CHECK_FALSE(has_children());
}
