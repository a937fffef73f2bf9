// Where connections to mail servers do not go.
#include "daemon/mail/wire.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <exception>
#include <optional>

#include "tests/support/false_names.hpp"

using namespace vigil;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// Why it could not connect; empty: it could.
std::string refusal(const http::Reach& reach, const std::string& host, int port) {
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  std::optional<Result<void>> result;
  std::exception_ptr thrown;
  asio::co_spawn(
      loop,
      [&]() -> asio::awaitable<void> {
        mail::Wire wire(loop.get_executor(), *clock, reach);
        auto connecting = wire.connect(host, port, clock->now() + 20s);
        result = co_await std::move(connecting);
      },
      [&](std::exception_ptr error) { thrown = error; });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  return *result ? "" : result->error().message;
}

}  // namespace

TEST_CASE("a mail server is where the configuration says, and no name leads inside") {
  asio::io_context loop{1};
  asio::ip::tcp::acceptor server(loop, {asio::ip::address_v4::loopback(), 0});
  const int port = server.local_endpoint().port();
  const http::Reach reach;
  CHECK(refusal(reach, "127.0.0.1", port) == "");
  CHECK(refusal(reach, "localhost", port) == "");
  CHECK(refusal(reach, "mail.inside", port)
            .starts_with(
                "mail.inside is at 127.0.0.1, a loopback address, where requests do not go"));
  CHECK(refusal(http::Reach({"mail.inside"}), "mail.inside", port) == "");
  CHECK(refusal(http::Reach({"mail.inside:1"}), "mail.inside", port) != "");
  CHECK(refusal(http::Reach({"127.0.0.0/8"}), "mail.inside", port) == "");
}
