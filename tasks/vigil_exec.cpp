// vigil-exec: puts itself in limits, Landlock and seccomp, then becomes a program: what the daemon
// does for each task (swarm/launch.cpp), as a command to try a profile by hand. Whatever cannot be
// set up ends it with exit code 126 and the reason on standard error. What each profile allows
// stands in docs/containment.md.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarm/cage.hpp"

namespace {

using vigil::swarm::Cage;
using vigil::swarm::Profile;
using vigil::swarm::Reach;

constexpr int exit_refused = 126;    // containment could not be set up, or the program not started
constexpr int exit_not_found = 127;  // there is no such program

struct Options {
  std::optional<Profile> profile = Profile::strict;  // none: no containment
  Reach reach;
  std::uint64_t memory_bytes = 0;
  std::uint64_t cpu_seconds = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t processes = 0;
  int control_fd = -1;
  int parent = 0;
  char** argv = nullptr;
};

[[noreturn]] void refuse(const std::string& what, const std::string& next,
                         int code = exit_refused) {
  const std::string line = "vigil-exec: " + what + ": " + next + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());  // nowhere left to complain
  ::_exit(code);
}

[[noreturn]] void refuse_errno(const std::string& what) {
  refuse(what, std::string(std::strerror(errno)) + "; the task was not run");
}

template <class Number>
Number read_number(std::string_view option, std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    refuse(std::string(option) + " " + std::string(text), "expected a whole number");
  }
  return value;
}

std::optional<Profile> read_profile(std::string_view text) {
  if (text == "strict") return Profile::strict;
  if (text == "net") return Profile::net;
  if (text == "none") return std::nullopt;
  refuse("--profile " + std::string(text), "expected strict, net or none");
}

Options read_options(int argc, char** argv) {
  Options options;
  int at = 1;
  for (; at < argc && std::string_view(argv[at]) != "--"; at += 2) {
    const std::string_view name = argv[at];
    if (at + 1 >= argc) refuse(std::string(name), "expected a value after it");
    const char* value = argv[at + 1];
    if (name == "--profile") {
      options.profile = read_profile(value);
    } else if (name == "--read") {
      options.reach.read_paths.push_back(value);
    } else if (name == "--write") {
      options.reach.write_paths.push_back(value);
    } else if (name == "--memory") {
      options.memory_bytes = read_number<std::uint64_t>(name, value);
    } else if (name == "--cpu") {
      options.cpu_seconds = read_number<std::uint64_t>(name, value);
    } else if (name == "--file-bytes") {
      options.file_bytes = read_number<std::uint64_t>(name, value);
    } else if (name == "--procs") {
      options.processes = read_number<std::uint64_t>(name, value);
    } else if (name == "--control-fd") {
      options.control_fd = read_number<int>(name, value);
    } else if (name == "--parent") {
      options.parent = read_number<int>(name, value);
    } else {
      refuse(std::string(name), "unknown option; see docs/containment.md");
    }
  }
  if (at + 1 >= argc) {
    refuse("no program", "usage: vigil-exec --profile strict|net|none [options] -- PROGRAM...");
  }
  options.argv = argv + at + 1;
  options.reach.program = options.argv[0];
  return options;
}

// If the daemon dies, so does the task; if it died before we asked for that, at once.
void die_with_parent(int parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) refuse_errno("parent-death signal");
  if (parent != 0 && ::getppid() != parent) refuse("the daemon is gone", "the task was not run");
}

void close_other_fds(int keep) {
  const auto close_range = [](unsigned first, unsigned last) {
    if (first <= last && ::syscall(SYS_close_range, first, last, 0u) != 0) {
      refuse_errno("close_range");
    }
  };
  if (keep < 3) return close_range(3, ~0u);
  const auto kept = static_cast<unsigned>(keep);
  close_range(3, kept - 1);
  close_range(kept + 1, ~0u);
}

void limit(__rlimit_resource resource, std::uint64_t soft, std::uint64_t hard, const char* name) {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0) refuse_errno(name);
  // Never raises what is lower already.
  now.rlim_max = hard < now.rlim_max ? hard : now.rlim_max;
  now.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max;
  if (::setrlimit(resource, &now) != 0) refuse_errno(name);
}

void set_limits(const Options& options) {
  limit(RLIMIT_CORE, 0, 0, "RLIMIT_CORE");
  limit(RLIMIT_NOFILE, 1024, 4096, "RLIMIT_NOFILE");
  if (options.memory_bytes > 0) {
    // Data rather than address space: runtimes such as V8 reserve far more than they use.
    limit(RLIMIT_DATA, options.memory_bytes, options.memory_bytes, "RLIMIT_DATA");
  }
  if (options.cpu_seconds > 0) {
    limit(RLIMIT_CPU, options.cpu_seconds, options.cpu_seconds + 1, "RLIMIT_CPU");
  }
  if (options.file_bytes > 0) {
    limit(RLIMIT_FSIZE, options.file_bytes, options.file_bytes, "RLIMIT_FSIZE");
  }
  if (options.processes > 0) {
    limit(RLIMIT_NPROC, options.processes, options.processes, "RLIMIT_NPROC");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  die_with_parent(options.parent);
  close_other_fds(options.control_fd);
  ::umask(077);
  set_limits(options);
  if (options.profile) {
    auto cage = Cage::make(*options.profile, options.reach);
    if (!cage) refuse("containment", cage.error().message);
    if (const char* failed = cage->enter()) refuse_errno(failed);
  }
  ::execvp(options.argv[0], options.argv);
  const int error = errno;
  std::string next = std::strerror(error);
  if (error == EACCES && options.profile) {
    next += "; if it exists, add its directory to the task's read_paths";
  }
  refuse(std::string("cannot execute ") + options.argv[0], next,
         error == ENOENT ? exit_not_found : exit_refused);
}
