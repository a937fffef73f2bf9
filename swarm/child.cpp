#include "swarm/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <climits>
#include <csignal>
#include <cstring>
#include <functional>
#include <optional>

#include "core/timeout.hpp"
#include "swarm/launch.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

namespace {

constexpr int control_fd = 3;  // in the child
constexpr const char* search_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t read_bytes_max = 64 * 1024;
constexpr int reads_at_once_max = 4;  // the loop has others to hear

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Fd() { reset(-1); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  void reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  int fd_;
};

// One pipe that we read. Whoever waits on it keeps it, so it may outlive its child.
struct Ear {
  explicit Ear(const asio::any_io_executor& executor) : from(executor) {}
  void close() {
    heard = nullptr;
    boost::system::error_code ignored;  // there is nothing left to lose
    from.close(ignored);
  }
  Descriptor from;
  std::function<void(std::string_view)> heard;
};

}  // namespace

struct Child::State {
  State(const asio::any_io_executor& executor, int process)
      : pid(process),
        input(executor),
        output(std::make_shared<Ear>(executor)),
        errors(std::make_shared<Ear>(executor)),
        control(std::make_shared<Ear>(executor)),
        exit(executor) {}
  ~State() { hush(); }

  // The number is ours as long as the leader is not reaped.
  void kill_group(int signal) const {
    if (!ended) ::kill(-pid, signal);
  }
  std::array<std::shared_ptr<Ear>, 3> ears() const { return {output, errors, control}; }
  void hush() const {
    for (const auto& ear : ears()) ear->close();
  }

  int pid;
  Fd unused_input;   // until somebody waits to write
  Descriptor input;  // then
  std::shared_ptr<Ear> output;
  std::shared_ptr<Ear> errors;
  std::shared_ptr<Ear> control;
  Descriptor exit;  // the pidfd
  std::optional<ChildExit> ended;
};

namespace {

struct Pipe {
  Fd read;
  Fd write;
};

std::unexpected<Error> system_failure(std::string_view what, int error) {
  return fail(ErrorCode::unavailable, fmt::format("{}: {}", what, std::strerror(error)));
}

// Keeps the descriptor clear of the numbers the child's own will be moved to.
bool lift(Fd& fd) {
  if (fd.get() > control_fd) return true;
  fd = Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, control_fd + 1));
  return fd.get() >= 0;
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe", errno);
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  if (!lift(pipe.read) || !lift(pipe.write)) return system_failure("cannot move a pipe", errno);
  return pipe;
}

std::vector<std::string> make_environment(const ChildSpec& spec) {
  std::vector<std::pair<std::string, std::string>> all{
      {"PATH", search_path}, {"LANG", "C.UTF-8"}, {"HOME", spec.workdir}, {"TMPDIR", spec.workdir}};
  for (const auto& [name, value] : spec.environment) {
    const auto known =
        std::ranges::find_if(all, [&](const auto& pair) { return pair.first == name; });
    if (known != all.end()) {
      known->second = value;
    } else {
      all.emplace_back(name, value);
    }
  }
  all.emplace_back("VIGIL_CONTROL_FD", fmt::format("{}", control_fd));
  std::vector<std::string> environment;
  for (const auto& [name, value] : all) environment.push_back(name + "=" + value);
  return environment;
}

Result<void> check_spec(const ChildSpec& spec) {
  if (spec.argv.empty() || spec.argv.front().empty()) {
    return fail(ErrorCode::invalid_input, "there is no program to run: argv is empty");
  }
  struct stat status{};
  if (::stat(spec.workdir.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::not_found,
                fmt::format("the work directory {} does not exist: create it", spec.workdir));
  }
  return {};
}

Result<std::optional<Cage>> cage_of(const ChildSpec& spec) {
  if (spec.containment == Containment::none) return std::nullopt;
  Reach reach;
  reach.read_paths = spec.read_paths;
  reach.write_paths = spec.write_paths;
  reach.write_paths.push_back(spec.workdir);
  reach.program = spec.argv.front();
  // What is relative is so to the child's directory, not to ours.
  const bool is_relative = reach.program.front() != '/' && reach.program.contains('/');
  if (is_relative) reach.program = spec.workdir + "/" + reach.program;
  const bool strict = spec.containment == Containment::strict;
  auto cage = Cage::make(strict ? Profile::strict : Profile::net, reach);
  if (!cage) return std::unexpected(cage.error());
  return std::move(*cage);
}

Result<int> begin(const ChildSpec& spec, const std::array<int, 4>& fds) {
  auto cage = cage_of(spec);
  if (!cage) return std::unexpected(cage.error());
  Launch how;
  how.argv = spec.argv;
  how.environment = make_environment(spec);
  how.path = search_path;
  for (const auto& [name, value] : spec.environment) {
    if (name == "PATH") how.path = value;
  }
  how.workdir = spec.workdir;
  how.fds = fds;
  how.memory_bytes_max = spec.memory_bytes_max;
  how.file_bytes_max = spec.file_bytes_max;
  const auto cpu = std::chrono::ceil<std::chrono::seconds>(spec.cpu_max);
  how.cpu_seconds_max = static_cast<std::uint64_t>(cpu.count());
  how.cage = std::move(*cage);
  how.cgroup = spec.cgroup;
  return launch(std::move(how));
}

// A write to a child that is gone must be an error, not the end of the daemon.
void ignore_broken_pipes() {
  struct sigaction now{};
  ::sigaction(SIGPIPE, nullptr, &now);
  if (now.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
}

// What is there now; empty at the end, nothing when there may be more later. Good until the next
// call: one room for all, because only the loop's thread reads, most children say little, and to
// clear so much for each of them costs more than to read it.
std::optional<std::string_view> read_now(const Descriptor& from) {
  static std::array<char, read_bytes_max> room;
  const ssize_t count =
      ::read(const_cast<Descriptor&>(from).native_handle(), room.data(), room.size());
  if (count >= 0) return std::string_view(room.data(), static_cast<std::size_t>(count));
  if (errno == EINTR || errno == EAGAIN) return std::nullopt;
  return std::string_view();
}

asio::awaitable<std::string> read_some(Descriptor& from) {
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  while (true) {
    // Waits first, even if there is something: who floods us must not keep the loop.
    auto [error] = co_await from.async_wait(Descriptor::wait_read, as_tuple);
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    const auto bytes = read_now(from);
    if (bytes) co_return std::string(*bytes);
  }
}

enum class Heard { something, nothing, end };

Heard hear_once(Ear& ear) {
  const auto bytes = read_now(ear.from);
  if (!bytes) return Heard::nothing;
  auto heard = ear.heard;  // who hears may stop listening
  if (bytes->empty()) ear.close();
  heard(*bytes);
  return ear.heard ? Heard::something : Heard::end;
}

// Callbacks rather than a coroutine for each pipe: most children are heard once, at their end.
void go_on_hearing(std::shared_ptr<Ear> ear) {
  auto& from = ear->from;
  from.async_wait(Descriptor::wait_read,
                  [ear = std::move(ear)](boost::system::error_code error) mutable {
                    if (error || !ear->heard || hear_once(*ear) == Heard::end) return;
                    go_on_hearing(std::move(ear));
                  });
}

// The exit is read while the dead leader still holds the group's number, so that the group can be
// killed without ever hitting a stranger; then the leader is reaped. Nothing while it lives.
std::optional<ChildExit> reap(int pid, int pidfd) {
  siginfo_t info{};
  const auto id = static_cast<id_t>(pidfd);
  int failed = 0;
  do {
    failed = ::waitid(P_PIDFD, id, &info, WEXITED | WNOHANG | WNOWAIT);
  } while (failed != 0 && errno == EINTR);
  if (failed != 0) return ChildExit{};  // reaped by a stranger: how it ended is lost
  if (info.si_pid == 0) return std::nullopt;
  ::kill(-pid, SIGKILL);
  (void)::waitid(P_PIDFD, id, &info, WEXITED | WNOHANG);  // a zombie is always there to be had
  if (info.si_code == CLD_EXITED) return ChildExit{info.si_status, 0};
  return ChildExit{-1, info.si_status};
}

// Reaps a child nobody waits for any more.
void reap_in_background(std::shared_ptr<Descriptor> exit, int pid) {
  auto& descriptor = *exit;
  descriptor.async_wait(Descriptor::wait_read,
                        [exit = std::move(exit), pid](boost::system::error_code error) mutable {
                          if (error || reap(pid, exit->native_handle())) return;
                          reap_in_background(std::move(exit), pid);
                        });
}

}  // namespace

Result<Child> Child::start(asio::any_io_executor executor, const ChildSpec& spec) {
  if (auto checked = check_spec(spec); !checked) return std::unexpected(checked.error());
  ignore_broken_pipes();
  std::array<Pipe, 4> pipes;
  for (Pipe& pipe : pipes) {
    auto made = make_pipe();
    if (!made) return std::unexpected(made.error());
    pipe = std::move(*made);
  }
  auto& [input, output, errors, control] = pipes;
  const std::array<int, 4> fds{input.read.get(), output.write.get(), errors.write.get(),
                               control.write.get()};
  auto begun = begin(spec, fds);
  if (!begun) return std::unexpected(begun.error());
  const pid_t pid = *begun;
  // Nobody else reaps our children, so the number cannot have been given to another process.
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.get() < 0) {
    const int error = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return system_failure("cannot watch a child", error);
  }
  auto state = std::make_unique<State>(executor, pid);
  state->exit.assign(pidfd.release());
  state->unused_input = std::move(input.write);
  state->output->from.assign(output.read.release());
  state->errors->from.assign(errors.read.release());
  state->control->from.assign(control.read.release());
  for (const auto& ear : state->ears()) ear->from.native_non_blocking(true);
  return Child(std::move(state));
}

Child::Child(std::unique_ptr<State> state) : state_(std::move(state)) {}
Child::Child(Child&&) noexcept = default;

Child& Child::operator=(Child&& other) noexcept {
  std::swap(state_, other.state_);  // what was ours is killed and reaped with `other`
  return *this;
}

Child::~Child() {
  if (state_ == nullptr || state_->ended) return;
  state_->kill_group(SIGKILL);
  auto exit = std::make_shared<Descriptor>(std::move(state_->exit));
  reap_in_background(std::move(exit), state_->pid);
}

int Child::pid() const { return state_->pid; }

bool Child::write_at_once(std::string_view bytes) {
  // Into an empty pipe this much always goes, however little room the kernel gave it.
  if (bytes.size() > PIPE_BUF || state_->unused_input.get() < 0) return false;
  ssize_t written = 0;
  do {
    written = ::write(state_->unused_input.get(), bytes.data(), bytes.size());
  } while (written < 0 && errno == EINTR);
  close_input();
  return true;
}

asio::awaitable<void> Child::write(std::string bytes) {
  constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
  if (state_->unused_input.get() >= 0) state_->input.assign(state_->unused_input.release());
  if (!state_->input.is_open()) co_return;
  auto all = asio::buffer(bytes);
  auto [error, written] = co_await asio::async_write(state_->input, all, as_tuple);
  (void)written;
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

void Child::close_input() {
  state_->unused_input = Fd();
  boost::system::error_code ignored;  // nothing is buffered, so closing loses nothing
  state_->input.close(ignored);
}

asio::awaitable<std::string> Child::read_output() { return read_some(state_->output->from); }
asio::awaitable<std::string> Child::read_errors() { return read_some(state_->errors->from); }
asio::awaitable<std::string> Child::read_control() { return read_some(state_->control->from); }

void Child::listen(Voice voice, std::function<void(std::string_view)> heard) {
  auto ear = state_->ears()[static_cast<std::size_t>(voice)];
  ear->heard = std::move(heard);
  go_on_hearing(std::move(ear));
}

void Child::hear_rest() {
  for (const auto& ear : state_->ears()) {
    int reads = 0;
    while (ear->heard && reads < reads_at_once_max) {
      if (hear_once(*ear) != Heard::something) break;
      ++reads;
    }
  }
}

void Child::hush() { state_->hush(); }

asio::awaitable<ChildExit> Child::wait() {
  // Asio may call a descriptor ready because of one that was closed before it: hence the loop.
  while (!state_->ended) {
    co_await state_->exit.async_wait(Descriptor::wait_read, asio::use_awaitable);
    if (!state_->ended) state_->ended = reap(state_->pid, state_->exit.native_handle());
  }
  co_return *state_->ended;
}

asio::awaitable<ChildExit> Child::stop(Clock& clock, Duration grace) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  state_->kill_group(SIGTERM);
  auto ending = wait();
  auto ended = co_await with_timeout(clock, grace, std::move(ending));
  if (!ended) state_->kill_group(SIGKILL);
  ChildExit exit = co_await wait();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return exit;
}

}  // namespace vigil::swarm
