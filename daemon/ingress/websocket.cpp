#include "daemon/ingress/websocket.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/url/parse.hpp>

#include "core/log.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;

namespace {

constexpr auto awaited = asio::as_tuple(asio::use_awaitable);

std::string what(std::string_view step, const boost::system::error_code& error) {
  return fmt::format("{}: {}", step, error.message());
}

template <class Stream>
class BeastSocket final : public Socket {
 public:
  explicit BeastSocket(Stream stream) : stream_(std::move(stream)) {}

  asio::awaitable<Result<void>> send(std::string text) override {
    stream_.text(true);
    auto writing = stream_.async_write(asio::buffer(text), awaited);
    auto [error, count] = co_await std::move(writing);
    (void)count;
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    if (error) co_return fail(ErrorCode::unavailable, reason(error));
    co_return Result<void>{};
  }

  asio::awaitable<Result<std::string_view>> receive() override {
    buffer_.clear();
    auto [error, count] = co_await stream_.async_read(buffer_, awaited);
    (void)count;
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    if (error) co_return fail(ErrorCode::unavailable, reason(error));
    const auto data = buffer_.cdata();
    co_return std::string_view(static_cast<const char*>(data.data()), data.size());
  }

  void drop() override { beast::get_lowest_layer(stream_).close(); }

 private:
  std::string reason(const boost::system::error_code& error) const {
    if (error == beast::error::timeout) return "nothing was heard for too long";
    if (error != websocket::error::closed) return error.message();
    const auto& why = stream_.reason();
    if (why.reason.empty())
      return fmt::format("the server closed it: {}", static_cast<int>(why.code));
    return fmt::format("the server closed it: {} {}", static_cast<int>(why.code),
                       vigil::quoted(std::string_view(why.reason.data(), why.reason.size())));
  }

  Stream stream_;
  beast::flat_buffer buffer_;
};

template <class Stream>
void configure(Stream& stream, const SocketSettings& settings) {
  websocket::stream_base::timeout timeouts{};
  timeouts.handshake_timeout = std::chrono::seconds{15};
  timeouts.idle_timeout = settings.idle;
  timeouts.keep_alive_pings = true;  // at half of it
  stream.set_option(timeouts);
  stream.read_message_max(settings.message_bytes_max);
  stream.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
    request.set(beast::http::field::user_agent, "vigild");
  }));
  stream.auto_fragment(false);
}

struct Address {
  std::string host;
  std::string port;
  std::string target;
  std::string host_field;
  bool tls = false;
};

Result<Address> address_of(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || (parsed->scheme() != "wss" && parsed->scheme() != "ws")) {
    return fail(ErrorCode::invalid_input, "expected an address like wss://host/path");
  }
  Address out;
  out.tls = parsed->scheme() == "wss";
  out.host = parsed->host_address();
  out.port = parsed->has_port() ? std::string(parsed->port()) : out.tls ? "443" : "80";
  out.target = parsed->encoded_target().empty() ? "/" : std::string(parsed->encoded_target());
  out.host_field = std::string(parsed->encoded_host());
  if (parsed->has_port()) out.host_field += ":" + out.port;
  return out;
}

Result<void> trust(asio::ssl::context& context, const SocketSettings& settings) {
  boost::system::error_code error;
  if (settings.ca.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.load_verify_file(settings.ca, error);
  }
  if (error) return fail(ErrorCode::unavailable, what("certificates cannot be read", error));
  context.set_verify_mode(asio::ssl::verify_peer);
  return {};
}

template <class Stream>
asio::awaitable<Result<std::unique_ptr<Socket>>> greet(Stream stream, Address address,
                                                       SocketSettings settings) {
  configure(stream, settings);
  auto greeting = stream.async_handshake(address.host_field, address.target, awaited);
  auto [error] = co_await std::move(greeting);
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) co_return fail(ErrorCode::unavailable, what("the server refused", error));
  std::unique_ptr<Socket> socket = std::make_unique<BeastSocket<Stream>>(std::move(stream));
  co_return std::move(socket);
}

}  // namespace

asio::awaitable<Result<std::unique_ptr<Socket>>> open_websocket(SocketSettings settings) {
  const auto executor = co_await asio::this_coro::executor;
  const auto address = address_of(settings.url);
  if (!address) co_return std::unexpected(address.error());
  tcp::resolver resolver(executor);
  auto resolving = resolver.async_resolve(address->host, address->port, awaited);
  auto [unknown, places] = co_await std::move(resolving);
  if (unknown == asio::error::operation_aborted) throw boost::system::system_error(unknown);
  if (unknown) co_return fail(ErrorCode::unavailable, what("the host is not known", unknown));
  std::vector<tcp::endpoint> in_reach;
  for (const auto& place : places) in_reach.push_back(place.endpoint());
  const http::Destination to{address->host, std::atoi(address->port.c_str()),
                             http::Written::in_configuration};
  if (auto out = http::keep_in_reach(settings.reach, to, in_reach)) {
    co_return fail(ErrorCode::forbidden, std::move(*out));
  }
  beast::tcp_stream transport(executor);
  auto connecting = transport.async_connect(in_reach, awaited);
  auto [refused, endpoint] = co_await std::move(connecting);
  (void)endpoint;
  if (refused == asio::error::operation_aborted) throw boost::system::system_error(refused);
  if (refused) co_return fail(ErrorCode::unavailable, what("cannot connect", refused));
  boost::system::error_code ignored;  // it works without, only slower
  transport.socket().set_option(tcp::no_delay(true), ignored);
  if (!address->tls) {
    auto greeting =
        greet(websocket::stream<beast::tcp_stream>(std::move(transport)), *address, settings);
    co_return co_await std::move(greeting);
  }
  asio::ssl::context context(asio::ssl::context::tls_client);
  if (auto trusted = trust(context, settings); !trusted) {
    co_return std::unexpected(std::move(trusted.error()));
  }
  beast::ssl_stream<beast::tcp_stream> secure(std::move(transport), context);
  if (SSL_set_tlsext_host_name(secure.native_handle(), address->host.c_str()) != 1) {
    co_return fail(ErrorCode::invalid_input, "the host's name cannot be sent");
  }
  secure.set_verify_callback(asio::ssl::host_name_verification(address->host));
  auto shaking = secure.async_handshake(asio::ssl::stream_base::client, awaited);
  auto [distrusted] = co_await std::move(shaking);
  if (distrusted == asio::error::operation_aborted) {
    throw boost::system::system_error(distrusted);
  }
  if (distrusted) co_return fail(ErrorCode::unavailable, what("TLS", distrusted));
  auto greeting = greet(websocket::stream<beast::ssl_stream<beast::tcp_stream>>(std::move(secure)),
                        *address, settings);
  co_return co_await std::move(greeting);
}

}  // namespace vigil::ingress
