#include "swarm/cage.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "swarm/denied_calls.hpp"
#include "swarm/landlock_abi.hpp"

namespace vigil::swarm {
namespace {

using namespace landlock;

class Owned {
 public:
  explicit Owned(int fd) : fd_(fd) {}
  Owned(Owned&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Owned() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> cannot(const std::string& what) {
  return fail(ErrorCode::invalid_input,
              what + ": " + std::strerror(errno) + "; the task was not run");
}

// A task of a daemon that runs as root must not be root in anything but its number.
const char* drop_capabilities() {
  if (::geteuid() == 0) {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
      if (::prctl(PR_CAPBSET_DROP, capability) != 0 && errno != EPERM) return "capabilities";
    }
    constexpr unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                   SECBIT_NO_SETUID_FIXUP_LOCKED;
    if (::prctl(PR_SET_SECUREBITS, bits) != 0 && errno != EPERM) return "secure bits";
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  return ::syscall(SYS_capset, &header, none) == 0 ? nullptr : "capabilities";
}

// A path held open, and what is allowed beneath it.
struct Held {
  Owned fd;
  std::uint64_t access = 0;
};

Result<Held> hold(const std::string& path, std::uint64_t access) {
  Owned fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (fd.get() < 0) {
    return fail(ErrorCode::invalid_input, "path " + path + ": " + std::strerror(errno) +
                                              "; create it or take it out of the task's paths");
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return cannot(path);
  return Held{std::move(fd), S_ISDIR(status.st_mode) ? access : access & fs_of_files};
}

Result<void> allow(int ruleset, const Held& held, const std::string& path) {
  const LandlockPath rule{held.access, held.fd.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset, landlock_path_beneath, &rule, 0) != 0) {
    return cannot("Landlock rule for " + path);
  }
  return {};
}

constexpr std::array system_directories = {"/usr",   "/bin",   "/sbin",  "/lib",
                                           "/lib32", "/lib64", "/libx32"};
constexpr std::array system_paths = {"/etc/ld.so.cache",
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
                                     "/proc/cpuinfo",
                                     "/proc/meminfo",
                                     "/proc/stat",
                                     "/proc/uptime",
                                     "/proc/version",
                                     "/proc/filesystems",
                                     "/sys/devices/system/cpu"};
constexpr std::array net_paths = {"/etc/resolv.conf",
                                  "/etc/hosts",
                                  "/etc/host.conf",
                                  "/etc/gai.conf",
                                  "/etc/services",
                                  "/etc/protocols",
                                  "/run/systemd/resolve/resolv.conf",
                                  "/run/systemd/resolve/stub-resolv.conf"};

// Where /bin and its like are links into /usr, what holds there holds for them.
bool leads_into_usr(const char* path) {
  char* real = ::realpath(path, nullptr);
  const bool leads = real != nullptr && std::strncmp(real, "/usr/", 5) == 0;
  std::free(real);
  return leads;
}

std::vector<Held> hold_system(std::uint64_t reading, std::uint64_t handled, Profile profile) {
  std::vector<Held> all;
  const auto add = [&all](const char* path, std::uint64_t access) {
    if (auto held = hold(path, access)) all.push_back(std::move(*held));  // else it is not there
  };
  for (const char* path : system_directories) {
    if (!leads_into_usr(path)) add(path, reading);
  }
  for (const char* path : system_paths) add(path, reading);
  add("/dev/null", (reading | fs_write_file | fs_truncate) & handled);
  if (profile == Profile::net) {
    for (const char* path : net_paths) add(path, reading);
  }
  return all;
}

// Those of the system's own paths that are there. To open them takes longer than the rest of a
// ruleset, so they are held for the tasks of the next moment; no longer, because a package may
// replace the files among them, and a task that starts later must have the new ones.
const std::vector<Held>& system_of(std::uint64_t reading, std::uint64_t handled, Profile profile) {
  using Steady = std::chrono::steady_clock;
  constexpr auto moment = std::chrono::milliseconds(100);
  struct Moment {
    std::vector<Held> held;
    Steady::time_point until;
  };
  static Moment moments[2];
  auto& now = moments[profile == Profile::strict ? 0 : 1];
  if (Steady::now() >= now.until) {
    now.held = hold_system(reading, handled, profile);
    now.until = Steady::now() + moment;
  }
  return now.held;
}

enum class Presence { required, optional };

Result<int> make_ruleset(Profile profile, const Reach& reach) {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, landlock_version);
  if (abi < 1) {
    return fail(
        ErrorCode::invalid_input,
        "Landlock is not available in this kernel: the task was not run. Boot with Landlock "
        "enabled (lsm=landlock,...), or spell out sandbox = \"none\" if the task may run "
        "without containment");
  }
  std::uint64_t handled = fs_abi_1;
  if (abi >= 2) handled |= fs_refer;
  if (abi >= 3) handled |= fs_truncate;
  if (abi >= 5) handled |= fs_ioctl_dev;
  const bool strict = profile == Profile::strict;
  LandlockRuleset rules{handled, strict && abi >= 4 ? net_bind_connect_tcp : 0,
                        abi >= 6 ? scope_sockets_signals : 0};
  const std::size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;  // older kernels refuse more
  const Owned ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, size, 0)));
  if (ruleset.get() < 0) return cannot("Landlock ruleset");
  Result<void> allowed;
  for (const Held& held : system_of(fs_reading & handled, handled, profile)) {
    if (allowed) allowed = allow(ruleset.get(), held, "a path of the system");
  }
  const auto add = [&](const std::string& path, std::uint64_t access, Presence presence) {
    if (!allowed) return;
    const auto held = hold(path, access & handled);
    if (held) {
      allowed = allow(ruleset.get(), *held, path);
    } else if (presence == Presence::required) {
      allowed = std::unexpected(held.error());
    }
  };
  for (const auto& path : reach.read_paths) add(path, fs_reading, Presence::required);
  for (const auto& path : reach.write_paths) {
    add(path, ~(fs_make_char | fs_make_block), Presence::required);
  }
  // The program itself may be outside the system's directories; the plan named it.
  if (reach.program.find('/') != std::string::npos) {
    add(reach.program, fs_execute | fs_read_file, Presence::optional);
  }
  if (!allowed) return std::unexpected(allowed.error());
  // Clear of the numbers that the child gives to its pipes before it enters.
  const int lifted = ::fcntl(ruleset.get(), F_DUPFD_CLOEXEC, 10);
  if (lifted < 0) return cannot("Landlock ruleset");
  return lifted;
}

// The macros of the library leave a member out, which our warnings refuse.
scmp_arg_cmp when(unsigned argument, scmp_compare compare, std::uint64_t a, std::uint64_t b = 0) {
  return {argument, compare, a, b};
}

int add_socket_rules(scmp_filter_ctx filter, Profile profile) {
  const std::uint32_t deny = SCMP_ACT_ERRNO(EPERM);
  if (profile == Profile::strict) {
    return seccomp_rule_add(filter, deny, SCMP_SYS(socket), 0);
  }
  // The internet and the address lookups it needs, but no UNIX socket: the system bus, a container
  // engine and our own admin door listen on those.
  // All but these three, as few ranges (mask, value): each is paid for at the start of each task.
  static_assert(AF_INET == 2 && AF_INET6 == 10 && AF_NETLINK == 16);
  constexpr std::pair<std::uint64_t, std::uint64_t> between[] = {
      {~0ULL, 3},  {~3ULL, 4},  {~1ULL, 8},  {~0ULL, 11}, {~3ULL, 12},
      {~0ULL, 17}, {~1ULL, 18}, {~3ULL, 20}, {~7ULL, 24}};
  int error = seccomp_rule_add(filter, deny, SCMP_SYS(socket), 1, when(0, SCMP_CMP_LT, AF_INET));
  for (const auto& [mask, value] : between) {
    if (error != 0) return error;
    error = seccomp_rule_add(filter, deny, SCMP_SYS(socket), 1,
                             when(0, SCMP_CMP_MASKED_EQ, mask, value));
  }
  if (error == 0) {
    error = seccomp_rule_add(filter, deny, SCMP_SYS(socket), 1, when(0, SCMP_CMP_GE, 32));
  }
  // Raw packets are not what a task needs to call a service.
  if (error != 0) return error;
  return seccomp_rule_add(filter, deny, SCMP_SYS(socket), 2, when(0, SCMP_CMP_NE, AF_NETLINK),
                          when(1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW));
}

int add_rules(scmp_filter_ctx filter, Profile profile) {
  const std::uint32_t deny = SCMP_ACT_ERRNO(EPERM);
  int error = 0;
  const auto must = [&error](int result) { error = error != 0 ? error : result; };
  for (const int call : denied_calls) must(seccomp_rule_add(filter, deny, call, 0));
  for (const std::uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                   CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
    must(seccomp_rule_add(filter, deny, SCMP_SYS(clone), 1,
                          when(0, SCMP_CMP_MASKED_EQ, flag, flag)));
  }
  // Its flags are out of a filter's sight; without it the C library uses clone.
  must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
  for (const unsigned long request : {TIOCSTI, TIOCLINUX}) {  // typing into a terminal
    must(seccomp_rule_add(filter, deny, SCMP_SYS(ioctl), 1,
                          when(1, SCMP_CMP_MASKED_EQ, 0xffffffffu, request)));
  }
  // A pair of sockets leads nowhere else, and runtimes use it between their own processes.
  must(seccomp_rule_add(filter, deny, SCMP_SYS(socketpair), 1, when(0, SCMP_CMP_NE, AF_UNIX)));
  must(add_socket_rules(filter, profile));
  return error;
}

// The library makes the program, we keep it: to make it takes longer than to start a task.
Result<std::vector<sock_filter>> make_filter(Profile profile) {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) {
    return fail(ErrorCode::invalid_input,
                "seccomp is not available: the task was not run. Use a kernel with "
                "CONFIG_SECCOMP_FILTER, or spell out sandbox = \"none\" if the task may run "
                "without containment");
  }
  // A tree over the calls instead of a list: the kernel asks the filter about every call there is
  // when it is installed, which took longer than everything else a task's start needs. A library
  // that cannot make one makes the list.
  (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  const Owned file(::memfd_create("filter", MFD_CLOEXEC));
  int error = add_rules(filter, profile);
  if (error == 0) error = file.get() < 0 ? -errno : seccomp_export_bpf(filter, file.get());
  seccomp_release(filter);
  const off_t size = error == 0 ? ::lseek(file.get(), 0, SEEK_END) : -1;
  std::vector<sock_filter> program(size > 0 ? static_cast<std::size_t>(size) / sizeof(sock_filter)
                                            : 0);
  const std::size_t bytes = program.size() * sizeof(sock_filter);
  if (bytes == 0 || ::pread(file.get(), program.data(), bytes, 0) != static_cast<ssize_t>(bytes)) {
    if (error != 0) errno = -error;
    return cannot("seccomp filter");
  }
  return program;
}

Result<const std::vector<sock_filter>*> filter_of(Profile profile) {
  static std::vector<sock_filter> filters[2];
  auto& filter = filters[profile == Profile::strict ? 0 : 1];
  if (filter.empty()) {
    auto made = make_filter(profile);
    if (!made) return std::unexpected(made.error());
    filter = std::move(*made);
  }
  return &filter;
}

}  // namespace

Result<Cage> Cage::make(Profile profile, const Reach& reach) {
  auto filter = filter_of(profile);
  if (!filter) return std::unexpected(filter.error());
  auto ruleset = make_ruleset(profile, reach);
  if (!ruleset) return std::unexpected(ruleset.error());
  return Cage(*ruleset, *filter);
}

Cage::Cage(Cage&& other) noexcept
    : ruleset_(std::exchange(other.ruleset_, -1)), filter_(other.filter_) {}

Cage& Cage::operator=(Cage&& other) noexcept {
  std::swap(ruleset_, other.ruleset_);
  std::swap(filter_, other.filter_);
  return *this;
}

Cage::~Cage() {
  if (ruleset_ >= 0) ::close(ruleset_);
}

const char* Cage::enter() const {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs";
  if (const char* failed = drop_capabilities()) return failed;
  // Whose it is, is only true here: in the one who made the ruleset it would be that one's.
  const int self = ::open("/proc/self", O_PATH | O_CLOEXEC);
  if (self >= 0) {
    const LandlockPath rule{fs_reading, self};
    const long added = ::syscall(SYS_landlock_add_rule, ruleset_, landlock_path_beneath, &rule, 0);
    ::close(self);
    if (added != 0) return "Landlock rule for /proc/self";
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset_, 0) != 0) return "Landlock";
  const sock_fprog program{static_cast<unsigned short>(filter_->size()),
                           const_cast<sock_filter*>(filter_->data())};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return "seccomp";
  return nullptr;
}

}  // namespace vigil::swarm
