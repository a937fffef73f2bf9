#include "daemon/http/curl_loop.hpp"

#include <curl/curl.h>
#include <malloc.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "core/bell.hpp"
#include "core/check.hpp"

namespace vigil::http {
namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;
namespace {

// A socket of libcurl's, borrowed: it is given back before libcurl closes it.
struct Socket {
  Socket(const asio::any_io_executor& executor, int fd) : descriptor(executor, fd) {}
  Descriptor descriptor;
  int wanted = 0;  // CURL_POLL_*; 0 once it was given back
  bool reading = false;
  bool writing = false;
};

struct Transfer {
  explicit Transfer(const asio::any_io_executor& executor) : done(executor) {}
  Bell done;
  CURLcode code = CURLE_OK;
};

// What libcurl had in memory may have been a token: it is wiped before it is given back.
void wipe_and_free(void* block) {
  if (block != nullptr) explicit_bzero(block, ::malloc_usable_size(block));
  std::free(block);
}

void* wipe_and_resize(void* block, std::size_t size) {
  if (block == nullptr) return std::malloc(size);
  void* larger = std::malloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, std::min(size, ::malloc_usable_size(block)));
  wipe_and_free(block);
  return larger;
}

void initialise_once() {
  static const CURLcode done = curl_global_init_mem(
      CURL_GLOBAL_DEFAULT, &std::malloc, &wipe_and_free, &wipe_and_resize, &::strdup, &std::calloc);
  VIGIL_CHECK(done == CURLE_OK);
}

}  // namespace

struct CurlLoop::State final : std::enable_shared_from_this<State> {
  explicit State(asio::any_io_executor on) : executor(std::move(on)), timer(executor) {
    initialise_once();
    multi = curl_multi_init();
    VIGIL_CHECK(multi != nullptr);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 16L);  // kept for reuse
  }

  asio::awaitable<int> run(CURL* easy);

  void close() {
    VIGIL_CHECK(transfers.empty());
    curl_multi_cleanup(multi);
    multi = nullptr;
    for (auto& [fd, socket] : sockets) give_back(*socket);
    sockets.clear();
    timer.cancel();
  }

  static void give_back(Socket& socket) {
    socket.wanted = 0;
    if (socket.descriptor.is_open()) socket.descriptor.release();  // libcurl closes it
  }

  static int on_socket(CURL*, curl_socket_t fd, int wanted, void* self, void*) {
    auto& loop = *static_cast<State*>(self);
    const auto known = loop.sockets.find(fd);
    if (wanted == CURL_POLL_REMOVE) {
      if (known != loop.sockets.end()) {
        give_back(*known->second);
        loop.sockets.erase(known);
      }
      return 0;
    }
    auto& socket = loop.sockets[fd];
    if (socket == nullptr) socket = std::make_shared<Socket>(loop.executor, fd);
    socket->wanted = wanted;
    loop.watch(fd, socket);
    return 0;
  }

  void watch(int fd, const std::shared_ptr<Socket>& socket) {
    if ((socket->wanted & CURL_POLL_IN) != 0 && !std::exchange(socket->reading, true)) {
      wait(fd, socket, Descriptor::wait_read, CURL_CSELECT_IN, &Socket::reading);
    }
    if ((socket->wanted & CURL_POLL_OUT) != 0 && !std::exchange(socket->writing, true)) {
      wait(fd, socket, Descriptor::wait_write, CURL_CSELECT_OUT, &Socket::writing);
    }
  }

  void wait(int fd, const std::shared_ptr<Socket>& socket, Descriptor::wait_type what, int happened,
            bool Socket::* flag) {
    socket->descriptor.async_wait(
        what, [self = weak_from_this(), fd, socket, happened, flag](auto error) {
          (*socket).*flag = false;
          if (const auto loop = self.lock(); loop && !error) loop->act(fd, socket, happened);
        });
  }

  void act(int fd, const std::shared_ptr<Socket>& socket, int happened) {
    if (multi == nullptr || socket->wanted == 0) return;
    int running = 0;
    curl_multi_socket_action(multi, fd, happened, &running);
    collect();
    if (socket->wanted != 0) watch(fd, socket);
  }

  static int on_timer(CURLM*, long ms, void* self) {
    auto& loop = *static_cast<State*>(self);
    if (ms < 0) {
      loop.timer.cancel();
      return 0;
    }
    loop.timer.expires_after(std::chrono::milliseconds{ms});
    loop.timer.async_wait([weak = loop.weak_from_this()](auto error) {
      const auto now = weak.lock();
      if (error || !now || now->multi == nullptr) return;
      int running = 0;
      curl_multi_socket_action(now->multi, CURL_SOCKET_TIMEOUT, 0, &running);
      now->collect();
    });
    return 0;
  }

  void collect() {
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      auto* easy = message->easy_handle;
      const auto code = message->data.result;
      const auto found = transfers.find(easy);
      VIGIL_CHECK(found != transfers.end());
      found->second->code = code;
      found->second->done.ring();
    }
  }

  asio::any_io_executor executor;
  asio::steady_timer timer;
  CURLM* multi = nullptr;
  std::unordered_map<curl_socket_t, std::shared_ptr<Socket>> sockets;
  std::unordered_map<CURL*, Transfer*> transfers;
};

namespace {

// On every way out, cancellation included, libcurl forgets the handle before it dies.
template <class Loop>
struct Enlisted {
  Enlisted(Loop& in, CURL* which) : loop(in), handle(which), transfer(in.executor) {
    loop.transfers[handle] = &transfer;
    added = curl_multi_add_handle(loop.multi, handle);
  }
  Enlisted(const Enlisted&) = delete;
  Enlisted& operator=(const Enlisted&) = delete;
  ~Enlisted() {
    curl_multi_remove_handle(loop.multi, handle);
    loop.transfers.erase(handle);
  }
  Loop& loop;
  CURL* handle;
  Transfer transfer;
  CURLMcode added = CURLM_OK;
};

}  // namespace

asio::awaitable<int> CurlLoop::State::run(CURL* easy) {
  Enlisted enlisted(*this, easy);
  if (enlisted.added != CURLM_OK) co_return CURLE_FAILED_INIT;
  co_await enlisted.transfer.done.wait();
  co_return enlisted.transfer.code;
}

CurlLoop::CurlLoop(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}
CurlLoop::~CurlLoop() { state_->close(); }

asio::awaitable<int> CurlLoop::run(void* easy) { return state_->run(easy); }

}  // namespace vigil::http
