#include "daemon/delivery/curl_loop.hpp"

#include <curl/curl.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "core/bell.hpp"
#include "core/check.hpp"

namespace vigil::delivery {
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

void initialise_once() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  VIGIL_CHECK(done == CURLE_OK);
}

}  // namespace

struct CurlLoop::State : std::enable_shared_from_this<State> {
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

  void close() {
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
    auto& state = *static_cast<State*>(self);
    const auto known = state.sockets.find(fd);
    if (wanted == CURL_POLL_REMOVE) {
      if (known != state.sockets.end()) {
        give_back(*known->second);
        state.sockets.erase(known);
      }
      return 0;
    }
    auto& socket = state.sockets[fd];
    if (socket == nullptr) socket = std::make_shared<Socket>(state.executor, fd);
    socket->wanted = wanted;
    state.watch(fd, socket);
    return 0;
  }

  void watch(int fd, const std::shared_ptr<Socket>& socket) {
    if ((socket->wanted & CURL_POLL_IN) != 0 && !socket->reading) {
      socket->reading = true;
      socket->descriptor.async_wait(Descriptor::wait_read,
                                    [self = weak_from_this(), fd, socket](auto error) {
                                      socket->reading = false;
                                      if (const auto state = self.lock(); state && !error) {
                                        state->act(fd, socket, CURL_CSELECT_IN);
                                      }
                                    });
    }
    if ((socket->wanted & CURL_POLL_OUT) != 0 && !socket->writing) {
      socket->writing = true;
      socket->descriptor.async_wait(Descriptor::wait_write,
                                    [self = weak_from_this(), fd, socket](auto error) {
                                      socket->writing = false;
                                      if (const auto state = self.lock(); state && !error) {
                                        state->act(fd, socket, CURL_CSELECT_OUT);
                                      }
                                    });
    }
  }

  void act(int fd, const std::shared_ptr<Socket>& socket, int happened) {
    if (multi == nullptr || socket->wanted == 0) return;
    int running = 0;
    curl_multi_socket_action(multi, fd, happened, &running);
    collect();
    if (socket->wanted != 0) watch(fd, socket);
  }

  static int on_timer(CURLM*, long ms, void* self) {
    auto& state = *static_cast<State*>(self);
    if (ms < 0) {
      state.timer.cancel();
      return 0;
    }
    state.timer.expires_after(std::chrono::milliseconds{ms});
    state.timer.async_wait([self_weak = state.weak_from_this()](auto error) {
      const auto state_now = self_weak.lock();
      if (error || !state_now || state_now->multi == nullptr) return;
      int running = 0;
      curl_multi_socket_action(state_now->multi, CURL_SOCKET_TIMEOUT, 0, &running);
      state_now->collect();
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

CurlLoop::CurlLoop(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}

CurlLoop::~CurlLoop() {
  VIGIL_CHECK(state_->transfers.empty());
  state_->close();
}

asio::awaitable<int> CurlLoop::run(void* easy) {
  // On every way out, cancellation included, libcurl forgets the handle before it dies.
  struct Enlisted {
    Enlisted(State& in, CURL* which) : state(in), handle(which), transfer(in.executor) {
      state.transfers[handle] = &transfer;
      added = curl_multi_add_handle(state.multi, handle);
    }
    Enlisted(const Enlisted&) = delete;
    Enlisted& operator=(const Enlisted&) = delete;
    ~Enlisted() {
      curl_multi_remove_handle(state.multi, handle);
      state.transfers.erase(handle);
    }
    State& state;
    CURL* handle;
    Transfer transfer;
    CURLMcode added = CURLM_OK;
  };
  const auto keep = state_;
  Enlisted enlisted(*keep, easy);
  if (enlisted.added != CURLM_OK) co_return static_cast<int>(CURLE_FAILED_INIT);
  co_await enlisted.transfer.done.wait();
  co_return static_cast<int>(enlisted.transfer.code);
}

}  // namespace vigil::delivery
