#pragma once
// One child process: started and contained by launch.hpp, heard through pipes, its end
// learned through a pidfd. Loop thread only. docs/style.md part 8 says why each step is as it is.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/plan.hpp"

namespace vigil::swarm {

struct ChildSpec {
  std::vector<std::string> argv;                                 // argv[0] is looked up in PATH
  std::vector<std::pair<std::string, std::string>> environment;  // beside PATH, LANG, HOME=workdir
  std::string workdir;                                           // must exist
  Containment containment = Containment::strict;
  std::vector<std::string> read_paths;
  std::vector<std::string> write_paths;  // workdir is writable anyway
  std::size_t memory_bytes_max = 0;      // 0: no limit
  std::size_t file_bytes_max = std::size_t{1} << 30;
  Duration cpu_max{0};  // 0: no limit
  int cgroup = -1;      // of a control group that it joins (cgroup.hpp); -1: that of the daemon
};

struct ChildExit {
  int code = -1;  // -1 when a signal ended it
  int signal = 0;
  bool ok() const { return code == 0; }
};

enum class Voice { output, errors, control };

class Child {
 public:
  // Containment that cannot be set up is an error here; a program that cannot be executed is exit
  // 126 or 127 with the reason on standard error.
  static Result<Child> start(boost::asio::any_io_executor executor, const ChildSpec& spec);
  Child(Child&&) noexcept;
  Child& operator=(Child&&) noexcept;
  ~Child();  // kills the group if it was not waited for, and reaps it in the background

  int pid() const;
  // Writes all of it; a child that stopped reading is no error (EPIPE is swallowed).
  boost::asio::awaitable<void> write(std::string bytes);
  void close_input();
  // The whole input of a child that was given none yet, without waiting, if it is short enough for
  // any pipe; then closes it. False when it is too long: nothing was written.
  bool write_at_once(std::string_view bytes);
  // The next bytes of standard output or error; empty at the end. One reader each.
  boost::asio::awaitable<std::string> read_output();
  boost::asio::awaitable<std::string> read_errors();
  // The same for what it writes to the descriptor in $VIGIL_CONTROL_FD.
  boost::asio::awaitable<std::string> read_control();
  // Instead of reading: calls `heard` with the bytes as they come, and with none once at the end.
  void listen(Voice voice, std::function<void(std::string_view)> heard);
  // What is there already is heard now: of a child that ended, usually all.
  void hear_rest();
  // Closes the three: nothing is heard any more.
  void hush();
  // Returns when it has ended and is reaped; then whatever is left of its process group is killed.
  boost::asio::awaitable<ChildExit> wait();
  // TERM to the group, `grace`, KILL to the group, reap. Completes even when cancelled meanwhile
  // (whoever is cancelled already resets its cancellation state before calling). Not while another
  // wait() is going on.
  boost::asio::awaitable<ChildExit> stop(Clock& clock, Duration grace);

 private:
  struct State;
  explicit Child(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vigil::swarm
