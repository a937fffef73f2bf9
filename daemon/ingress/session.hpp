#pragma once
// One connection: requests in, answers out, until either side is done. Private to ingress; loop
// thread only. While it waits for a request it holds no buffer.
#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "daemon/ingress/gate.hpp"

namespace vigil::ingress {

// What all sessions of a server share.
struct Desk {
  Clock& clock;
  ServerLimits limits;
  Handler handler;
  HeadCheck head_check;
  ServerStats stats;
  bool draining = false;
  std::size_t body_bytes = 0;                          // of all requests that are here
  std::string scratch = std::string(64 * 1024, '\0');  // one read at a time on one thread
  std::string date;                                    // of `date_second`
  std::int64_t date_second = -1;
};

class Session {
 public:
  // Takes the connected, non-blocking descriptor over.
  Session(Desk& desk, const boost::asio::any_io_executor& executor, int fd, Peer peer);
  ~Session();

  // Never throws for what the client does. Throws operation_aborted when cancelled.
  boost::asio::awaitable<void> run();
  // Called by the server's sweep, with the steady clock.
  void sweep(Duration now);
  void drain();  // ends at once when it is between requests
  void cut();
  Duration deadline() const { return deadline_; }

  // What becomes of it when there is no room for others: between two requests it is missed least,
  // while a request is on its way it can be sent again, and being answered it stays.
  enum class Worth { least, some, stays };
  Worth worth() const {
    if (phase_ == Phase::idle && !first_) return Worth::least;
    return phase_ == Phase::idle || phase_ == Phase::receiving ? Worth::some : Worth::stays;
  }
  Duration since() const { return since_; }  // it is at what it does
  void evict() {
    ++desk_.stats.evicted;
    phase_ = Phase::leaving;
    cut();
  }
  const Peer& peer() const { return peer_; }

 private:
  struct Wire;  // the socket, behind a door that keeps Asio out of this header
  enum class Phase { idle, receiving, handling, answering, leaving };
  enum class Got { data, nothing, end, late };

  boost::asio::awaitable<Got> readable();
  boost::asio::awaitable<Got> receive();
  boost::asio::awaitable<Got> receive_into(std::string& body, std::size_t left);
  static Got got(ssize_t count);
  boost::asio::awaitable<GateAnswer> next_head();
  // Nothing: the body is whole.
  boost::asio::awaitable<std::optional<Response>> read_body(Request& request, std::size_t length);
  boost::asio::awaitable<Response> handle(Request request);
  boost::asio::awaitable<bool> send(std::string bytes);
  boost::asio::awaitable<bool> answer(Response response, bool head_only, bool keep_alive);
  boost::asio::awaitable<void> stream(Response response);
  boost::asio::awaitable<bool> until_gone();
  boost::asio::awaitable<void> linger();
  boost::asio::awaitable<void> turn_away(Response refusal, bool head_only);
  boost::asio::awaitable<bool> serve_one();
  std::optional<Response> refusal_of(const GateAnswer& head);
  std::string head_of(const Response& response, bool keep_alive);
  void enter(Phase phase, Duration limit) {
    phase_ = phase;
    since_ = desk_.clock.steady_now();
    deadline_ = limit == Duration::max() ? limit : since_ + limit;
  }
  bool hold(std::size_t bytes);
  void let_go();

  Desk& desk_;
  std::unique_ptr<Wire> wire_;
  Peer peer_;
  std::string buffer_;  // arrived and not used yet
  Phase phase_ = Phase::idle;
  Duration since_ = desk_.clock.steady_now();  // of the phase
  Duration deadline_ = Duration::max();
  std::size_t held_ = 0;  // of desk_.body_bytes
  bool late_ = false;
  bool first_ = true;
  bool old_client_ = false;  // HTTP/1.0: has to be told that the connection stays
};

}  // namespace vigil::ingress
