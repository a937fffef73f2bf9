// Failures that end the process: each is tried in a child.
#include "core/vital.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <new>

#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"

namespace vigil {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> fails_with(std::function<void()> how) {
  how();
  co_return;
}

// How a child ends that does this and nothing else: its exit code, or the signal, negative.
int end_of(const std::function<void(asio::io_context&, TaskGroup&)>& doing) {
  const auto child = ::fork();
  if (child == 0) {
    ::signal(SIGABRT, SIG_DFL);  // which the test program hears itself
    set_log_level(LogLevel::off);
    asio::io_context loop{1};
    TaskGroup group(loop.get_executor());
    doing(loop, group);
    loop.run();
    ::_exit(7);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("work that nothing goes on without ends the process when it fails, other work does not") {
  const auto no_memory = [] { throw std::bad_alloc(); };
  CHECK(end_of([&](auto&, TaskGroup& group) {
          group.spawn("router", [&] { return vital("router", fails_with(no_memory)); });
        }) == -SIGABRT);
  CHECK(end_of([&](auto&, TaskGroup& group) {
          group.spawn("router", [&] { return fails_with(no_memory); });
        }) == 7);
  CHECK(end_of([&](auto&, TaskGroup& group) {
          group.spawn("router", [] { return vital("router", fails_with([] {})); });
        }) == 7);
}

TEST_CASE("a cancellation is no failure of it") {
  CHECK(end_of([](asio::io_context& loop, TaskGroup& group) {
          Bell never(loop.get_executor());
          group.spawn("router", [&never] { return vital("router", never.wait()); });
          loop.poll();
          group.cancel();
          loop.restart();
          loop.run();
        }) == 7);
}

}  // namespace vigil
