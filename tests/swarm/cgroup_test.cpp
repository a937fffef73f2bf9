// Tasks in control groups of their own: here root plays the service manager.
#include "swarm/cgroup.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <csignal>

#include "tests/swarm/children.hpp"

namespace vigil::swarm {
namespace {

using namespace testing;

void join(const std::string& group) {
  std::ofstream(group + "/cgroup.procs") << ::getpid() << "\n";
}

// A control group that is delegated to this process, which is in it; what was before, at the end.
struct Delegated {
  Delegated() {
    for (const std::string mount : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
      if (::access((mount + "/cgroup.procs").c_str(), W_OK) != 0) continue;
      root = mount;
      path = mount + "/vigil-test-" + random_hex(6);
      if (::mkdir(path.c_str(), 0755) != 0) continue;
      is_there = ::access((path + "/cgroup.kill").c_str(), W_OK) == 0;
      if (is_there) {
        join(path);
        return;
      }
      ::rmdir(path.c_str());
    }
  }
  ~Delegated() {
    if (!is_there) return;
    join(root);
    ::rmdir(path.c_str());
  }
  void mark() const { REQUIRE(::setxattr(path.c_str(), "user.delegate", "1", 1, 0) == 0); }
  int groups() const {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(path)) count += entry.is_directory() ? 1 : 0;
    return count;
  }
  std::string root;
  std::string path;
  bool is_there = false;
};

// It is out of the task's session, and so out of reach of a signal to that, before the task ends.
const char* const leaves =
    "setsid sleep 300 >/dev/null 2>&1 </dev/null 3>&- & "
    "until [ \"$(cut -d' ' -f6 /proc/$!/stat)\" = $! ]; do :; done; echo $!";

int left_by(Runners& real) {
  const auto outcome = real.run(real.shell(leaves));
  REQUIRE_MESSAGE(outcome.ok, outcome.error);
  return static_cast<int>(outcome.result.as_int64());
}

}  // namespace

TEST_CASE("in a delegated control group a task that ended well takes along whatever it started") {
  const Delegated delegated;
  if (!delegated.is_there) {
    MESSAGE("skipped: no control group can be made here");
    return;
  }
  {
    Runners undelegated;  // the group is not marked as ours
    const int escaped = left_by(undelegated);
    CHECK(is_alive(escaped));
    ::kill(escaped, SIGKILL);
    CHECK(delegated.groups() == 0);
  }
  delegated.mark();
  Runners real;
  CHECK(is_gone_soon(left_by(real)));
  auto contained = real.shell("echo 7");
  contained.task.containment = Containment::strict;
  CHECK(real.run(std::move(contained)).result == 7);
  CHECK(real.run(real.shell("sleep 300", 200ms)).ok == false);
  CHECK(real.run(real.shell("cat /proc/self/cgroup")).ok);
  // Those that were killed last may still be on their way out.
  CHECK(delegated.groups() <= 2);
  CHECK(CgroupPlace::find().has_value());
}

TEST_CASE("what an earlier daemon left in its control groups is killed") {
  const Delegated delegated;
  if (!delegated.is_there) {
    MESSAGE("skipped: no control group can be made here");
    return;
  }
  delegated.mark();
  const auto group = delegated.path + "/vigil-task-old";
  REQUIRE(::mkdir(group.c_str(), 0755) == 0);
  const int stray = ::fork();
  if (stray == 0) {
    ::pause();
    ::_exit(0);
  }
  std::ofstream(group + "/cgroup.procs") << stray << "\n";
  CHECK(CgroupPlace::find().has_value());
  CHECK(is_gone_soon(stray));
  ::waitpid(stray, nullptr, 0);
  ::rmdir(group.c_str());
}

}  // namespace vigil::swarm
