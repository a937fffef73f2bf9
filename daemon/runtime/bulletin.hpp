#pragma once
// News for people who watch: what happened just now, to any number of listeners, nothing kept. A
// slow listener loses the oldest items and is told how many. Loop thread only. Costs nothing with
// no listener.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/json.hpp"

namespace vigil::runtime {

class Bulletin {
 public:
  explicit Bulletin(boost::asio::any_io_executor executor);
  ~Bulletin();

  // Topics: event decision swarm task action. Items hold "topic" and "at" beside what `make` gives;
  // `make` is called only when somebody listens.
  void post(const std::string& topic, const std::function<json::object()>& make);

  class Listener {
   public:
    Listener(Listener&&) noexcept;
    ~Listener();
    // The next item; waits for it. Throws operation_aborted on cancellation or when the bulletin
    // closes.
    boost::asio::awaitable<json::object> next();

   private:
    friend class Bulletin;
    struct State;
    explicit Listener(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
  };
  Listener listen();
  void close();  // ends all listeners

 private:
  struct Board;
  std::shared_ptr<Board> board_;
};

}  // namespace vigil::runtime
