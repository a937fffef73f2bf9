#include "daemon/mail/wire.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "core/check.hpp"
#include "core/timeout.hpp"

namespace vigil::mail {
namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
namespace {

constexpr std::size_t read_bytes = 16 * 1024;
constexpr auto answered = asio::as_tuple(asio::use_awaitable);

struct ContextDelete {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslDelete {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

std::string last_tls_error() {
  char text[256] = {};
  const auto code = ERR_get_error();
  if (code == 0) return "the connection broke off";
  ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

bool is_address(const std::string& host) {
  boost::system::error_code error;
  (void)asio::ip::make_address(host, error);
  return !error;
}

Result<std::unique_ptr<SSL_CTX, ContextDelete>> make_context(const std::string& ca_file) {
  std::unique_ptr<SSL_CTX, ContextDelete> context(SSL_CTX_new(TLS_client_method()));
  VIGIL_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const int trusted = ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(context.get())
                          : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr);
  if (trusted != 1) {
    ERR_clear_error();
    return fail(ErrorCode::invalid_input,
                fmt::format("ca_file: {} holds no certificate that can be read", ca_file));
  }
  return context;
}

}  // namespace

struct Wire::State {
  State(asio::any_io_executor on, Clock& time, const http::Reach& where)
      : executor(std::move(on)), clock(time), allowed(where), socket(executor) {}

  asio::awaitable<Result<void>> reach(std::string host, int port);
  asio::awaitable<Result<void>> shake_hands(std::string host);
  asio::awaitable<Result<std::string>> take();
  asio::awaitable<Result<void>> give(std::string bytes);
  asio::awaitable<Result<void>> wait_for(int ssl_error);
  asio::awaitable<Result<void>> wait(Tcp::socket::wait_type what);

  asio::any_io_executor executor;
  Clock& clock;
  const http::Reach& allowed;
  Tcp::socket socket;
  std::unique_ptr<SSL_CTX, ContextDelete> context;
  std::unique_ptr<SSL, SslDelete> ssl;  // dies before the context
};

Wire::Wire(asio::any_io_executor executor, Clock& clock, const http::Reach& reach)
    : state_(std::make_unique<State>(std::move(executor), clock, reach)) {}
Wire::~Wire() { close(); }

void Wire::close() {
  boost::system::error_code ignored;  // it is given up either way
  state_->ssl.reset();
  state_->socket.close(ignored);
}

asio::awaitable<Result<void>> Wire::State::wait(Tcp::socket::wait_type what) {
  auto [error] = co_await socket.async_wait(what, answered);
  if (!error) co_return Result<void>();
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  co_return fail(ErrorCode::unavailable, error.message());
}

asio::awaitable<Result<void>> Wire::State::wait_for(int ssl_error) {
  if (ssl_error == SSL_ERROR_WANT_READ) {
    auto waiting = wait(Tcp::socket::wait_read);
    co_return co_await std::move(waiting);
  }
  if (ssl_error == SSL_ERROR_WANT_WRITE) {
    auto waiting = wait(Tcp::socket::wait_write);
    co_return co_await std::move(waiting);
  }
  co_return fail(ErrorCode::unavailable, last_tls_error());
}

asio::awaitable<Result<void>> Wire::State::reach(std::string host, int port) {
  Tcp::resolver resolver(executor);
  const auto service = std::to_string(port);
  auto [not_found, found] = co_await resolver.async_resolve(host, service, answered);
  if (not_found == asio::error::operation_aborted) {
    throw boost::system::system_error(not_found);
  }
  if (not_found) {
    co_return fail(ErrorCode::unavailable,
                   fmt::format("{}: {}; check the host", host, not_found.message()));
  }
  std::vector<Tcp::endpoint> places;
  for (const auto& entry : found) places.push_back(entry.endpoint());
  const http::Destination to{host, port, http::Written::in_configuration};
  if (auto out = http::keep_in_reach(allowed, to, places)) {
    co_return fail(ErrorCode::forbidden, std::move(*out));
  }
  auto [refused, where] = co_await asio::async_connect(socket, places, answered);
  if (refused == asio::error::operation_aborted) throw boost::system::system_error(refused);
  if (refused) {
    co_return fail(ErrorCode::unavailable, fmt::format("{}:{}: {}; does a server listen there?",
                                                       host, port, refused.message()));
  }
  boost::system::error_code ignored;  // comforts, both
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  socket.set_option(Tcp::no_delay(true), ignored);
  socket.native_non_blocking(true);
  co_return Result<void>();
}

asio::awaitable<Result<void>> Wire::connect(std::string host, int port, TimePoint until) {
  auto reaching = state_->reach(host, port);
  auto limited = with_timeout(state_->clock, until - state_->clock.now(), std::move(reaching));
  Result<Result<void>> reached = co_await std::move(limited);
  if (reached) co_return std::move(*reached);
  co_return fail(ErrorCode::timed_out, fmt::format("{}:{} does not answer", host, port));
}

asio::awaitable<Result<void>> Wire::State::shake_hands(std::string host) {
  while (true) {
    ERR_clear_error();
    const int done = SSL_connect(ssl.get());
    if (done == 1) co_return Result<void>();
    const int why = SSL_get_error(ssl.get(), done);
    const auto verdict = SSL_get_verify_result(ssl.get());
    if (verdict != X509_V_OK) {
      ERR_clear_error();
      co_return fail(ErrorCode::forbidden,
                     fmt::format("the certificate of {} is not trusted: {}; set ca_file to who "
                                 "signed it, and host to the name in it",
                                 host, X509_verify_cert_error_string(verdict)));
    }
    auto waiting = wait_for(why);
    Result<void> waited = co_await std::move(waiting);
    if (!waited) {
      co_return fail(ErrorCode::unavailable,
                     fmt::format("TLS with {}: {}; is tls right for this port?", host,
                                 waited.error().message));
    }
  }
}

asio::awaitable<Result<void>> Wire::start_tls(std::string host, std::string ca_file,
                                              TimePoint until) {
  auto context = make_context(ca_file);
  if (!context) co_return std::unexpected(std::move(context.error()));
  state_->context = std::move(*context);
  state_->ssl.reset(SSL_new(state_->context.get()));
  auto* ssl = state_->ssl.get();
  VIGIL_CHECK(ssl != nullptr);
  SSL_set_fd(ssl, state_->socket.native_handle());
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, host.c_str());
    SSL_set1_host(ssl, host.c_str());
  }
  auto shaking = state_->shake_hands(host);
  auto limited = with_timeout(state_->clock, until - state_->clock.now(), std::move(shaking));
  Result<Result<void>> shook = co_await std::move(limited);
  if (shook) co_return std::move(*shook);
  co_return fail(ErrorCode::timed_out,
                 fmt::format("{} does not answer TLS; is tls right for this port?", host));
}

asio::awaitable<Result<std::string>> Wire::State::take() {
  std::string bytes(read_bytes, '\0');
  while (true) {
    int ssl_error = SSL_ERROR_WANT_READ;
    ssize_t count = 0;
    if (ssl) {
      ERR_clear_error();
      const int got = SSL_read(ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
      ssl_error = got > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl.get(), got);
      count = got > 0 ? got : ssl_error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    } else {
      count = ::recv(socket.native_handle(), bytes.data(), bytes.size(), 0);
      const bool again = count < 0 && (errno == EAGAIN || errno == EINTR);
      if (count < 0 && !again) co_return fail(ErrorCode::unavailable, std::strerror(errno));
    }
    if (count >= 0) {
      bytes.resize(static_cast<std::size_t>(count));
      co_return bytes;
    }
    // While nothing comes no buffer is held.
    bytes = std::string();
    auto waiting = wait_for(ssl_error);
    Result<void> waited = co_await std::move(waiting);
    if (!waited) co_return std::unexpected(std::move(waited.error()));
    bytes.resize(read_bytes);
  }
}

asio::awaitable<Result<std::string>> Wire::read(TimePoint until) {
  auto taking = state_->take();
  auto limited = with_timeout(state_->clock, until - state_->clock.now(), std::move(taking));
  Result<Result<std::string>> taken = co_await std::move(limited);
  if (taken) co_return std::move(*taken);
  co_return fail(ErrorCode::timed_out, "the server does not answer");
}

asio::awaitable<Result<void>> Wire::State::give(std::string bytes) {
  std::string_view left = bytes;
  while (!left.empty()) {
    int ssl_error = SSL_ERROR_WANT_WRITE;
    ssize_t count = 0;
    if (ssl) {
      ERR_clear_error();
      const int gave = SSL_write(ssl.get(), left.data(), static_cast<int>(left.size()));
      ssl_error = gave > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl.get(), gave);
      count = gave;
    } else {
      count = ::send(socket.native_handle(), left.data(), left.size(), MSG_NOSIGNAL);
      const bool again = count < 0 && (errno == EAGAIN || errno == EINTR);
      if (count < 0 && !again) co_return fail(ErrorCode::unavailable, std::strerror(errno));
    }
    if (count > 0) {
      left.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    auto waiting = wait_for(ssl_error);
    Result<void> waited = co_await std::move(waiting);
    if (!waited) co_return waited;
  }
  std::ranges::fill(bytes, '\0');  // it may have been a password
  co_return Result<void>();
}

asio::awaitable<Result<void>> Wire::write(std::string bytes, TimePoint until) {
  auto giving = state_->give(std::move(bytes));
  auto limited = with_timeout(state_->clock, until - state_->clock.now(), std::move(giving));
  Result<Result<void>> given = co_await std::move(limited);
  if (given) co_return std::move(*given);
  co_return fail(ErrorCode::timed_out, "the server takes nothing more");
}

bool is_loopback_host(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace vigil::mail
