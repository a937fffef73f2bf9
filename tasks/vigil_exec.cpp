// vigil-exec: puts itself in limits, Landlock and seccomp, then becomes the task's program. It is
// started for every child, so that the daemon itself never forks. Whatever cannot be set up ends it
// with exit code 126 and the reason on standard error: a task never runs with less containment than
// it was given. What each profile allows stands in docs/containment.md.
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fcntl.h>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/denied_calls.hpp"
#include "tasks/landlock_abi.hpp"

namespace {

using namespace vigil::landlock;
using vigil::denied_calls;

constexpr int exit_refused = 126;    // containment could not be set up, or the program not started
constexpr int exit_not_found = 127;  // there is no such program

enum class Profile { strict, net, none };

struct Options {
  Profile profile = Profile::strict;
  std::vector<const char*> read_paths;
  std::vector<const char*> write_paths;
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

Profile read_profile(std::string_view text) {
  if (text == "strict") return Profile::strict;
  if (text == "net") return Profile::net;
  if (text == "none") return Profile::none;
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
      options.read_paths.push_back(value);
    } else if (name == "--write") {
      options.write_paths.push_back(value);
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

// A task of a daemon that runs as root must not be root in anything but its number.
void drop_capabilities() {
  if (::geteuid() == 0) {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
      if (::prctl(PR_CAPBSET_DROP, capability) != 0 && errno != EPERM) refuse_errno("capabilities");
    }
    constexpr unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                   SECBIT_NO_SETUID_FIXUP_LOCKED;
    if (::prctl(PR_SET_SECUREBITS, bits) != 0 && errno != EPERM) refuse_errno("secure bits");
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  if (::syscall(SYS_capset, &header, none) != 0) refuse_errno("capabilities");
}

enum class Presence { required, optional };

void allow(int ruleset, const char* path, std::uint64_t access, Presence presence) {
  const int fd = ::open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) {
    if (presence == Presence::optional) return;
    refuse(std::string("path ") + path,
           std::string(std::strerror(errno)) + "; create it or take it out of the task's paths");
  }
  struct stat status{};
  if (::fstat(fd, &status) != 0) refuse_errno(path);
  LandlockPath rule{S_ISDIR(status.st_mode) ? access : access & fs_of_files, fd};
  if (::syscall(SYS_landlock_add_rule, ruleset, landlock_path_beneath, &rule, 0) != 0) {
    refuse_errno(std::string("Landlock rule for ") + path);
  }
  ::close(fd);
}

void allow_system(int ruleset, std::uint64_t reading, std::uint64_t handled, Profile profile) {
  for (const char* path : {"/usr",
                           "/bin",
                           "/sbin",
                           "/lib",
                           "/lib32",
                           "/lib64",
                           "/libx32",
                           "/etc/ld.so.cache",
                           "/etc/ld.so.conf",
                           "/etc/ld.so.conf.d",
                           "/etc/alternatives",
                           "/etc/passwd",
                           "/etc/group",
                           "/etc/nsswitch.conf",
                           "/etc/localtime",
                           "/etc/timezone",
                           "/etc/mime.types",
                           "/etc/os-release",
                           "/etc/ssl/certs",
                           "/etc/ssl/openssl.cnf",
                           "/etc/ca-certificates",
                           "/etc/gitconfig",
                           "/dev/zero",
                           "/dev/full",
                           "/dev/urandom",
                           "/dev/random",
                           "/proc/self",
                           "/proc/cpuinfo",
                           "/proc/meminfo",
                           "/proc/stat",
                           "/proc/uptime",
                           "/proc/version",
                           "/proc/filesystems",
                           "/sys/devices/system/cpu"}) {
    allow(ruleset, path, reading, Presence::optional);
  }
  allow(ruleset, "/dev/null", (reading | fs_write_file | fs_truncate) & handled,
        Presence::optional);
  if (profile != Profile::net) return;
  for (const char* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf",
                           "/etc/services", "/etc/protocols", "/run/systemd/resolve/resolv.conf",
                           "/run/systemd/resolve/stub-resolv.conf"}) {
    allow(ruleset, path, reading, Presence::optional);
  }
}

void enter_landlock(const Options& options) {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, landlock_version);
  if (abi < 1) {
    refuse("Landlock is not available in this kernel",
           "the task was not run. Boot with Landlock enabled (lsm=landlock,...), or spell out "
           "sandbox = \"none\" if the task may run without containment");
  }
  std::uint64_t handled = fs_abi_1;
  if (abi >= 2) handled |= fs_refer;
  if (abi >= 3) handled |= fs_truncate;
  if (abi >= 5) handled |= fs_ioctl_dev;
  const bool strict = options.profile == Profile::strict;
  LandlockRuleset rules{handled, strict && abi >= 4 ? net_bind_connect_tcp : 0,
                        abi >= 6 ? scope_sockets_signals : 0};
  const std::size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;  // older kernels refuse more
  const auto ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, size, 0));
  if (ruleset < 0) refuse_errno("Landlock ruleset");
  allow_system(ruleset, fs_reading & handled, handled, options.profile);
  for (const char* path : options.read_paths) {
    allow(ruleset, path, fs_reading & handled, Presence::required);
  }
  for (const char* path : options.write_paths) {
    allow(ruleset, path, handled & ~(fs_make_char | fs_make_block), Presence::required);
  }
  // The program itself may be outside the system's directories; the plan named it.
  if (std::strchr(options.argv[0], '/') != nullptr) {
    allow(ruleset, options.argv[0], (fs_execute | fs_read_file) & handled, Presence::optional);
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) refuse_errno("Landlock");
  ::close(ruleset);
}

void must(int error, const char* what) {
  if (error == 0) return;
  errno = -error;
  refuse_errno(std::string("seccomp rule for ") + what);
}

// The macros of the library leave a member out, which our warnings refuse.
scmp_arg_cmp when(unsigned argument, scmp_compare compare, std::uint64_t a, std::uint64_t b = 0) {
  return {argument, compare, a, b};
}

void add_socket_rules(scmp_filter_ctx filter, Profile profile) {
  const std::uint32_t deny = SCMP_ACT_ERRNO(EPERM);
  if (profile == Profile::strict) {
    must(seccomp_rule_add(filter, deny, SCMP_SYS(socket), 0), "socket");
    return;
  }
  // The internet and the address lookups it needs, but no UNIX socket: the system bus, a container
  // engine and our own admin door listen on those.
  must(seccomp_rule_add(filter, deny, SCMP_SYS(socket), 1, when(0, SCMP_CMP_LT, AF_INET)),
       "socket families");
  for (unsigned family = AF_INET + 1; family <= AF_MAX + 8; ++family) {
    if (family == AF_INET6 || family == AF_NETLINK) continue;
    must(seccomp_rule_add(filter, deny, SCMP_SYS(socket), 1, when(0, SCMP_CMP_EQ, family)),
         "socket families");
  }
  must(seccomp_rule_add(filter, deny, SCMP_SYS(socket), 1, when(0, SCMP_CMP_GT, AF_MAX + 8)),
       "socket families");
  // Raw packets are not what a task needs to call a service.
  must(seccomp_rule_add(filter, deny, SCMP_SYS(socket), 2, when(0, SCMP_CMP_NE, AF_NETLINK),
                        when(1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW)),
       "raw sockets");
}

void enter_seccomp(Profile profile) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) {
    refuse("seccomp is not available",
           "the task was not run. Use a kernel with CONFIG_SECCOMP_FILTER, or spell out "
           "sandbox = \"none\" if the task may run without containment");
  }
  const std::uint32_t deny = SCMP_ACT_ERRNO(EPERM);
  for (const int call : denied_calls)
    must(seccomp_rule_add(filter, deny, call, 0), "a system call");
  for (const std::uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                   CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
    must(
        seccomp_rule_add(filter, deny, SCMP_SYS(clone), 1, when(0, SCMP_CMP_MASKED_EQ, flag, flag)),
        "clone");
  }
  // Its flags are out of a filter's sight; without it the C library uses clone.
  must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
  for (const unsigned long request : {TIOCSTI, TIOCLINUX}) {  // typing into a terminal
    must(seccomp_rule_add(filter, deny, SCMP_SYS(ioctl), 1,
                          when(1, SCMP_CMP_MASKED_EQ, 0xffffffffu, request)),
         "ioctl");
  }
  // A pair of sockets leads nowhere else, and runtimes use it between their own processes.
  must(seccomp_rule_add(filter, deny, SCMP_SYS(socketpair), 1, when(0, SCMP_CMP_NE, AF_UNIX)),
       "socketpair");
  add_socket_rules(filter, profile);
  if (const int error = seccomp_load(filter); error != 0) {
    errno = -error;
    refuse_errno("seccomp");
  }
  seccomp_release(filter);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  die_with_parent(options.parent);
  close_other_fds(options.control_fd);
  ::umask(077);
  set_limits(options);
  if (options.profile != Profile::none) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) refuse_errno("no_new_privs");
    drop_capabilities();
    enter_landlock(options);
    enter_seccomp(options.profile);
  }
  ::execvp(options.argv[0], options.argv);
  const int error = errno;
  std::string next = std::strerror(error);
  if (error == EACCES && options.profile != Profile::none) {
    next += "; if it exists, add its directory to the task's read_paths";
  }
  refuse(std::string("cannot execute ") + options.argv[0], next,
         error == ENOENT ? exit_not_found : exit_refused);
}
