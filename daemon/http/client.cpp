#include "daemon/http/client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "core/check.hpp"
#include "core/deadline.hpp"
#include "core/log.hpp"
#include "daemon/http/curl_loop.hpp"
#include "daemon/http/cut_secrets.hpp"
#include "daemon/http/redirect.hpp"

namespace vigil::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t answer_head_bytes_max = 64 * 1024;
constexpr long heard_buffer_bytes = 4 * 1024;

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

// What a request was made of may hold tokens, in its headers and, at Telegram, in its address.
struct Wipe {
  explicit Wipe(Request& what) : of(what) {}
  Wipe(const Wipe&) = delete;
  Wipe& operator=(const Wipe&) = delete;
  ~Wipe() {
    for (auto& [name, value] : of.headers) explicit_bzero(value.data(), value.size());
    explicit_bzero(of.url.data(), of.url.size());
    explicit_bzero(of.secret.data(), of.secret.size());
  }
  Request& of;
};

// One exchange: everything libcurl points into while it goes on.
struct Exchange {
  Request request;
  Wipe at_the_end{request};
  Destination to;
  const Reach* reach = nullptr;
  std::string refused;  // why an address was not connected to
  const Clock* clock = nullptr;
  Duration ends_at{0};   // in steady time, as is
  Duration heard_at{0};  // the last byte
  Answer answer;
  std::size_t head_bytes = 0;
  std::array<char, CURL_ERROR_SIZE> error{};
  List headers;
  Easy easy;
};

std::size_t on_head(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.heard_at = exchange.clock->steady_now();
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
  exchange.heard_at = exchange.clock->steady_now();
  if (exchange.request.heard) {
    long status = 0;
    curl_easy_getinfo(exchange.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
      if (exchange.request.heard({bytes, count})) return count;
      exchange.answer.body_cut = true;
      return 0;
    }
  }
  auto& body = exchange.answer.body;
  const auto room = exchange.request.answer_bytes_max - body.size();
  body.append(bytes, std::min(count, room));
  if (count <= room) return count;
  exchange.answer.body_cut = true;
  return 0;  // ends the exchange; what is here is the answer
}

// Where the address leads, in the eyes of libcurl, which is the one that goes there.
std::optional<Destination> destination_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  VIGIL_CHECK(parsed != nullptr);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) {
      return std::string();
    }
    const std::string out(text);
    curl_free(text);
    return out;
  };
  Destination out;
  out.host = part(CURLUPART_HOST);
  if (out.host.starts_with('[')) out.host = out.host.substr(1, out.host.size() - 2);
  if (out.host.ends_with('.')) out.host.pop_back();
  const auto port = part(CURLUPART_PORT);
  std::from_chars(port.data(), port.data() + port.size(), out.port);
  return out;
}

std::optional<ip::Address> address_of(const sockaddr* from) {
  ip::Address out{};
  if (from->sa_family == AF_INET6) {
    std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
    return out;
  }
  if (from->sa_family != AF_INET) return std::nullopt;
  out[10] = out[11] = 0xff;
  std::memcpy(out.data() + 12, &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
  return out;
}

// May the exchange go there? A port that is not the destination's is that of a proxy, which the
// administrator put into the environment.
bool is_in_reach(Exchange& exchange, const std::optional<ip::Address>& address, int port) {
  if (port != exchange.to.port) return true;
  auto why =
      address ? exchange.reach->why_not(exchange.to, *address) : "no address of the internet";
  if (!why) return true;
  exchange.refused = std::move(*why);
  return false;
}

curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* to) {
  // Both families have the port at the same place.
  const int port = ntohs(reinterpret_cast<const sockaddr_in*>(&to->addr)->sin_port);
  if (!is_in_reach(*static_cast<Exchange*>(self), address_of(&to->addr), port)) {
    return CURL_SOCKET_BAD;
  }
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

// The same for a connection that was there already, opened for somebody who may have gone further.
int on_connected(void* self, char* address, char*, int port, int) {
  const auto connected = ip::parse_address(address);
  return is_in_reach(*static_cast<Exchange*>(self), connected, port) ? CURL_PREREQFUNC_OK
                                                                     : CURL_PREREQFUNC_ABORT;
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
    auto line = value.empty() ? name + ";" : fmt::format("{}: {}", name, value);
    add(line);
    explicit_bzero(line.data(), line.size());  // it may be a token
  }
  add("Expect:");  // no waiting for 100 Continue
  return List(list);
}

std::unique_ptr<Exchange> make_exchange(Request request, const Clock& clock) {
  auto out = std::make_unique<Exchange>();
  const Duration time_left = request.deadline - clock.now();
  out->clock = &clock;
  out->heard_at = clock.steady_now();
  out->ends_at = out->heard_at + time_left;
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
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &on_open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, out.get());
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &on_connected);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, out.get());
  // A second opinion: should the wall clock stop or jump back, this one goes on.
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(2 * time_left);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  // What comes in small pieces needs no large buffer, and there may be a thousand of these.
  if (asked.heard) curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, heard_buffer_bytes);
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
  State(const asio::any_io_executor& executor, Clock& time, const Reach& where)
      : clock(time), reach(where), curl(executor) {}

  asio::awaitable<std::string> watch(const Exchange* exchange);
  asio::awaitable<Received> exchange(Request request);

  Clock& clock;
  const Reach& reach;
  CurlLoop curl;
};

namespace {

// Where the request leads; refused when libcurl would not go there, or it is an address out of
// reach. A name is looked at when its addresses are known.
std::expected<Destination, Failure> check_destination(const Request& request, const Reach& reach) {
  auto to = destination_of(request.url);
  if (!to) return std::unexpected(refuse(ErrorCode::invalid_input, "it is no address of the web"));
  const auto written = destination_of(request.configured);
  if (written && written->host == to->host && written->port == to->port) {
    to->written = Written::in_configuration;
  }
  const auto literal = ip::parse_address(is_localhost(to->host) ? "127.0.0.1" : to->host);
  auto why = literal ? reach.why_not(*to, *literal) : std::nullopt;
  if (why) return std::unexpected(refuse(ErrorCode::forbidden, std::move(*why)));
  return *to;
}

}  // namespace

// Returns when the exchange has had its time, with what it is told then. In steady time: a clock
// that is set must not end it, nor keep it.
asio::awaitable<std::string> Client::State::watch(const Exchange* exchange) {
  const auto silence_max = exchange->request.silence_max;
  while (true) {
    const auto now = clock.steady_now();
    auto left = exchange->ends_at - now;
    if (silence_max > Duration{0}) {
      const auto quiet = now - exchange->heard_at;
      if (quiet >= silence_max) {
        co_return fmt::format("nothing came for {}", vigil::to_text(silence_max));
      }
      left = std::min(left, silence_max - quiet);
    }
    if (now >= exchange->ends_at) co_return "no answer before the timeout";
    co_await clock.sleep_for(left);
  }
}

asio::awaitable<Received> Client::State::exchange(Request request) {
  const auto to = check_destination(request, reach);
  if (!to) co_return std::unexpected(to.error());
  const auto exchange = make_exchange(std::move(request), clock);
  exchange->to = *to;
  exchange->reach = &reach;
  auto executor = co_await asio::this_coro::executor;
  auto running = curl.run(exchange->easy.get());
  auto watching = watch(exchange.get());
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, std::move(running), asio::deferred),
      asio::co_spawn(executor, std::move(watching), asio::deferred));
  auto [order, run_error, code, watch_error, late] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] != 0) {
    if (watch_error) std::rethrow_exception(watch_error);  // we were cancelled from outside
    co_return std::unexpected(Failure{Error{ErrorCode::timed_out, std::move(late)},
                                      was_sent(exchange->easy.get()), true});
  }
  if (run_error) std::rethrow_exception(run_error);
  long status = 0;
  curl_easy_getinfo(exchange->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange->answer.status = static_cast<int>(status);
  const auto ended = static_cast<CURLcode>(code);
  const bool cut = ended == CURLE_WRITE_ERROR && exchange->answer.body_cut;
  if (ended != CURLE_OK && !cut && !exchange->refused.empty()) {
    co_return std::unexpected(refuse(ErrorCode::forbidden, exchange->refused));
  }
  if (ended != CURLE_OK && !cut) co_return std::unexpected(failure_of(*exchange, ended));
  co_return std::move(exchange->answer);
}

Client::Client(asio::any_io_executor executor, Clock& clock, const Reach& reach)
    : state_(std::make_shared<State>(executor, clock, reach)) {}
Client::~Client() = default;

asio::awaitable<Received> Client::perform(Request request) {
  const Wipe at_the_end(request);
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
    auto next = result && hop < redirects_max ? redirect_of(request, *result) : std::nullopt;
    if (!next) {
      cut_secrets_out(result, request);
      co_return result;
    }
    request.url = std::move(*next);
  }
}

}  // namespace vigil::http
