#include "daemon/ingress/watch_notices.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>

#include "core/log.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

constexpr std::uint32_t mask = IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_CREATE |
                               IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t written = IN_MODIFY;  // beside it, where a file is read while it grows
constexpr std::size_t buffer_bytes = 16 * 1024;

// Git writes a ref as NAME.lock and renames it; objects and indexes are not ours.
bool may_be_a_ref(const inotify_event& event, std::string_view name, bool in_top_folder) {
  if ((event.mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) return true;
  if (name.ends_with(".lock")) return false;
  if (!in_top_folder) return true;
  return name == "packed-refs" || name == "HEAD" || name == "refs" || name == "reftable";
}

}  // namespace

struct Notices::State : std::enable_shared_from_this<Notices::State> {
  State(const asio::any_io_executor& executor, int fd, NoticeKind what, std::function<void()> to)
      : stream(executor, fd), kind(what), heard(std::move(to)) {}

  void listen() {
    stream.async_read_some(
        asio::buffer(bytes),
        [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
          if (error) return;  // closed
          self->take(count);
          self->listen();
        });
  }

  void take(std::size_t count) {
    bool matters = false;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= count;) {
      inotify_event event{};
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const char* name = bytes.data() + at + sizeof event;
      const std::string_view called(name, ::strnlen(name, event.len));
      matters |= kind == NoticeKind::any || may_be_a_ref(event, called, event.wd == top);
      if ((event.mask & IN_IGNORED) != 0) watched.erase(event.wd);
      at += sizeof event + event.len;
    }
    if (matters && heard) heard();
  }

  asio::posix::stream_descriptor stream;
  NoticeKind kind;
  std::function<void()> heard;
  std::set<int> watched;
  int top = -1;  // the folder of packed-refs and HEAD
  alignas(inotify_event) std::array<char, buffer_bytes> bytes{};
};

Notices::Notices(std::shared_ptr<State> state) : state_(std::move(state)) {}

Notices::~Notices() {
  state_->heard = nullptr;
  boost::system::error_code ignored;  // it is given up either way
  state_->stream.close(ignored);
}

Result<std::unique_ptr<Notices>> Notices::open(asio::any_io_executor executor, NoticeKind kind,
                                               std::function<void()> heard) {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot watch folders: {}; raise fs.inotify.max_user_instances",
                            std::strerror(errno)));
  }
  auto state = std::make_shared<State>(executor, fd, kind, std::move(heard));
  state->listen();
  return std::unique_ptr<Notices>(new Notices(std::move(state)));
}

Result<int> Notices::watch(const std::vector<std::string>& folders) {
  auto& state = *state_;
  const int fd = state.stream.native_handle();
  const auto wanted_mask = state.kind == NoticeKind::any ? mask | written : mask;
  std::set<int> wanted;
  int fresh = 0;
  bool first = true;
  for (const auto& folder : folders) {
    const int at = ::inotify_add_watch(fd, folder.c_str(), wanted_mask);
    if (at < 0 && errno == ENOSPC) {
      return fail(ErrorCode::full,
                  "the kernel watches no more folders: raise fs.inotify.max_user_watches");
    }
    if (first) state.top = at;
    first = false;
    if (at < 0) continue;  // gone meanwhile, or not ours to see
    wanted.insert(at);
    if (state.watched.insert(at).second) ++fresh;
  }
  for (auto at = state.watched.begin(); at != state.watched.end();) {
    if (wanted.contains(*at)) {
      ++at;
      continue;
    }
    ::inotify_rm_watch(fd, *at);
    at = state.watched.erase(at);
  }
  return fresh;
}

}  // namespace vigil::ingress
