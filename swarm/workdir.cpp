#include "swarm/workdir.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/digest.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;
namespace {

constexpr std::string_view prefix = "task-";
constexpr std::size_t spare_max = 64;
constexpr int steps_per_turn = 64;  // well under a millisecond of the loop's time

struct Directory {
  explicit Directory(int fd) : stream(fd < 0 ? nullptr : ::fdopendir(fd)) {
    if (stream == nullptr && fd >= 0) ::close(fd);
  }
  ~Directory() {
    if (stream != nullptr) ::closedir(stream);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  int fd() const { return ::dirfd(stream); }
  // The next names, at most `count`; none at the end.
  std::vector<std::string> next(int count) const {
    std::vector<std::string> names;
    while (count > 0) {
      const dirent* entry = ::readdir(stream);
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      names.emplace_back(name);
      --count;
    }
    return names;
  }
  DIR* stream;
};

int open_directory(int parent, const char* name) {
  return ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Empties trees of any depth with two open directories: what is below a subdirectory is moved up to
// the top, under a name that cannot be there, until nothing has anything below it.
class Emptying {
 public:
  explicit Emptying(const std::string& path) : top_(open_directory(AT_FDCWD, path.c_str())) {}

  // Some more steps. False when nothing is left to do.
  bool go_on() {
    if (top_.stream == nullptr) return false;
    auto names = top_.next(steps_per_turn);
    if (names.empty()) {
      if (!progress_) return false;
      progress_ = false;  // what was moved up may not have been listed yet
      ::rewinddir(top_.stream);
      names = top_.next(steps_per_turn);
    }
    for (const auto& name : names) remove(name);
    return !names.empty();
  }

 private:
  void remove(const std::string& name) {
    const bool gone = ::unlinkat(top_.fd(), name.c_str(), 0) == 0 ||
                      ::unlinkat(top_.fd(), name.c_str(), AT_REMOVEDIR) == 0;
    if (gone) {
      progress_ = true;
      return;
    }
    struct stat status{};
    if (::fstatat(top_.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (!S_ISDIR(status.st_mode)) return;
    // A task may have locked itself out. What cannot be opened all the same stays for the next
    // turn.
    if (::fchmodat(top_.fd(), name.c_str(), 0700, 0) != 0) return;
    const Directory below(open_directory(top_.fd(), name.c_str()));
    if (below.stream == nullptr) return;
    for (const auto& inner : below.next(steps_per_turn)) {
      if (::unlinkat(below.fd(), inner.c_str(), 0) == 0) {
        progress_ = true;
        continue;
      }
      const int locked = ::fchmodat(below.fd(), inner.c_str(), 0700, AT_SYMLINK_NOFOLLOW);
      (void)locked;  // of a link no mode can be changed, and none need be
      const auto up = fmt::format(".removed-{}-{}", serial_++, name.size());
      progress_ |= ::renameat(below.fd(), inner.c_str(), top_.fd(), up.c_str()) == 0;
    }
  }

  Directory top_;
  bool progress_ = false;
  int serial_ = 0;
};

}  // namespace

void sweep_workdirs(const std::string& parent) {
  namespace fs = std::filesystem;
  std::error_code ignored;  // a directory that cannot be made or removed shows when it is used
  fs::create_directories(parent, ignored);
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    Emptying emptying(entry.path().string());
    while (emptying.go_on()) continue;
    ::rmdir(entry.path().c_str());
  }
}

Result<std::string> make_workdir(const std::string& parent) {
  const auto path = fmt::format("{}/{}{}", parent, prefix, random_hex(8));
  if (::mkdir(path.c_str(), 0700) == 0) return path;
  const auto code = errno == ENOSPC ? ErrorCode::full : ErrorCode::unavailable;
  return fail(code,
              fmt::format("cannot make the work directory {}: {}", path, std::strerror(errno)));
}

Result<std::string> SpareWorkdirs::take() {
  while (!spare_.empty()) {
    std::string path = std::move(spare_.back());
    spare_.pop_back();
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) return path;
  }
  return make_workdir(parent_);
}

bool SpareWorkdirs::put_back(const std::string& path) {
  if (spare_.size() >= spare_max) return false;
  const Directory directory(open_directory(AT_FDCWD, path.c_str()));
  if (directory.stream == nullptr || !directory.next(1).empty()) return false;
  if (::fchmod(directory.fd(), 0700) != 0) return false;
  spare_.push_back(path);
  return true;
}

asio::awaitable<void> remove_workdir(std::string path) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto executor = co_await asio::this_coro::executor;
  if (::rmdir(path.c_str()) != 0) {
    Emptying emptying(path);
    while (emptying.go_on()) {
      co_await asio::post(executor, asio::use_awaitable);
    }
    ::rmdir(path.c_str());
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

}  // namespace vigil::swarm
