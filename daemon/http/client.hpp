#pragma once
// The HTTP client: libcurl's multi interface driven by the loop. HTTP/1.1 and HTTP/2, connections
// kept for reuse, proxies of the environment (http_proxy, https_proxy, no_proxy), certificates
// always checked. Makes no system call while no request is open; names are looked up on a thread
// of libcurl's that ends with the look-up. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "daemon/http/reach.hpp"

namespace vigil::http {

// Whether the request may travel on a connection that was used before. libcurl sends a request
// again when such a connection turns out to be dead, so what must not arrive twice takes a new one.
enum class Connection { any, fresh };

struct Request {
  std::string method = "POST";
  std::string url;  // http or https
  // The address in the configuration that `url` rests on. While both name the same host and port, a
  // host that is an address or localhost is meant (reach.hpp). Empty: it came from elsewhere.
  std::string configured;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  TimePoint deadline;  // of the whole exchange
  std::size_t answer_bytes_max = 1024 * 1024;
  Connection connection = Connection::any;
  // Cut out of the answer and of what failed, as these are stored and logged. What follows the
  // scheme in Authorization is as well.
  std::string secret;
  // Is given the body of a 2xx answer as it comes, which then is not kept. False ends the exchange:
  // the answer is whole as far as it was heard. Must not throw.
  std::function<bool(std::string_view)> heard;
  Duration silence_max{0};  // nothing comes for longer: the exchange failed; 0: any time
};

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  bool body_cut = false;  // there was more than answer_bytes_max
  std::string_view header(std::string_view lower_case_name) const;  // "" when absent
  bool ok() const { return status >= 200 && status < 300; }
};

struct Failure {
  Error error;                    // in words: what failed and what to do
  bool may_have_arrived = false;  // something of the request was sent
  bool worth_retrying = true;     // false: wrong address, wrong certificate
};

using Received = std::expected<Answer, Failure>;

class Client {
 public:
  // Goes where `reach` allows; it may change between requests.
  Client(boost::asio::any_io_executor executor, Clock& clock, const Reach& reach);
  ~Client();  // no request may be open

  // Every status is an answer. Redirects are followed within the same scheme, host and port (307
  // and 308; 301 to 303 for GET), three at most; any other one is the answer itself. Cancelling
  // ends the exchange at once.
  boost::asio::awaitable<Received> perform(Request request);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The header of a token, without a copy of it left behind; the client wipes what it was given.
std::pair<std::string, std::string> bearer(std::string_view token);

// What `Retry-After` asks for: seconds or an HTTP date.
std::optional<Duration> retry_after(const Answer& answer, TimePoint now);

}  // namespace vigil::http
