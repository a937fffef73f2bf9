#pragma once
// Real children for tests: a loop with the system's clock, a scratch directory, a look at the
// process table.
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>

#include "core/clock.hpp"
#include "core/digest.hpp"
#include "swarm/child.hpp"
#include "swarm/process_runner.hpp"
#include "tests/support/places.hpp"

namespace vigil::swarm::testing {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

inline const std::string launcher = bin_dir() + "/vigil-exec";

inline int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// Processes whose parent we are and that are dead but not reaped, or alive.
inline int own_children() {
  std::ifstream list("/proc/self/task/" + std::to_string(::gettid()) + "/children");
  return static_cast<int>(
      std::distance(std::istream_iterator<int>(list), std::istream_iterator<int>()));
}

inline bool is_alive(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
  std::string ignored;
  std::string state;
  status >> ignored >> ignored >> state;
  return status && state != "Z" && state != "X";
}

// Waits for the end of a process that is not our child, at most ten seconds.
inline bool is_gone_soon(int pid) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return true;
  pollfd end{pidfd, POLLIN, 0};
  ::poll(&end, 1, 10'000);
  ::close(pidfd);
  return !is_alive(pid);
}

struct Scratch {
  Scratch() : path(fs::temp_directory_path() / ("vigil-swarm-test-" + random_hex(6))) {
    fs::create_directories(path);
  }
  ~Scratch() { fs::remove_all(path); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string str() const { return path.string(); }
  fs::path path;
};

struct Loop {
  // Runs it to its end and gives what it returned; throws what it threw.
  template <class T>
  T run(asio::awaitable<T> work) {
    std::optional<T> value;
    std::exception_ptr thrown;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr error, T result) {
      thrown = error;
      if (!error) value = std::move(result);
    });
    context.restart();
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    return std::move(value.value());
  }
  asio::io_context context{1};
  std::unique_ptr<Clock> clock = make_system_clock();
};

struct Runners {
  explicit Runners(ProcessLimits limits = {})
      : runner(make_process_runner(loop.context.get_executor(), *loop.clock, bin_dir(),
                                   (scratch.path / "work").string(), limits)) {}

  Attempt attempt(std::vector<std::string> argv, Duration timeout = 20s) {
    Attempt made;
    made.task.name = "t";
    made.task.argv = std::move(argv);
    made.task.containment = Containment::none;
    made.deadline = loop.clock->now() + timeout;
    made.grace = 200ms;
    return made;
  }
  Attempt shell(std::string script, Duration timeout = 20s) {
    return attempt({"/bin/sh", "-c", std::move(script)}, timeout);
  }
  AttemptOutcome run(Attempt made) { return loop.run(runner->run(std::move(made))); }
  // Those of tasks without containment may be kept for the next, if they are empty.
  bool workdirs_are_gone() const {
    for (const auto& entry : fs::directory_iterator(scratch.path / "work")) {
      if (!fs::is_empty(entry)) return false;
    }
    return true;
  }

  Scratch scratch;
  Loop loop;
  std::unique_ptr<Runner> runner;
};

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace vigil::swarm::testing
