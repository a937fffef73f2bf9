// wss:// against a real TLS server: who is believed, and under which name.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/log.hpp"
#include "daemon/ingress/websocket.hpp"
#include "swarm/child.hpp"
#include "tests/support/clocked_world.hpp"

using namespace vigil;
using namespace vigil::ingress;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// One message to whoever greets it; tells the name that the client asked for (SNI).
constexpr const char* server_script = R"(
import base64, hashlib, socket, ssl, subprocess
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
  "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days", "2",
  "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True,
  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
asked = []
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("c.pem", "k.pem")
context.sni_callback = lambda _, name, __: asked.append(name)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
  plain, _ = listener.accept()
  try:
    with context.wrap_socket(plain, server_side=True) as peer:
      head = b""
      while b"\r\n\r\n" not in head:
        head += peer.recv(4096)
      keys = [l for l in head.split(b"\r\n") if l.lower().startswith(b"sec-websocket-key")]
      key = keys[0].split(b": ")[1]
      digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
      accept = base64.b64encode(digest)
      text = ("hello " + str(asked[-1])).encode()
      peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n\x81" +
        bytes([len(text)]) + text)
      peer.recv(4096)
  except (OSError, ssl.SSLError, IndexError):
    pass
)";

struct World : testing::ClockedWorld {
  World() : ClockedWorld(parse_rfc3339("2026-11-24T10:00:00Z").value()) {
    set_log_level(LogLevel::off);
  }
  // What is heard first, or why nothing is.
  std::string hear(const std::string& url, const std::string& ca) {
    std::string out;
    run([&]() -> asio::awaitable<void> {
      auto opening = open_websocket({.url = url, .ca = ca, .idle = 9s});
      auto opened = co_await std::move(opening);
      if (!opened) {
        out = opened.error().message;
        co_return;
      }
      auto receiving = (*opened)->receive();
      Result<std::string_view> text = co_await std::move(receiving);
      out = text ? std::string(*text) : text.error().message;
    });
    return out;
  }
};

}  // namespace

TEST_CASE("over TLS the server must be vouched for, under the name that was asked for") {
  World world;
  swarm::ChildSpec spec;
  spec.argv = {"python3", "-c", server_script};
  spec.workdir = world.path;
  spec.containment = swarm::Containment::none;
  auto started = swarm::Child::start(world.loop.get_executor(), spec);
  REQUIRE(started.has_value());
  std::string said;
  world.run([&]() -> asio::awaitable<void> {
    auto reading = started->read_output();
    said = co_await std::move(reading);
  });
  if (said.empty()) {
    MESSAGE("skipped: python3 and openssl are needed to make a TLS server");
    return;
  }
  const auto port = std::stoi(said);
  const auto ca = (world.path / "c.pem").string();
  const auto at = [&](const char* host) { return fmt::format("wss://{}:{}/ws", host, port); };
  CHECK(world.hear(at("localhost"), ca) == "hello localhost");
  CHECK(world.hear(at("localhost"), "").starts_with("TLS: "));  // nobody vouches for it
  CHECK(world.hear(at("127.0.0.1"), ca).starts_with("TLS: "));  // its certificate says localhost
  CHECK(world.hear(at("localhost"), "/nowhere.pem").starts_with("certificates cannot be read"));
  world.run([&]() -> asio::awaitable<void> {
    auto stopping = started->stop(world.clock, 2s);
    const swarm::ChildExit ended = co_await std::move(stopping);
    (void)ended;  // by our signal
  });
}
