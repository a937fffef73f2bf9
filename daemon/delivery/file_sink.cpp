// [sink.NAME] kind = "file": one JSON line for each action, on the disk before it counts as
// delivered. A disk may take its time, so a short-lived thread does the writing.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>

#include "core/off_loop.hpp"
#include "daemon/delivery/sinks.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr off_t tail_bytes_max = 1024 * 1024;  // searched for a line that a crash left behind

enum class Search { none, tail };

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) (void)::close(fd_);  // what counts was synced before
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> system_failure(const std::string& path, int error) {
  const auto code = error == ENOSPC || error == EDQUOT ? ErrorCode::full : ErrorCode::unavailable;
  return fail(code, fmt::format("{}: {}", path, std::strerror(error)));
}

std::string read_tail(int fd, off_t size, off_t bytes_max) {
  const auto begin = std::max<off_t>(0, size - bytes_max);
  std::string tail(static_cast<std::size_t>(size - begin), '\0');
  const auto got = ::pread(fd, tail.data(), tail.size(), begin);
  tail.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return tail;
}

// Any thread. A line that is there already is not written again; one that was torn is closed off.
Result<void> append_line(const std::string& path, const std::string& line, Search search) {
  const Descriptor file(
      ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
  if (file.get() < 0) return system_failure(path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_failure(path, errno);
  std::string bytes = line;
  if (S_ISREG(status.st_mode) && status.st_size > 0) {
    const auto tail =
        read_tail(file.get(), status.st_size, search == Search::tail ? tail_bytes_max : 1);
    if (search == Search::tail && tail.find(line) != std::string::npos) return {};
    if (!tail.ends_with('\n')) bytes.insert(bytes.begin(), '\n');
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const auto wrote = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int error = errno;
      // Half a line helps nobody; when it cannot be taken back the next one closes it off.
      if (done > 0 && S_ISREG(status.st_mode)) (void)::ftruncate(file.get(), status.st_size);
      return system_failure(path, error);
    }
    done += static_cast<std::size_t>(wrote);
  }
  if (!S_ISREG(status.st_mode)) return {};
  if (::fdatasync(file.get()) != 0) return system_failure(path, errno);
  if (status.st_size > 0) return {};
  // A new file is on the disk once its name is.
  const auto parent = std::filesystem::path(path).parent_path();
  const Descriptor directory(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return system_failure(path, errno);
  return {};
}

class FileSink final : public Sink {
 public:
  FileSink(std::string path, const SinkGround& ground)
      : path_(std::move(path)), executor_(ground.executor) {}

  // The line carries its key and is looked for before it is written a second time.
  Repeat repeat(const storage::Action&) const override { return Repeat::harmless; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    const auto& action = attempt.action;
    const json::object line{{"key", action.key},       {"at", to_rfc3339(action.created)},
                            {"entity", action.entity}, {"case", action.case_key},
                            {"kind", action.kind},     {"payload", action.payload}};
    const auto search = action.attempts > 1 ? Search::tail : Search::none;
    std::function<Result<void>()> work = [path = path_, text = to_text(json::value(line)) + "\n",
                                          search] { return append_line(path, text, search); };
    auto appending = off_loop(executor_, std::move(work));
    Result<void> appended = co_await std::move(appending);
    if (appended) co_return delivered(json::object{{"path", path_}});
    // A disk that is full or a directory that is missing may be put right by a person.
    co_return retry_later(std::move(appended.error().message));
  }

 private:
  std::string path_;
  asio::any_io_executor executor_;
};

}  // namespace

std::shared_ptr<Sink> make_file_sink(const config::FileSink& settings, const SinkGround& ground) {
  return std::make_shared<FileSink>(settings.path, ground);
}

}  // namespace vigil::delivery
