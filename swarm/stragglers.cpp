#include "swarm/stragglers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <string_view>

namespace vigil::swarm {
namespace {

constexpr std::size_t environment_bytes_max = 128 * 1024;
constexpr int passes_max = 4;  // one may start another while we look

bool has_mark(int pid, const std::string& mark, std::string& buffer) {
  const auto path = fmt::format("/proc/{}/environ", pid);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  buffer.assign(1, '\0');  // so that the first entry too has a NUL before it
  buffer.resize(environment_bytes_max);
  std::size_t used = 1;
  while (used < buffer.size()) {
    const auto count = ::read(fd, buffer.data() + used, buffer.size() - used);
    if (count <= 0) break;
    used += static_cast<std::size_t>(count);
  }
  ::close(fd);
  return std::string_view(buffer.data(), used).find('\0' + mark) != std::string_view::npos;
}

// The mark is looked at again once the pidfd holds the process: its number may have been reused.
bool kill_marked(int pid, const std::string& mark, std::string& buffer) {
  if (!has_mark(pid, mark, buffer)) return false;
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return false;
  const bool killed = has_mark(pid, mark, buffer) &&
                      ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0) == 0;
  ::close(pidfd);
  return killed;
}

int kill_once(const std::string& mark) {
  DIR* table = ::opendir("/proc");
  if (table == nullptr) return 0;
  int killed = 0;
  std::string buffer;
  while (const dirent* entry = ::readdir(table)) {
    int pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    const auto [stop, error] = std::from_chars(entry->d_name, end, pid);
    if (error != std::errc{} || stop != end || pid == ::getpid()) continue;
    killed += kill_marked(pid, mark, buffer) ? 1 : 0;
  }
  ::closedir(table);
  return killed;
}

}  // namespace

int kill_stragglers(const std::string& mark) {
  int killed = 0;
  for (int pass = 0; pass < passes_max; ++pass) {
    const int now = kill_once(mark);
    if (now == 0) break;
    killed += now;
  }
  return killed;
}

}  // namespace vigil::swarm
