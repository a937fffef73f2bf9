#include "daemon/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "storage/state_dir.hpp"

namespace vigil {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

}  // namespace

Result<void> write_whole(const std::string& path, std::string_view text) {
  const auto beside = path + ".new";
  const auto refuse = [&] {
    const int error = errno;
    ::unlink(beside.c_str());
    return fail(ErrorCode::unavailable,
                fmt::format("{} cannot be written: {}", path, std::strerror(error)));
  };
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return refuse();
  const bool written = write_all(fd, text);
  ::close(fd);
  if (!written || std::rename(beside.c_str(), path.c_str()) != 0) return refuse();
  storage::sync_directory(std::filesystem::path(path).parent_path());
  return {};
}

}  // namespace vigil
