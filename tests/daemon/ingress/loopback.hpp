#pragma once
// A server on a free loopback port, its loop and its clock in the hands of the test, and clients
// that write and read raw bytes.
#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "core/bell.hpp"
#include "core/task_group.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::testing {

class Client {
 public:
  explicit Client(int port);
  explicit Client(const std::string& unix_path);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);  // all of them, or as many as the kernel takes
  void end_sending();                 // half-closes
  void leave();
  void read_what_came();

  std::string got;
  bool closed = false;  // by the server

 private:
  int fd_ = -1;
};

class Loopback {
 public:
  explicit Loopback(ingress::ServerLimits limits = {});
  Loopback(ingress::ServerLimits limits, ingress::Handler handler);
  Loopback(ingress::ServerLimits limits, ingress::Handler handler, ingress::HeadCheck check);
  ~Loopback();

  ManualClock clock{from_unix_us(1'770'000'000'000'000)};
  boost::asio::io_context loop{1};
  Bell bell{loop.get_executor()};  // for handlers to wait for
  ingress::HttpServer server;
  int port = 0;

  // Runs the loop until it holds. False when it does not within some real seconds.
  bool until(const std::function<bool()>& holds);
  void settle();  // until nothing is left to do now
  void advance(Duration by);
  // Until the client has got that many answers (their heads), or has been closed.
  bool answered(Client& client, std::size_t answers = 1);
  bool has_closed(Client& client);
  bool has_connections(int count);
  // Starts to drain; true once it is done.
  void start_drain(Duration limit);
  bool drained() const { return draining_ && group_.size() == 0; }

 private:
  bool draining_ = false;
  TaskGroup group_;
};

// Answers "METHOD TARGET BODY".
boost::asio::awaitable<ingress::Response> echo(ingress::Request request);

std::string post(std::string_view body, std::string_view fields = {});
// The bodies of answers that have a Content-Length, in order.
std::vector<std::string> bodies_of(std::string_view answers);
std::size_t count_of(std::string_view text, std::string_view part);

}  // namespace vigil::testing
