#include "swarm/child.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include "tests/swarm/children.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

ChildSpec spec_of(const Scratch& scratch, std::vector<std::string> argv) {
  ChildSpec spec;
  spec.argv = std::move(argv);
  spec.workdir = scratch.str();
  spec.containment = Containment::none;
  return spec;
}

ChildSpec shell(const Scratch& scratch, std::string script) {
  return spec_of(scratch, {"/bin/sh", "-c", std::move(script)});
}

asio::awaitable<std::string> read_line(Child& child) {
  std::string text;
  while (text.find('\n') == std::string::npos) {
    std::string more = co_await child.read_output();
    if (more.empty()) break;
    text += more;
  }
  co_return text;
}

struct Heard {
  std::string output;
  std::string errors;
  ChildExit exit;
};

asio::awaitable<Heard> hear_all(Child child, std::string input) {
  Heard heard;
  co_await child.write(std::move(input));
  child.close_input();
  while (true) {
    std::string more = co_await child.read_output();
    if (more.empty()) break;
    heard.output += more;
  }
  while (true) {
    std::string more = co_await child.read_errors();
    if (more.empty()) break;
    heard.errors += more;
  }
  ChildExit exit = co_await child.wait();
  heard.exit = exit;
  co_return heard;
}

Heard run(const ChildSpec& spec, std::string input = "") {
  Loop loop;
  auto started = Child::start(loop.context.get_executor(), spec);
  REQUIRE(started);
  return loop.run(hear_all(std::move(*started), std::move(input)));
}

}  // namespace

TEST_CASE("a child gets its input and is heard to the end") {
  const Scratch scratch;
  const auto heard = run(shell(scratch, "cat; echo complaint >&2; exit 3"), "hello\n");
  CHECK(heard.output == "hello\n");
  CHECK(heard.errors == "complaint\n");
  CHECK(heard.exit.code == 3);
  CHECK(heard.exit.signal == 0);
}

TEST_CASE("a child that a signal ended says which") {
  const Scratch scratch;
  const auto heard = run(shell(scratch, "kill -USR1 $$"));
  CHECK(heard.exit.code == -1);
  CHECK(heard.exit.signal == SIGUSR1);
}

TEST_CASE("a child that does not read its input is no error") {
  const Scratch scratch;
  CHECK(run(shell(scratch, "exec 0<&-; echo done"), std::string(1 << 20, 'x')).exit.ok());
}

TEST_CASE("a child has a clean environment, its directory, and four descriptors") {
  const Scratch scratch;
  ::setenv("VIGIL_TEST_SECRET", "swordfish", 1);
  auto spec = shell(scratch, "env; pwd; ls /proc/self/fd | wc -l; umask");
  spec.environment = {{"MINE", "yes"}, {"LANG", "C"}};
  const auto heard = run(spec);
  CHECK_FALSE(has(heard.output, "swordfish"));
  CHECK(has(heard.output, "MINE=yes\n"));
  CHECK(has(heard.output, "LANG=C\n"));
  CHECK_FALSE(has(heard.output, "LANG=C.UTF-8"));
  CHECK(has(heard.output, "HOME=" + scratch.str() + "\n"));
  CHECK(has(heard.output, "VIGIL_CONTROL_FD=3\n"));
  CHECK(has(heard.output, "\n" + scratch.str() + "\n"));
  CHECK(has(heard.output, "\n5\n"));  // 0 to 3, and the one ls opens
  CHECK(has(heard.output, "0077\n"));
}

TEST_CASE("a child leads its own process group and has default signal handlers") {
  const Scratch scratch;
  const auto group = run(shell(scratch, "ps -o pgid= -p $$ | tr -d ' '; echo $$")).output;
  const auto newline = group.find('\n');
  CHECK(group.substr(0, newline + 1) == group.substr(newline + 1));
  // Not from a shell, which blocks signals of its own accord.
  const auto signals = run(spec_of(scratch, {"grep", "Sig", "/proc/self/status"})).output;
  CAPTURE(signals);
  CHECK(has(signals, "SigBlk:\t0000000000000000"));
  // Signals 32 and 33 belong to the C library, which keeps them from us.
  const bool is_default =
      has(signals, "SigIgn:\t0000000000000000") || has(signals, "SigIgn:\t0000000180000000");
  CHECK(is_default);
}

TEST_CASE("what cannot start is an error, or the child says why") {
  const Scratch scratch;
  asio::io_context context;
  auto lost = shell(scratch, "true");
  lost.workdir = scratch.str() + "/missing";
  const auto no_directory = Child::start(context.get_executor(), lost);
  REQUIRE_FALSE(no_directory);
  CHECK(has(no_directory.error().message, "does not exist"));
  auto no_cage = shell(scratch, "true");
  no_cage.containment = Containment::strict;
  no_cage.read_paths = {"/no/such/path"};
  const auto uncontained = Child::start(context.get_executor(), no_cage);
  REQUIRE_FALSE(uncontained);
  CHECK(has(uncontained.error().message, "/no/such/path"));
  CHECK_FALSE(Child::start(context.get_executor(), spec_of(scratch, {})));
  const auto missing = run(spec_of(scratch, {"no-such-program-here"}));
  CHECK(missing.exit.code == 127);
  CHECK(has(missing.errors, "vigil-exec: cannot execute no-such-program-here"));
  const auto plain = run(spec_of(scratch, {"/etc/passwd"}));
  CHECK(plain.exit.code == 126);
}

TEST_CASE("a child that ignores TERM is killed after the grace") {
  const Scratch scratch;
  Loop loop;
  auto child = Child::start(loop.context.get_executor(),
                            shell(scratch, "trap '' TERM; echo ready; while :; do sleep 1; done"));
  REQUIRE(child);
  const auto stop = [](Loop& on, Child& which) -> asio::awaitable<ChildExit> {
    std::string line = co_await read_line(which);
    CHECK(line == "ready\n");
    Duration grace = 100ms;
    ChildExit exit = co_await which.stop(*on.clock, grace);
    co_return exit;
  };
  const auto before = loop.clock->steady_now();
  const ChildExit exit = loop.run(stop(loop, *child));
  CHECK(exit.signal == SIGKILL);
  CHECK(loop.clock->steady_now() - before >= 100ms);
  CHECK(own_children() == 0);
}

TEST_CASE("a child cannot leave its process group, and has no terminal to ask at") {
  const Scratch scratch;
  const auto heard = run(spec_of(
      scratch, {"python3", "-c",
                "import os\n"
                "for leave in (lambda: os.setpgid(0, os.getpgid(os.getppid())), os.setsid,\n"
                "              lambda: open('/dev/tty')):\n"
                "  try:\n    leave()\n    print('left')\n"
                "  except OSError as error:\n    print(type(error).__name__)\n"}));
  CHECK(has(heard.output, "PermissionError\nPermissionError\n"));
  CHECK_FALSE(has(heard.output, "left"));
}

TEST_CASE("a child that obeys TERM is not kept waiting") {
  const Scratch scratch;
  Loop loop;
  auto child = Child::start(loop.context.get_executor(),
                            shell(scratch, "trap 'exit 9' TERM; echo ready; sleep 60 & wait"));
  REQUIRE(child);
  const auto stop = [](Loop& on, Child& which) -> asio::awaitable<ChildExit> {
    std::string line = co_await read_line(which);
    CHECK(line == "ready\n");
    Duration grace = 30s;
    ChildExit exit = co_await which.stop(*on.clock, grace);
    co_return exit;
  };
  CHECK(loop.run(stop(loop, *child)).code == 9);
}

TEST_CASE("the grandchildren of a child that ended die with it") {
  const Scratch scratch;
  const auto heard = run(shell(scratch, "sleep 300 >/dev/null 2>&1 3>&- & echo $!"));
  const int grandchild = std::stoi(heard.output);
  CHECK(is_gone_soon(grandchild));
}

TEST_CASE("dropping a child kills its group and reaps it in the background") {
  const Scratch scratch;
  Loop loop;
  int pid = 0;
  {
    auto child = Child::start(loop.context.get_executor(), shell(scratch, "sleep 300"));
    REQUIRE(child);
    pid = child->pid();
    CHECK(is_alive(pid));
    Child moved = std::move(*child);
    CHECK(moved.pid() == pid);
  }
  loop.context.run();
  CHECK_FALSE(is_alive(pid));
  CHECK(own_children() == 0);
}

TEST_CASE("a child dies when its parent does") {
  const Scratch scratch;
  // The shell in the middle starts the launcher, says its number, and is killed.
  const auto heard = run(
      shell(scratch, launcher + " --profile none --parent $$ -- sleep 300 >/dev/null 2>&1 3>&- & "
                                "echo $!; kill -KILL $$"));
  CHECK(heard.exit.signal == SIGKILL);
  const int orphan = std::stoi(heard.output);
  CHECK(is_gone_soon(orphan));
}

TEST_CASE("limits of memory, file size and processor time hold") {
  const Scratch scratch;
  auto files = shell(scratch, "trap '' XFSZ; head -c 3000000 /dev/zero > big; stat -c %s big");
  files.file_bytes_max = 1'000'000;
  CHECK(has(run(files).output, "1000000"));
  auto memory =
      spec_of(scratch, {"python3", "-c", "x = bytearray(400 * 1024 * 1024); print('got')"});
  memory.memory_bytes_max = 200 * 1024 * 1024;
  CHECK_FALSE(has(run(memory).output, "got"));
  auto cpu = shell(scratch, "while :; do :; done");
  cpu.cpu_max = 1s;
  CHECK(run(cpu).exit.signal == SIGXCPU);
}
