// The child shares our memory until it becomes the program, as posix_spawn's does, which can
// neither ask for a parent-death signal nor set limits. So between vfork and execve there are only
// system calls on what was made ready before: no allocation, no lock, nothing that unwinds.
#include "swarm/launch.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

namespace vigil::swarm {
namespace {

constexpr int exit_refused = 126;
constexpr int exit_not_found = 127;

struct Limit {
  __rlimit_resource resource;
  rlim_t soft;
  rlim_t hard;
};

// All the child looks at.
struct Ready {
  std::vector<char*> argv;
  std::vector<char*> environment;
  std::vector<const char*> candidates;  // where the program may be, in order
  std::vector<char*> shell;             // {"/bin/sh", candidate, arguments...} for text without #!
  const char* workdir = nullptr;
  const std::array<int, 4>* fds = nullptr;
  std::vector<Limit> limits;
  const char* refusal = nullptr;  // "vigil-exec: cannot execute NAME: "
  const Cage* cage = nullptr;
  int cgroup = -1;
  int parent = 0;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> places_of(const std::string& program, std::string_view path) {
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> places;
  while (!path.empty()) {
    const auto colon = std::min(path.find(':'), path.size());
    if (colon > 0) places.push_back(fmt::format("{}/{}", path.substr(0, colon), program));
    path.remove_prefix(std::min(colon + 1, path.size()));
  }
  return places;
}

std::vector<Limit> limits_of(const Launch& launch) {
  std::vector<Limit> limits{{RLIMIT_CORE, 0, 0}, {RLIMIT_NOFILE, 1024, 4096}};
  // Data rather than address space: runtimes such as V8 reserve far more than they use.
  if (launch.memory_bytes_max > 0) {
    limits.push_back({RLIMIT_DATA, launch.memory_bytes_max, launch.memory_bytes_max});
  }
  if (launch.cpu_seconds_max > 0) {
    limits.push_back({RLIMIT_CPU, launch.cpu_seconds_max, launch.cpu_seconds_max + 1});
  }
  if (launch.file_bytes_max > 0) {
    limits.push_back({RLIMIT_FSIZE, launch.file_bytes_max, launch.file_bytes_max});
  }
  return limits;
}

void say(const char* text) { (void)!::write(STDERR_FILENO, text, std::strlen(text)); }

[[noreturn]] void refuse(const char* what, int error, const char* hint = "") {
  say(what);
  const char* why = ::strerrordesc_np(error);
  say(why != nullptr ? why : "unknown error");
  say(hint);
  say("; the task was not run\n");
  ::_exit(error == ENOENT ? exit_not_found : exit_refused);
}

[[noreturn]] void refuse_part(const char* part) {
  const int error = errno;
  say(launcher_says);
  say(part);
  refuse(": ", error);
}

// Never raises what is lower already.
void set_limits(const Ready& ready) {
  for (const Limit& limit : ready.limits) {
    rlimit now{};
    if (::getrlimit(limit.resource, &now) != 0) refuse("vigil-exec: limits: ", errno);
    now.rlim_max = limit.hard < now.rlim_max ? limit.hard : now.rlim_max;
    now.rlim_cur = limit.soft < now.rlim_max ? limit.soft : now.rlim_max;
    if (::setrlimit(limit.resource, &now) != 0) refuse("vigil-exec: limits: ", errno);
  }
}

// The handlers are ours alone: only the memory is shared.
void reset_signals() {
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become(Ready& ready) {
  const bool joined = ready.cgroup < 0 || ::write(ready.cgroup, "0", 1) == 1;
  const int not_joined = errno;
  ::setsid();
  for (int fd = 0; fd < static_cast<int>(ready.fds->size()); ++fd) {
    if (::dup2((*ready.fds)[fd], fd) < 0) ::_exit(exit_refused);
  }
  if (!joined) refuse("vigil-exec: control group: ", not_joined);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) refuse("vigil-exec: parent-death signal: ", errno);
  if (::getppid() != ready.parent) refuse("vigil-exec: the daemon is gone: ", ESRCH);
  ::umask(077);
  set_limits(ready);
  if (::chdir(ready.workdir) != 0) refuse("vigil-exec: work directory: ", errno);
  if (ready.cage != nullptr) {
    if (const char* failed = ready.cage->enter()) refuse_part(failed);
  }
  if (::syscall(SYS_close_range, ready.fds->size(), ~0U, 0U) != 0) {
    refuse("vigil-exec: close_range: ", errno);
  }
  reset_signals();
  int failed = ENOENT;
  for (const char* candidate : ready.candidates) {
    ::execve(candidate, ready.argv.data(), ready.environment.data());
    if (errno == ENOEXEC) {
      ready.shell[1] = const_cast<char*>(candidate);
      ::execve(ready.shell[0], ready.shell.data(), ready.environment.data());
    }
    // As execvp: another place may have one that can be executed.
    if (errno != ENOENT && errno != ENOTDIR) failed = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  const bool may_be_outside = failed == EACCES && ready.cage != nullptr;
  refuse(ready.refusal, failed,
         may_be_outside ? "; if it exists, add its directory to the task's read_paths" : "");
}

// The frame that vfork returns into twice; nothing of it is used after the child has run.
[[gnu::noinline]] int start(Ready& ready) {
  const pid_t pid = ::vfork();
  if (pid == 0) become(ready);
  return pid;
}

}  // namespace

Result<int> launch(Launch launch) {
  static char shell[] = "/bin/sh";
  auto places = places_of(launch.argv.front(), launch.path);
  const std::string refusal =
      std::string(launcher_says) + "cannot execute " + launch.argv.front() + ": ";
  Ready ready;
  ready.argv = pointers(launch.argv);
  ready.environment = pointers(launch.environment);
  for (const auto& place : places) ready.candidates.push_back(place.c_str());
  ready.shell = {shell, nullptr};
  ready.shell.insert(ready.shell.end(), ready.argv.begin() + 1, ready.argv.end());
  ready.workdir = launch.workdir.c_str();
  ready.fds = &launch.fds;
  ready.limits = limits_of(launch);
  ready.refusal = refusal.c_str();
  if (launch.cage) ready.cage = &*launch.cage;
  ready.cgroup = launch.cgroup;
  ready.parent = ::getpid();
  // No handler of ours may run in the child, which would run it in our memory.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const int pid = start(ready);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid >= 0) return pid;
  return fail(ErrorCode::unavailable,
              fmt::format("cannot start {}: {}", launch.argv.front(), std::strerror(error)));
}

}  // namespace vigil::swarm
