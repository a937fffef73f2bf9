#pragma once
// The composition root: makes every part, wires them, starts them in order and stops them in the
// opposite one. The only place that knows all of them. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "config/load.hpp"
#include "core/clock.hpp"
#include "daemon/service.hpp"

namespace vigil {

class LoopWatch;

struct AppOptions {
  std::string config_path;   // a vigild.toml or the directory that holds one
  std::string programs_dir;  // where vigil-task is
  bool sync = true;          // false only in benchmarks: what durability costs
  // Why only the doors and the admin socket open; empty: all does. Events are stored, nothing
  // decides or acts, until somebody asks to leave it.
  std::string safe_mode;
  std::function<void()> on_safe_mode_left;
  std::optional<TimePoint> down_since = {};  // nobody listened from then to this start
  std::string config_trouble;       // why an older configuration is used; empty: it is the present
  const LoopWatch* loop = nullptr;  // of the loop it runs on; outlives it
  PassedSockets sockets = {};       // doors that are open already
};

class App {
 public:
  // `clock` must outlive it. `broken` is called when the daemon cannot go on (the disk failed).
  App(boost::asio::any_io_executor executor, Clock& clock, AppOptions options,
      config::Settings settings, std::function<void(std::string)> broken);
  ~App();

  // Opens the database, recovers, opens the doors. An error says what to do; nothing is open then
  // (stop() may still be called).
  boost::asio::awaitable<Result<void>> start();
  // Doors first, then the work: nothing accepted is lost. Ends by `drain_timeout`.
  boost::asio::awaitable<void> stop();
  // Reads the configuration again and takes it in whole, or says what is wrong and changes nothing.
  config::LoadResult reload();
  // Once started: proves to the service manager that the daemon lives, until stop().
  void feed_watchdog(Service& service, Duration within);
  std::string condition() const;  // one sentence for people: what there is to do

  int webhook_port() const;  // of the first address; 0 before start()
  const config::Settings& settings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil
