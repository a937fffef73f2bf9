#include "daemon/delivery/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/check.hpp"
#include "core/deadline.hpp"
#include "core/log.hpp"
#include "daemon/delivery/curl_loop.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr int redirects_max = 3;
constexpr std::size_t answer_head_bytes_max = 64 * 1024;

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
struct UrlDelete {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Easy = std::unique_ptr<CURL, EasyDelete>;
using List = std::unique_ptr<curl_slist, ListDelete>;
using Url = std::unique_ptr<CURLU, UrlDelete>;

// One exchange: everything libcurl points into while it goes on.
struct Exchange {
  HttpRequest request;
  HttpAnswer answer;
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

List make_headers(const HttpRequest& request) {
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

std::unique_ptr<Exchange> make_exchange(HttpRequest request, Duration time_left) {
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

HttpFailure failure_of(const Exchange& exchange, CURLcode code) {
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

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

// Where a redirect leads, if it stays on the same server.
std::optional<std::string> same_server(const std::string& from, const std::string& location) {
  const Url url(curl_url());
  VIGIL_CHECK(url != nullptr);
  constexpr std::array parts{CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
  if (curl_url_set(url.get(), CURLUPART_URL, from.c_str(), 0) != CURLUE_OK) return std::nullopt;
  std::array<std::string, parts.size()> before;
  for (std::size_t i = 0; i < parts.size(); ++i) before[i] = url_part(url.get(), parts[i]);
  if (curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) return std::nullopt;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (lower_case(before[i]) != lower_case(url_part(url.get(), parts[i]))) return std::nullopt;
  }
  return url_part(url.get(), CURLUPART_URL);
}

bool keeps_its_meaning(int status, const std::string& method) {
  if (status == 307 || status == 308) return true;
  return (status == 301 || status == 302 || status == 303) && method == "GET";
}

HttpFailure refuse(ErrorCode code, std::string why) {
  return {Error{code, std::move(why)}, false, false};
}

}  // namespace

struct HttpClient::State {
  State(const asio::any_io_executor& executor, Clock& time) : clock(time), curl(executor) {}

  asio::awaitable<HttpResult> exchange(HttpRequest request);

  Clock& clock;
  CurlLoop curl;
};

asio::awaitable<HttpResult> HttpClient::State::exchange(HttpRequest request) {
  const auto deadline = request.deadline;
  const auto exchange = make_exchange(std::move(request), deadline - clock.now());
  auto running = curl.run(exchange->easy.get());
  auto limited = with_deadline(clock, deadline, std::move(running));
  Result<int> code = co_await std::move(limited);
  if (!code) {
    co_return std::unexpected(
        HttpFailure{Error{ErrorCode::timed_out, "no answer before the timeout"},
                    was_sent(exchange->easy.get()), true});
  }
  long status = 0;
  curl_easy_getinfo(exchange->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange->answer.status = static_cast<int>(status);
  const auto ended = static_cast<CURLcode>(*code);
  const bool cut = ended == CURLE_WRITE_ERROR && exchange->answer.body_cut;
  if (ended != CURLE_OK && !cut) co_return std::unexpected(failure_of(*exchange, ended));
  co_return std::move(exchange->answer);
}

HttpClient::HttpClient(asio::any_io_executor executor, Clock& clock)
    : state_(std::make_shared<State>(executor, clock)) {}
HttpClient::~HttpClient() = default;

asio::awaitable<HttpResult> HttpClient::perform(HttpRequest request) {
  for (const auto& [name, value] : request.headers) {
    if (is_clean(name) && is_clean(value)) continue;
    co_return std::unexpected(
        refuse(ErrorCode::invalid_input,
               fmt::format("the header {} holds a control character: remove it", quoted(name))));
  }
  for (int hop = 0;; ++hop) {
    if (request.deadline <= state_->clock.now()) {
      co_return std::unexpected(
          HttpFailure{Error{ErrorCode::timed_out, "no answer before the timeout"}, hop > 0, true});
    }
    auto exchanging = state_->exchange(request);
    HttpResult result = co_await std::move(exchanging);
    if (!result || hop == redirects_max) co_return result;
    if (!keeps_its_meaning(result->status, request.method)) co_return result;
    auto next = same_server(request.url, std::string(result->header("location")));
    if (!next) co_return result;
    request.url = std::move(*next);
  }
}

std::string_view HttpAnswer::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find_if(
      headers, [&](const auto& header) { return header.first == lower_case_name; });
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::optional<Duration> retry_after(const HttpAnswer& answer, TimePoint now) {
  const auto text = answer.header("retry-after");
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size()) {
    constexpr std::int64_t a_year = 366 * 86'400;
    return std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, a_year)};
  }
  const auto at = curl_getdate(std::string(text).c_str(), nullptr);
  if (at < 0) return std::nullopt;
  return std::max(Duration{0}, TimePoint{std::chrono::seconds{at}} - now);
}

}  // namespace vigil::delivery
