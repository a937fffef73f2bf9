#include "ctl/client.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <cstring>
#include <filesystem>
#include <thread>

#include "core/digest.hpp"

using namespace vigil;
using namespace vigil::ctl;

namespace {

// Answers one connection with these bytes, whatever is asked; keeps what was asked.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer)
      : path_(std::filesystem::temp_directory_path() / ("ctl-" + random_hex(6) + ".sock")),
        door_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(door_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(door_.get(), 1) == 0);
    thread_ = std::thread([this, answer = std::move(answer)] {
      const Descriptor peer(::accept(door_.get(), nullptr, nullptr));
      char block[4096];
      const auto got = ::recv(peer.get(), block, sizeof block, 0);
      if (got > 0) asked.assign(block, static_cast<std::size_t>(got));
      (void)::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    });
  }
  ~OneAnswer() {
    if (thread_.joinable()) thread_.join();
    std::filesystem::remove(path_);
  }
  void join() { thread_.join(); }
  std::string path() const { return path_; }
  std::string asked;

 private:
  std::filesystem::path path_;
  Descriptor door_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a head is read with its status, type and length") {
  const auto head =
      parse_head("HTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\ncontent-length:  12\r\n");
  REQUIRE(head);
  CHECK(head->status == 404);
  CHECK(head->content_type == "a/b");
  CHECK(head->content_length == 12);
  CHECK(!parse_head("HTTP/1.1 200 OK\r\n")->content_length);
  CHECK(!parse_head("SSH-2.0-x\r\n"));
  CHECK(!parse_head("HTTP/1.1 2x0 OK\r\n"));
  CHECK(!parse_head("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n"));
}

TEST_CASE("server-sent events are taken whole, comments have no data") {
  std::string buffer = ": hello\n\nevent: task\ndata: {\"a\":1}\n\ndata: half";
  auto item = take_sse(buffer);
  REQUIRE(item);
  CHECK(item->data.empty());
  item = take_sse(buffer);
  REQUIRE(item);
  CHECK(item->event == "task");
  CHECK(item->data == "{\"a\":1}");
  CHECK(!take_sse(buffer));
  CHECK(buffer == "data: half");
}

TEST_CASE("names are encoded for a path") {
  CHECK(percent_encoded("a-b_c.d~1") == "a-b_c.d~1");
  CHECK(percent_encoded("octo/repo #1é") == "octo%2Frepo%20%231%C3%A9");
}

TEST_CASE("an answer with a length is read to its end, one without until the connection closes") {
  {
    OneAnswer daemon("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}trailing");
    const auto reply = Client(daemon.path()).ask("POST", "/v1/x", "{\"a\":1}");
    REQUIRE(reply);
    CHECK(reply->body == "{}");
    daemon.join();
    CHECK(daemon.asked.starts_with("POST /v1/x HTTP/1.1\r\nHost: vigild\r\n"));
    CHECK(daemon.asked.ends_with("Content-Length: 7\r\n\r\n{\"a\":1}"));
  }
  OneAnswer daemon("HTTP/1.1 503 Unavailable\r\n\r\nuntil the end");
  const auto reply = Client(daemon.path()).ask("GET", "/");
  REQUIRE(reply);
  CHECK(reply->status == 503);
  CHECK(reply->body == "until the end");
}

TEST_CASE("an answer that breaks off is an error, not half an answer") {
  for (const char* answer : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
                             "SSH-2.0-OpenSSH\r\n\r\n"}) {
    CAPTURE(answer);
    OneAnswer daemon(answer);
    const auto reply = Client(daemon.path()).ask("GET", "/");
    REQUIRE(!reply);
    CHECK(reply.error().code == ErrorCode::unavailable);
  }
}

TEST_CASE("where no daemon answers the message says how to start one") {
  const auto reply = Client("/nowhere/admin.sock").ask("GET", "/");
  REQUIRE(!reply);
  CHECK(reply.error().code == ErrorCode::unavailable);
  CHECK(reply.error().message.find("vigild --config") != std::string::npos);
  CHECK(reply.error().message.find("--socket") != std::string::npos);
  const auto too_long = Client(std::string(200, 'x')).ask("GET", "/");
  CHECK(too_long.error().message.find("too long") != std::string::npos);
}

TEST_CASE("news are heard one by one until the stream ends") {
  OneAnswer daemon(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: listening\n\n"
      "event: task\ndata: {\"id\":1}\n\nevent: task\ndata: nonsense\n\ndata: {\"id\":2}\n\n");
  auto stream = Client(daemon.path()).follow("/v1/tail");
  REQUIRE(stream);
  json::object item;
  CHECK(stream->next(item) == Stream::Heard::item);
  CHECK(item.at("id") == 1);
  CHECK(stream->next(item, std::chrono::seconds{5}) == Stream::Heard::item);
  CHECK(item.at("id") == 2);
  CHECK(stream->next(item) == Stream::Heard::ended);
}

TEST_CASE("a refused tail is told with its reason") {
  OneAnswer daemon(
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 33\r\n\r\n"
      "{\"error\":\"no topic\",\"hint\":\"hm\"}\n\n");
  const auto stream = Client(daemon.path()).follow("/v1/tail?topics=x");
  REQUIRE(!stream);
  CHECK(stream.error().message == "no topic");
}
