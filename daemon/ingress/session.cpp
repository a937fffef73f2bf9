#include "daemon/ingress/session.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "core/log.hpp"
#include "daemon/ingress/status.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t body_piece_least = 16 * 1024;
constexpr std::size_t body_piece_most = 256 * 1024;
constexpr Duration linger_time = std::chrono::seconds{1};
constexpr std::size_t linger_bytes_max = 256 * 1024;
constexpr Duration body_grace = std::chrono::seconds{5};  // before the least rate is asked for
constexpr Duration newcomer_patience = std::chrono::seconds{1};  // while we drain

}  // namespace

struct Session::Wire {
  asio::generic::stream_protocol::socket socket;
};

Session::Session(Desk& desk, const asio::any_io_executor& executor, int fd, Peer peer)
    : desk_(desk),
      wire_(new Wire{asio::generic::stream_protocol::socket(executor)}),
      peer_(std::move(peer)) {
  boost::system::error_code failed;
  wire_->socket.assign({peer_.uid < 0 ? AF_INET : AF_UNIX, 0}, fd, failed);
  if (failed) ::close(fd);  // each use says what is wrong with it
}
Session::~Session() { let_go(); }

void Session::sweep(Duration now) {
  if (now < deadline_) return;
  late_ = true;
  deadline_ = Duration::max();
  if (phase_ != Phase::idle && phase_ != Phase::leaving) ++desk_.stats.timed_out;
  boost::system::error_code ignored;  // it may be closed already
  wire_->socket.cancel(ignored);
}

// Who has just connected was promised nothing yet: a request that comes at once is answered.
void Session::drain() {
  if (phase_ != Phase::idle) return;
  if (!first_) return cut();
  deadline_ = std::min(deadline_, desk_.clock.steady_now() + newcomer_patience);
}

void Session::cut() {
  boost::system::error_code ignored;  // it may be closed already
  wire_->socket.close(ignored);
}

// Until there is something to read: an idle connection has no buffer in the kernel's hands.
asio::awaitable<Session::Got> Session::readable() {
  auto [waited] = co_await wire_->socket.async_wait(asio::socket_base::wait_read, as_tuple);
  if (late_) co_return Got::late;
  co_return waited ? Got::end : Got::data;
}

Session::Got Session::got(ssize_t count) {
  if (count > 0) return Got::data;
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? Got::nothing : Got::end;
}

// More bytes into the buffer, which never holds more than a head may have and one byte.
asio::awaitable<Session::Got> Session::receive() {
  const auto most = desk_.limits.head_bytes_max + 1;
  while (true) {
    auto waiting = readable();
    const Got ready = co_await std::move(waiting);
    if (ready != Got::data) co_return ready;
    const auto room = std::min(most - std::min(buffer_.size(), most - 1), desk_.scratch.size());
    const auto count =
        ::recv(wire_->socket.native_handle(), desk_.scratch.data(), room, MSG_DONTWAIT);
    const Got result = got(count);
    if (result == Got::data) buffer_.append(desk_.scratch, 0, static_cast<std::size_t>(count));
    if (result != Got::nothing) co_return result;
  }
}

// More bytes of the body, straight to their place. A client gets as much memory as it has filled,
// not as it has announced. A small body is often there; a large one lets others have their turn.
asio::awaitable<Session::Got> Session::receive_into(std::string& body, std::size_t left) {
  for (bool wait = body.size() >= body_piece_most;; wait = true) {
    if (wait) {
      auto waiting = readable();
      const Got ready = co_await std::move(waiting);
      if (ready != Got::data) co_return ready;
    }
    const auto had = body.size();
    ssize_t count = 0;
    const auto room = std::min(left, std::clamp(had, body_piece_least, body_piece_most));
    body.resize_and_overwrite(had + room, [&](char* bytes, std::size_t) {
      count = ::recv(wire_->socket.native_handle(), bytes + had, room, MSG_DONTWAIT);
      return had + static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    });
    const Got result = got(count);
    if (result != Got::nothing) co_return result;
  }
}

asio::awaitable<GateAnswer> Session::next_head() {
  const GateLimits limits{.head_bytes_max = desk_.limits.head_bytes_max};
  auto patience = first_ ? desk_.limits.head_timeout : desk_.limits.idle_timeout;
  if (desk_.draining) patience = std::min(patience, newcomer_patience);
  enter(buffer_.empty() ? Phase::idle : Phase::receiving,
        buffer_.empty() ? patience : desk_.limits.head_timeout);
  if (buffer_.empty()) buffer_.shrink_to_fit();
  while (true) {
    if (!buffer_.empty()) {
      auto answer = read_head(buffer_, limits);
      if (answer.kind != GateAnswer::Kind::need_more) co_return answer;
      if (phase_ == Phase::idle) enter(Phase::receiving, desk_.limits.head_timeout);
    } else if (desk_.draining && !first_) {
      co_return GateAnswer{};
    }
    auto receiving = receive();
    const Got got = co_await std::move(receiving);
    if (got == Got::data) continue;
    GateAnswer out;  // need_more: nothing to answer
    if (got == Got::late && phase_ == Phase::receiving) {
      late_ = false;
      out.kind = GateAnswer::Kind::refuse;
      out.status = 408;
      out.why = "the head did not come in time";
    }
    co_return out;
  }
}

bool Session::hold(std::size_t bytes) {
  held_ += bytes;
  desk_.body_bytes += bytes;
  return desk_.body_bytes <= desk_.limits.bodies_bytes_max;
}

void Session::let_go() { desk_.body_bytes -= std::exchange(held_, 0); }

asio::awaitable<std::optional<Response>> Session::read_body(Request& request, std::size_t length) {
  const auto begun = desk_.clock.steady_now();
  enter(Phase::receiving, std::min(body_grace, desk_.limits.body_timeout));
  auto& body = request.body;
  body.assign(buffer_, 0, std::min(length, buffer_.size()));
  buffer_.erase(0, body.size());
  bool room = hold(body.size());
  while (room && body.size() < length) {
    // Never slower than the least rate, never longer than the limit.
    const auto rate = std::max<std::size_t>(desk_.limits.body_bytes_per_second_min, 1);
    const Duration earned = std::chrono::seconds(body.size() / rate);
    deadline_ = begun + std::min(desk_.limits.body_timeout, body_grace + earned);
    const auto had = body.size();
    auto receiving = receive_into(body, length - had);
    const Got got = co_await std::move(receiving);
    if (got == Got::end) {
      co_return error_response(
          400, fmt::format("the body ended after {} of {} bytes", body.size(), length),
          "send as many bytes as Content-Length says");
    }
    if (got == Got::late) {
      late_ = false;  // what is late is refused, the refusal is not
      co_return error_response(408, "the body did not come in time", "send it faster");
    }
    room = hold(body.size() - had);
  }
  if (room) co_return std::nullopt;
  body = {};
  let_go();
  co_return busy_response("too many bytes are on their way in");
}

asio::awaitable<Response> Session::handle(Request request) {
  const auto method = request.method;
  const std::string place(place_for_log(request.path()));
  try {
    auto handling = desk_.handler(std::move(request));
    co_return co_await std::move(handling);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    log_error("a request failed: method={} place={} error={}", method, vigil::quoted(place),
              vigil::quoted(error.what()));
  } catch (const std::exception& error) {
    log_error("a request failed: method={} place={} error={}", method, vigil::quoted(place),
              vigil::quoted(error.what()));
  }
  co_return error_response(500, "something went wrong here", "the daemon's log says what");
}

asio::awaitable<bool> Session::send(std::string bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto count = ::send(wire_->socket.native_handle(), bytes.data() + sent,
                              bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      continue;
    }
    if (count < 0 && errno != EAGAIN && errno != EINTR) co_return false;
    auto [error] = co_await wire_->socket.async_wait(asio::socket_base::wait_write, as_tuple);
    if (error || late_) co_return false;
  }
  co_return true;
}

std::string Session::head_of(const Response& response, bool keep_alive) {
  const auto now = desk_.clock.now();
  const auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (second != desk_.date_second) {
    desk_.date_second = second;
    desk_.date = http_date(now);
  }
  auto out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                         reason_of(response.status), desk_.date);
  add_field(out, "Content-Type", response.content_type);
  if (!response.stream) out += fmt::format("Content-Length: {}\r\n", response.body.size());
  for (const auto& [name, value] : response.headers) add_field(out, name, value);
  if (!keep_alive) {
    out += "Connection: close\r\n";
  } else if (old_client_) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

asio::awaitable<bool> Session::answer(Response response, bool head_only, bool keep_alive) {
  enter(Phase::answering, desk_.limits.write_timeout);
  auto bytes = head_of(response, keep_alive);
  if (!head_only) bytes += response.body;
  auto sending = send(std::move(bytes));
  co_return co_await std::move(sending);
}

asio::awaitable<bool> Session::until_gone() {
  while (true) {
    auto receiving = receive();
    const Got got = co_await std::move(receiving);
    buffer_.clear();  // a client that listens to a stream has nothing more to say
    if (got != Got::data) co_return true;
  }
}

// The stream, until it ends or the client goes away; whichever is first cancels the other.
asio::awaitable<void> Session::stream(Response response) {
  auto executor = co_await asio::this_coro::executor;
  enter(Phase::answering, desk_.limits.write_timeout);
  auto opening = send(head_of(response, false));
  const bool opened = co_await std::move(opening);
  if (!opened) co_return;
  enter(Phase::handling, Duration::max());
  const Send piece = [this](std::string bytes) -> asio::awaitable<bool> {
    enter(Phase::answering, desk_.limits.write_timeout);
    auto sending = send(std::move(bytes));
    const bool sent = co_await std::move(sending);
    enter(Phase::handling, Duration::max());
    co_return sent;
  };
  auto body = [](Response& from, Send with) -> asio::awaitable<bool> {
    auto streaming = from.stream(std::move(with));
    co_await std::move(streaming);
    co_return true;
  };
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, body(response, piece), asio::deferred),
      asio::co_spawn(executor, until_gone(), asio::deferred));
  auto [order, error, done, gone_error, gone] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  (void)order, (void)done, (void)gone_error, (void)gone;  // the connection ends either way
  if (!error) co_return;
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error&) {
    co_return;  // the client went away, or the news did
  } catch (const std::exception& failure) {
    log_error("a stream failed: error={}", vigil::quoted(failure.what()));
  }
}

// An answer that is sent while the client still sends would be lost with a reset: read on for a
// moment, then close.
asio::awaitable<void> Session::linger() {
  boost::system::error_code ignored;  // the other side may have closed
  wire_->socket.shutdown(asio::socket_base::shutdown_send, ignored);
  enter(Phase::leaving, linger_time);
  std::size_t dropped = buffer_.size();
  while (dropped < linger_bytes_max) {
    buffer_.clear();
    auto receiving = receive();
    const Got got = co_await std::move(receiving);
    if (got != Got::data) co_return;
    dropped += buffer_.size();
  }
}

// What is wrong with a request before its body is looked at, if anything.
std::optional<Response> Session::refusal_of(const GateAnswer& head) {
  if (head.kind == GateAnswer::Kind::refuse) {
    if (head.status != 408) ++desk_.stats.refused_framing;
    return error_response(head.status, head.why, "send a plain HTTP/1.1 request");
  }
  auto verdict = desk_.head_check(head.request);
  if (verdict.refuse_status != 0) {
    Response out;
    out.status = verdict.refuse_status;
    out.body = std::move(verdict.refuse_body);
    out.headers = std::move(verdict.refuse_headers);
    if (out.status == 405 && out.headers.empty() && head.request.method != "POST") {
      out.headers.emplace_back("Allow", "POST");
    }
    if (out.status == 503) out.headers.emplace_back("Retry-After", "5");
    return out;
  }
  if (head.content_length <= verdict.body_bytes_max) return std::nullopt;
  return error_response(413,
                        fmt::format("the body is larger than {} bytes", verdict.body_bytes_max),
                        "send less, or raise body_bytes_max of the source");
}

asio::awaitable<void> Session::turn_away(Response refusal, bool head_only) {
  auto answering = answer(std::move(refusal), head_only, false);
  const bool sent = co_await std::move(answering);
  if (!sent) co_return;
  auto lingering = linger();
  co_await std::move(lingering);
}

// True: the connection takes another request.
asio::awaitable<bool> Session::serve_one() {
  auto reading = next_head();
  GateAnswer head = co_await std::move(reading);
  first_ = false;
  if (head.kind == GateAnswer::Kind::need_more) co_return false;
  if (head.kind == GateAnswer::Kind::head) {
    ++desk_.stats.requests;
    buffer_.erase(0, head.head_bytes);
    head.request.peer = peer_;
    old_client_ = head.minor == 0;
  }
  const bool head_only = head.request.method == "HEAD";
  auto refusal = refusal_of(head);
  if (!refusal && head.expects_continue && head.content_length > 0 && buffer_.empty()) {
    auto inviting = send("HTTP/1.1 100 Continue\r\n\r\n");
    const bool sent = co_await std::move(inviting);
    if (!sent) co_return false;
  }
  if (!refusal) {
    auto reading_body = read_body(head.request, head.content_length);
    refusal = co_await std::move(reading_body);
  }
  if (refusal) {
    auto turning = turn_away(std::move(*refusal), head_only);
    co_await std::move(turning);
    co_return false;
  }
  enter(Phase::handling, Duration::max());
  auto handling = handle(std::move(head.request));
  Response response = co_await std::move(handling);
  if (response.stream && !head_only) {
    auto streaming = stream(std::move(response));
    co_await std::move(streaming);
    co_return false;
  }
  const bool keep = head.keep_alive && !response.close && !response.stream && !desk_.draining;
  auto answering = answer(std::move(response), head_only, keep);
  const bool sent = co_await std::move(answering);
  co_return sent&& keep;
}

asio::awaitable<void> Session::run() {
  bool more = true;
  while (more && !late_) {
    auto serving = serve_one();
    more = co_await std::move(serving);
    let_go();
  }
  deadline_ = Duration::max();
  cut();
}

}  // namespace vigil::ingress
