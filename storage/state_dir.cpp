#include "storage/state_dir.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace vigil::storage {
namespace {

constexpr std::string_view running = "running";
constexpr std::string_view broken = "broken";
constexpr std::string_view restoring = "restoring";
constexpr std::string_view stopped = "stopped";

std::string_view word_of(LastEnd end) {
  switch (end) {
    case LastEnd::clean:
      return stopped;
    case LastEnd::unclean:
      return running;
    case LastEnd::broken:
      return broken;
    case LastEnd::restoring:
      return restoring;
  }
  return running;
}

std::string ballast_path(const std::string& dir) { return dir + "/vigil.ballast"; }

}  // namespace

std::string database_path(const std::string& state_dir) { return state_dir + "/vigil.db"; }

std::int64_t free_bytes_at(const std::string& path) {
  struct statvfs room{};
  if (::statvfs(path.c_str(), &room) != 0) return -1;
  return static_cast<std::int64_t>(room.f_bavail) * static_cast<std::int64_t>(room.f_frsize);
}

void sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

Result<std::unique_ptr<StateDir>> StateDir::lock(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    const auto parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    if (::mkdir(path.c_str(), 0700) != 0) {
      return fail(ErrorCode::unavailable,
                  fmt::format("state_dir {} cannot be made: {}; make it and give it to the user "
                              "who runs vigild",
                              path, std::strerror(errno)));
    }
  }
  const auto file = path + "/vigil.lock";
  std::unique_ptr<StateDir> out(new StateDir);
  out->path_ = path;
  out->lock_fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (out->lock_fd_ < 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("{} cannot be opened: {}; state_dir must be writable by the user who "
                            "runs vigild",
                            file, std::strerror(errno)));
  }
  if (::flock(out->lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::conflict,
                fmt::format("another vigild (or a restore) works in {}: stop it first, or give "
                            "this one its own state_dir",
                            path));
  }
  char text[16] = {};
  const auto size = ::pread(out->lock_fd_, text, sizeof text - 1, 0);
  const std::string_view last(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  if (last.starts_with(running)) out->last_end_ = LastEnd::unclean;
  if (last.starts_with(broken)) out->last_end_ = LastEnd::broken;
  if (last.starts_with(restoring)) out->last_end_ = LastEnd::restoring;
  return out;
}

StateDir::~StateDir() { unlock(); }

void StateDir::unlock() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
  lock_fd_ = -1;
}

void StateDir::mark(LastEnd end) {
  auto text = std::string(word_of(end));
  text.resize(10, ' ');  // one length: the write is in place and needs no room on a full disk
  text += '\n';
  // A mark that cannot be written reads as an unclean end, which costs one check of the file.
  if (::pwrite(lock_fd_, text.data(), text.size(), 0) < 0) return;
  ::fsync(lock_fd_);
}

std::int64_t StateDir::free_bytes() const { return free_bytes_at(path_); }

bool StateDir::has_ballast() const {
  struct stat about{};
  return ::stat(ballast_path(path_).c_str(), &about) == 0;
}

void StateDir::make_ballast(std::size_t bytes) {
  if (bytes == 0 || has_ballast()) return;
  const auto file = ballast_path(path_);
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  ::close(fd);
  if (error != 0) drop_ballast();
}

void StateDir::drop_ballast() { ::unlink(ballast_path(path_).c_str()); }

}  // namespace vigil::storage
