#pragma once
// Notices what does not happen: a source or an entity with `expect_every` that has heard nothing
// for longer. A silence is an event `vigil.silence` of source "vigil", its end `vigil.heard_again`;
// both have the form of an alert, so that an entity of kind ops makes an incident of them. One
// sleeper, until the next moment at which somebody is late: with nothing expected it makes no
// system call. Loop thread only. What was told is kept with the event that told it: after a restart
// a silence is judged by the last event on disk and told once, and nobody is blamed for the time in
// which nobody listened.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/bell.hpp"
#include "core/clock.hpp"
#include "core/task_group.hpp"
#include "daemon/ingress/noticed.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

enum class Expected { source, entity };

class Silences {
 public:
  Silences(boost::asio::any_io_executor executor, Clock& clock, AcceptNoticed accept);
  // Who is expected to be heard from. Those that stay keep what is known of them.
  void apply(const config::Settings& settings);
  // `down_since`: nobody listened between then and now.
  void start(storage::Stores& reader, std::optional<TimePoint> down_since = std::nullopt);
  // An event of that source, or one that the entity cares about, was stored just now.
  void heard(Expected what, const std::string& name);
  boost::asio::awaitable<void> stop();

  struct View {
    Expected what = Expected::source;
    std::string name;
    Duration every{0};
    std::optional<TimePoint> last;  // nothing: never
    TimePoint due;                  // when it is late; in the past: it is silent
    bool silent = false;            // and that was told
  };
  std::vector<View> views() const;

 private:
  using Key = std::pair<Expected, std::string>;
  struct Watched {
    Duration every{0};
    TimePoint since;                // expected from here on, when it was never heard
    std::optional<TimePoint> last;  // heard
    std::optional<TimePoint> told;  // a silence that began with this `last` (or `since`)
    bool known = false;             // the database was asked
    bool kept = false;              // `since` is on disk
    TimePoint from() const { return last.value_or(since); }
    Duration unheard{0};  // of the time since `from`, that in which nobody listened
    TimePoint due() const { return from() + every + unheard; }
  };
  void look_up(const Key& key, Watched& of);
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<bool> tell(Key key, std::string type, TimePoint from, TimePoint now);
  boost::asio::awaitable<bool> tell_all();
  boost::asio::awaitable<bool> remember();
  TimePoint next() const;

  Clock& clock_;
  AcceptNoticed accept_;
  storage::Stores* reader_ = nullptr;  // once started
  TimePoint started_{};
  TimePoint down_since_ = TimePoint::max();
  std::map<Key, Watched> watched_;
  Bell bell_;
  TaskGroup group_;
};

}  // namespace vigil::ingress
