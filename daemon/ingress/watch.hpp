#pragma once
// Watches repositories on this machine ([source.NAME] kind = "repository") and makes a push event
// of each ref that changed. Git is read by a contained child, when the kernel says that something
// was written, when somebody pokes, and every so often. Where each ref pointed is kept in the
// database and written with the events: what was pushed while the daemon was away is told once.
// Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/noticed.hpp"
#include "daemon/ingress/reading.hpp"
#include "storage/stores.hpp"
#include "swarm/runner.hpp"

namespace vigil::ingress {

class Watcher {
 public:
  Watcher(boost::asio::any_io_executor executor, Clock& clock, MakeRunner make_runner,
          AcceptNoticed accept);
  ~Watcher();
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  // Looks soon. False: there is no such source of this kind.
  bool poke(const std::string& source);
  boost::asio::awaitable<void> stop();

  struct View {
    std::string source;
    std::string path;
    std::size_t refs = 0;
    std::uint64_t looks = 0;
    std::uint64_t events = 0;
    TimePoint last_look{};
    std::string trouble;  // of the last look; empty: it went well
  };
  std::vector<View> views() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
