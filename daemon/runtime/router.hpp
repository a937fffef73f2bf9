#pragma once
// Takes accepted events in the order of the journal and puts each before the entities that want it
// (docs/design.md part 4.2). How far it came is a cursor, moved in the same commit as the wakes: a
// crash routes again exactly what was not routed. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <deque>

#include "core/bell.hpp"
#include "core/task_group.hpp"
#include "daemon/runtime/commit.hpp"
#include "daemon/runtime/house.hpp"

namespace vigil::runtime {

class Router {
 public:
  // `cancel` is told which cases' running swarms an event cancels.
  Router(House& house, std::function<void(const std::vector<CaseId>&)> cancel);

  void start();  // from the durable cursor
  boost::asio::awaitable<void> stop();
  void accepted(EventPtr event);
  // Routes one event once more, whatever the cursor says.
  boost::asio::awaitable<Result<void>> replay(EventPtr event);
  // Drops the wakes on events of that source that are not decided yet; the ledger says why. One
  // that took in another source's event, or a newer one of its own, stays.
  void supersede(const std::string& source, const std::string& why);
  void nudge() { bell_.ring(); }  // there may be room again

  std::int64_t unrouted() const { return known_.value - cursor_.value; }
  std::uint64_t routed() const { return routed_; }
  bool holds(const std::string& source) const;  // not routed yet, as far as memory shows

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<std::vector<Arrival>> next_arrivals();
  boost::asio::awaitable<void> drop(std::vector<Waiting> waiting, EventId last, std::string why);
  boost::asio::awaitable<bool> commit(std::vector<Arrival> arrivals);
  void tell_who_heard(const Arrival& arrival) const;
  std::vector<EventPtr> next_events();

  House& house_;
  std::function<void(const std::vector<CaseId>&)> cancel_;
  bool started_ = false;         // before, the journal has what is accepted
  EventId cursor_;               // routed up to here
  EventId known_;                // accepted up to here
  std::deque<EventPtr> fresh_;   // the newest accepted ones, while memory allows
  std::size_t batch_max_ = 256;  // 1 while a bad event is singled out
  std::uint64_t routed_ = 0;
  Bell bell_;
  TaskGroup group_;
};

}  // namespace vigil::runtime
