#pragma once
// Has guardians decide: takes ready wakes, asks on the decision threads (a process on the loop),
// commits, and passes on what was asked for (docs/design.md parts 4.3 and 4.4). After an unclean
// stop it goes carefully: a wake that takes the daemon down is found and buried. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <map>
#include <mutex>

#include "core/bell.hpp"
#include "core/task_group.hpp"
#include "daemon/runtime/consider.hpp"
#include "daemon/runtime/house.hpp"

namespace boost::asio {
class thread_pool;
}
namespace vigil::entities {
class ProcessHost;
}

namespace vigil::runtime {

class Host {
 public:
  // What a committed decision asked for; `source` is that of its events, if any.
  using Asked = std::function<void(const Committed& committed, const std::string& source)>;

  Host(House& house, Asked asked);
  ~Host();
  void start(int threads, std::size_t careful_wakes);
  // The inhabitants changed: children of entities that are gone, or run another program or
  // elsewhere, are stopped; the others go on under their new settings.
  void adopt();
  void pump();  // decides what is ready, as far as threads go
  boost::asio::awaitable<void> stop(TimePoint deadline);

  std::size_t deciding() const { return deciding_; }
  std::uint64_t decisions() const { return decisions_; }
  std::uint64_t failures() const { return failures_; }
  std::int64_t buried() const { return buried_; }  // since the start

 private:
  struct Outcome;
  std::vector<Waiting> next_batch();
  boost::asio::awaitable<void> decide(std::vector<Waiting> batch);
  boost::asio::awaitable<void> decide_by_process(Waiting waiting);
  boost::asio::awaitable<void> begin_attempts(std::vector<Waiting> batch);
  std::unique_ptr<storage::Stores> borrow_reader();  // on the decision threads
  boost::asio::awaitable<std::vector<Considered>> consider_all(std::vector<Waiting> batch);
  boost::asio::awaitable<void> settle(std::vector<Considered> considered);
  boost::asio::awaitable<Result<std::vector<Outcome>>> commit(
      std::shared_ptr<std::vector<Considered>> considered);
  void conclude(Considered& considered, const Outcome& outcome);
  std::shared_ptr<entities::ProcessHost> process_of(const Inhabitant& who);

  House& house_;
  Asked asked_;
  std::unique_ptr<boost::asio::thread_pool> pool_;
  int threads_ = 1;
  std::mutex readers_lock_;
  std::vector<std::unique_ptr<storage::Stores>> readers_;  // idle ones
  std::map<std::string, std::shared_ptr<entities::ProcessHost>> processes_;
  bool stopping_ = false;
  std::size_t batches_ = 0;   // on their way
  std::size_t deciding_ = 0;  // wakes in them
  std::size_t careful_ = 0;   // wakes an unclean stop left behind, not decided yet
  std::uint64_t decisions_ = 0;
  std::uint64_t failures_ = 0;
  std::int64_t buried_ = 0;
  Bell idle_;
  TaskGroup group_;
};

}  // namespace vigil::runtime
