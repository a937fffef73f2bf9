#include "entities/codebase/git.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/json.hpp"
#include "core/log.hpp"

namespace vigil::entities::codebase {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::size_t errors_bytes_max = 4096;
constexpr std::size_t read_bytes = 64 * 1024;
constexpr auto grace = std::chrono::milliseconds{500};

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Fd() { close(); }
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

struct Actions {
  Actions() { ::posix_spawn_file_actions_init(&of); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&of); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t of{};
};

struct Started {
  pid_t pid = -1;
  Fd input;
  Fd output;
  Fd errors;
};

// It stays in our process group: who ends us ends it too.
Result<Started> start(const Errand& errand) {
  auto input = make_pipe();
  auto output = make_pipe();
  auto errors = make_pipe();
  for (const auto* pipe : {&input, &output, &errors}) {
    if (!*pipe) return std::unexpected(pipe->error());
  }
  Actions actions;
  ::posix_spawn_file_actions_adddup2(&actions.of, input->read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.of, output->write.get(), STDOUT_FILENO);
  const int errors_to = errand.join_errors ? output->write.get() : errors->write.get();
  ::posix_spawn_file_actions_adddup2(&actions.of, errors_to, STDERR_FILENO);
  if (!errand.folder.empty()) {
    ::posix_spawn_file_actions_addchdir_np(&actions.of, errand.folder.c_str());
  }
  ::posix_spawn_file_actions_addclosefrom_np(&actions.of, 3);
  auto argv = errand.argv;
  auto environment = errand.environment;
  auto arguments = pointers(argv);
  auto variables = pointers(environment);
  Started started;
  const int error = ::posix_spawnp(&started.pid, arguments[0], &actions.of, nullptr,
                                   arguments.data(), variables.data());
  if (error != 0) {
    const auto code = error == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable;
    return fail(
        code, fmt::format("cannot run {}: {}", quoted(errand.argv.front()), std::strerror(error)));
  }
  started.input = std::move(input->write);
  started.output = std::move(output->read);
  started.errors = std::move(errors->read);
  ::fcntl(started.input.get(), F_SETFL, O_NONBLOCK);
  return started;
}

void write_some(Fd& fd, std::string_view& left) {
  const auto count = ::write(fd.get(), left.data(), left.size());
  if (count > 0) left.remove_prefix(static_cast<std::size_t>(count));
  const bool gone = count < 0 && errno != EAGAIN && errno != EINTR;
  if (left.empty() || gone) fd.close();
}

// False at the end of the stream.
std::string_view read_some(Fd& fd, std::vector<char>& buffer) {
  const auto count = ::read(fd.get(), buffer.data(), buffer.size());
  if (count > 0) return {buffer.data(), static_cast<std::size_t>(count)};
  if (count == 0 || errno != EINTR) fd.close();
  return {};
}

void keep_end(std::string& text, std::string_view more) {
  text += more;
  if (text.size() > errors_bytes_max) text.erase(0, text.size() - errors_bytes_max);
}

void keep_start(const Errand& errand, ErrandEnd& end, std::string_view more) {
  const auto room = errand.output_bytes_max - std::min(end.output.size(), errand.output_bytes_max);
  const auto kept = std::min(room, more.size());
  end.output += more.substr(0, kept);
  end.output_cut_bytes += more.size() - kept;
}

int wait_ms(const std::optional<Steady::time_point>& until) {
  if (!until) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - Steady::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

// Moves bytes until both streams are at their end, or time is up.
void converse(const Errand& errand, Started& child, ErrandEnd& end,
              std::optional<Steady::time_point> until) {
  std::string_view left = errand.input;
  if (left.empty()) child.input.close();
  std::vector<char> buffer(read_bytes);
  while (child.output.get() >= 0 || child.errors.get() >= 0) {
    std::array<pollfd, 3> watched{pollfd{child.input.get(), POLLOUT, 0},
                                  pollfd{child.output.get(), POLLIN, 0},
                                  pollfd{child.errors.get(), POLLIN, 0}};
    const int ready = ::poll(watched.data(), watched.size(), wait_ms(until));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      end.in_time = false;
      return;
    }
    if (watched[0].revents != 0) write_some(child.input, left);
    if (watched[1].revents != 0) keep_start(errand, end, read_some(child.output, buffer));
    if (watched[2].revents != 0) keep_end(end.errors, read_some(child.errors, buffer));
  }
}

// TERM to our group when it is ours alone (a task leads its session), then KILL to the program.
void stop(pid_t pid) {
  if (::getsid(0) == ::getpid()) {
    struct sigaction before{};
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGTERM, &ignore, &before);
    ::kill(0, SIGTERM);
    ::sigaction(SIGTERM, &before, nullptr);
  } else {
    ::kill(pid, SIGTERM);
  }
  const int exit = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (exit >= 0) {
    pollfd ended{exit, POLLIN, 0};
    ::poll(&ended, 1, static_cast<int>(grace.count()));
    ::close(exit);
  }
  ::kill(pid, SIGKILL);
}

void reap(pid_t pid, ErrandEnd& end) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
}

std::vector<std::string> git_environment() {
  const char* path = std::getenv("PATH");
  const char* folder = std::getenv("TMPDIR");
  return {fmt::format("PATH={}", path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"),
          fmt::format("HOME={}", folder != nullptr ? folder : "/nonexistent"),
          "LC_ALL=C",
          "GIT_CONFIG_NOSYSTEM=1",
          "GIT_CONFIG_GLOBAL=/dev/null",
          "GIT_OPTIONAL_LOCKS=0",
          "GIT_TERMINAL_PROMPT=0",
          "GIT_NO_LAZY_FETCH=1"};
}

}  // namespace

Result<ErrandEnd> run_errand(const Errand& errand) {
  ::signal(SIGPIPE, SIG_IGN);  // a program that does not read its input is no reason to die
  auto started = start(errand);
  if (!started) return std::unexpected(started.error());
  ErrandEnd end;
  std::optional<Steady::time_point> until;
  if (errand.timeout) until = Steady::now() + *errand.timeout;
  converse(errand, *started, end, until);
  if (!end.in_time) stop(started->pid);
  reap(started->pid, end);
  return end;
}

bool is_safe_revision(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("._/~^+#=,%-").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 200 && text.front() != '-' &&
         std::ranges::all_of(text, allowed) && text.find("..") == std::string_view::npos;
}

bool is_hash(std::string_view text) {
  return text.size() >= 7 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<std::string> split_fields(std::string_view text) {
  std::vector<std::string> fields;
  while (!text.empty()) {
    const auto end = text.find('\0');
    fields.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return fields;
}

bool is_null_hash(std::string_view text) {
  return !text.empty() && text.find_first_not_of('0') == std::string_view::npos;
}

Result<std::string> Git::run(std::vector<std::string> arguments, std::string input) const {
  return run_with({}, std::move(arguments), std::move(input));
}

Result<std::string> Git::run_with(std::vector<std::string> environment,
                                  std::vector<std::string> arguments, std::string input) const {
  Errand errand;
  errand.argv = {"git", "-C", repository_, "--no-pager", "--literal-pathspecs"};
  for (const char* setting :
       {"safe.directory=*", "core.fsmonitor=false", "core.hooksPath=/dev/null", "diff.external=",
        "core.attributesFile=/dev/null", "log.showSignature=false", "protocol.allow=never",
        "core.quotePath=true", "diff.orderFile=/dev/null", "core.commitGraph=true"}) {
    errand.argv.emplace_back("-c");
    errand.argv.emplace_back(setting);
  }
  const auto verb = arguments.empty() ? std::string() : arguments.front();
  std::ranges::move(arguments, std::back_inserter(errand.argv));
  errand.environment = git_environment();
  std::ranges::move(environment, std::back_inserter(errand.environment));
  errand.input = std::move(input);
  errand.output_bytes_max = output_bytes_max;
  auto end = run_errand(errand);
  if (!end) return std::unexpected(end.error());
  if (end->exit_code != 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("git {} ended with {}: {}", verb, end->exit_code, quoted(end->errors)));
  }
  return std::move(end->output);
}

std::optional<std::string> Git::commit_of(std::string_view revision) const {
  if (!is_safe_revision(revision)) return std::nullopt;
  auto found = run({"rev-parse", "--verify", "--quiet", "--end-of-options",
                    std::string(revision) + "^{commit}"});
  if (!found) return std::nullopt;
  while (found->ends_with('\n')) found->pop_back();
  if (!is_hash(*found)) return std::nullopt;
  return *found;
}

std::optional<std::string> Git::file_at(const std::string& commit, const std::string& path) const {
  if (!is_hash(commit)) return std::nullopt;
  auto text = run({"cat-file", "blob", commit + ":" + path});
  if (!text) return std::nullopt;
  return std::move(*text);
}

Result<void> Git::check() const {
  struct stat status{};
  if (::stat(repository_.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no folder {}: clone the repository there, or correct "
                            "`repository` in the configuration",
                            quoted(repository_)));
  }
  if (auto inside = run({"rev-parse", "--git-dir"}); !inside) {
    return fail(
        inside.error().code == ErrorCode::not_found ? ErrorCode::unavailable : ErrorCode::not_found,
        fmt::format("{} is no clone git can read: {}", quoted(repository_),
                    inside.error().message));
  }
  return {};
}

}  // namespace vigil::entities::codebase
