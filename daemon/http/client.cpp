#include "daemon/http/client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>
#include <utility>

#include "core/bell.hpp"
#include "core/check.hpp"
#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/http/redirect.hpp"

namespace vigil::http {
namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;
namespace {

constexpr std::size_t answer_head_bytes_max = 64 * 1024;

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

// libcurl's multi handle on the loop: which sockets it wants watched and when it wants to be called
// again, nothing else.
struct CurlLoop final : std::enable_shared_from_this<CurlLoop> {
  explicit CurlLoop(asio::any_io_executor on) : executor(std::move(on)), timer(executor) {
    initialise_once();
    multi = curl_multi_init();
    VIGIL_CHECK(multi != nullptr);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 16L);  // kept for reuse
  }

  // Performs a transfer; the code it ended with. The handle must live until then. Cancelling takes
  // the transfer away and throws operation_aborted.
  asio::awaitable<CURLcode> run(CURL* easy);

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
    auto& loop = *static_cast<CurlLoop*>(self);
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
    auto& loop = *static_cast<CurlLoop*>(self);
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

// On every way out, cancellation included, libcurl forgets the handle before it dies.
struct Enlisted {
  Enlisted(CurlLoop& in, CURL* which) : loop(in), handle(which), transfer(in.executor) {
    loop.transfers[handle] = &transfer;
    added = curl_multi_add_handle(loop.multi, handle);
  }
  Enlisted(const Enlisted&) = delete;
  Enlisted& operator=(const Enlisted&) = delete;
  ~Enlisted() {
    curl_multi_remove_handle(loop.multi, handle);
    loop.transfers.erase(handle);
  }
  CurlLoop& loop;
  CURL* handle;
  Transfer transfer;
  CURLMcode added = CURLM_OK;
};

asio::awaitable<CURLcode> CurlLoop::run(CURL* easy) {
  Enlisted enlisted(*this, easy);
  if (enlisted.added != CURLM_OK) co_return CURLE_FAILED_INIT;
  co_await enlisted.transfer.done.wait();
  co_return enlisted.transfer.code;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

struct EasyDelete {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDelete>;
using List = std::unique_ptr<curl_slist, ListDelete>;

// One exchange: everything libcurl points into while it goes on.
struct Exchange {
  Request request;
  Answer answer;
  std::size_t head_bytes = 0;
  std::array<char, CURL_ERROR_SIZE> error{};
  List headers;
  Easy easy;
};

std::size_t on_head(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view line(bytes, count);
  if (line.starts_with("HTTP/")) {  // a further answer: after 1xx, or behind a proxy's own
    exchange.answer.headers.clear();
    return count;
  }
  exchange.head_bytes += count;
  if (exchange.head_bytes > answer_head_bytes_max) return 0;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return count;
  exchange.answer.headers.emplace_back(lower_case(trim(line.substr(0, colon))),
                                       std::string(trim(line.substr(colon + 1))));
  return count;
}

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  auto& body = exchange.answer.body;
  const auto room = exchange.request.answer_bytes_max - body.size();
  body.append(bytes, std::min(count, room));
  if (count <= room) return count;
  exchange.answer.body_cut = true;
  return 0;  // ends the exchange; what is here is the answer
}

bool is_clean(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 || c == '\t'; });
}

List make_headers(const Request& request) {
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    auto* longer = curl_slist_append(list, line.c_str());
    VIGIL_CHECK(longer != nullptr);
    list = longer;
  };
  for (const auto& [name, value] : request.headers) {
    add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  add("Expect:");  // no waiting for 100 Continue
  return List(list);
}

std::unique_ptr<Exchange> make_exchange(Request request, Duration time_left) {
  auto out = std::make_unique<Exchange>();
  out->request = std::move(request);
  out->headers = make_headers(out->request);
  out->easy.reset(curl_easy_init());
  VIGIL_CHECK(out->easy != nullptr);
  auto* easy = out->easy.get();
  const auto& asked = out->request;
  curl_easy_setopt(easy, CURLOPT_URL, asked.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, out->headers.get());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, out->error.data());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_head);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, out.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, out.get());
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  // A second opinion: should the wall clock stop or jump back, this one goes on.
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(2 * time_left);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  if (asked.connection == Connection::fresh) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  if (asked.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(asked.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, asked.body.data());
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, asked.method.c_str());
  }
  return out;
}

bool was_sent(CURL* easy) {
  long bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
  return bytes > 0;
}

bool is_hopeless(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_TOO_MANY_REDIRECTS:
      return true;
    default:
      return false;
  }
}

Failure failure_of(const Exchange& exchange, CURLcode code) {
  const char* detail =
      exchange.error.front() != '\0' ? exchange.error.data() : curl_easy_strerror(code);
  std::string advice;
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    advice = "; the certificate must be one this machine trusts (package ca-certificates)";
  } else if (code == CURLE_COULDNT_RESOLVE_HOST) {
    advice = "; check the host in the url";
  }
  return {Error{code == CURLE_OPERATION_TIMEDOUT ? ErrorCode::timed_out : ErrorCode::unavailable,
                fmt::format("{}{}", detail, advice)},
          was_sent(exchange.easy.get()), !is_hopeless(code)};
}

Failure refuse(ErrorCode code, std::string why) {
  return {Error{code, std::move(why)}, false, false};
}

}  // namespace

struct Client::State {
  State(const asio::any_io_executor& executor, Clock& time)
      : clock(time), curl(std::make_shared<CurlLoop>(executor)) {}
  ~State() { curl->close(); }

  asio::awaitable<Received> exchange(Request request);

  Clock& clock;
  std::shared_ptr<CurlLoop> curl;
};

asio::awaitable<Received> Client::State::exchange(Request request) {
  const auto left = request.deadline - clock.now();
  const auto exchange = make_exchange(std::move(request), left);
  auto running = curl->run(exchange->easy.get());
  auto limited = with_timeout(clock, left, std::move(running));
  Result<CURLcode> code = co_await std::move(limited);
  if (!code) {
    co_return std::unexpected(Failure{Error{ErrorCode::timed_out, "no answer before the timeout"},
                                      was_sent(exchange->easy.get()), true});
  }
  long status = 0;
  curl_easy_getinfo(exchange->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange->answer.status = static_cast<int>(status);
  const auto ended = *code;
  const bool cut = ended == CURLE_WRITE_ERROR && exchange->answer.body_cut;
  if (ended != CURLE_OK && !cut) co_return std::unexpected(failure_of(*exchange, ended));
  co_return std::move(exchange->answer);
}

Client::Client(asio::any_io_executor executor, Clock& clock)
    : state_(std::make_shared<State>(executor, clock)) {}
Client::~Client() = default;

asio::awaitable<Received> Client::perform(Request request) {
  for (const auto& [name, value] : request.headers) {
    if (is_clean(name) && is_clean(value)) continue;
    co_return std::unexpected(
        refuse(ErrorCode::invalid_input,
               fmt::format("the header {} holds a control character: remove it", quoted(name))));
  }
  for (int hop = 0;; ++hop) {
    if (request.deadline <= state_->clock.now()) {
      co_return std::unexpected(
          Failure{Error{ErrorCode::timed_out, "no answer before the timeout"}, hop > 0, true});
    }
    auto exchanging = state_->exchange(request);
    Received result = co_await std::move(exchanging);
    if (!result || hop == redirects_max) co_return result;
    auto next = redirect_of(request, *result);
    if (!next) co_return result;
    request.url = std::move(*next);
  }
}

}  // namespace vigil::http
