#pragma once
// Owns coroutines: whoever spawns into a group can cancel and await all of them. Loop thread only.
// Make it the last member of its owner, and await join() before the owner dies.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

namespace vigil {

class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  ~TaskGroup();  // the group must be empty
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `make()` on the next turn of the loop. The callable is kept until the coroutine ends, so
  // a lambda may capture. An exception other than cancellation is logged with the name.
  void spawn(std::string name, std::function<boost::asio::awaitable<void>()> make);

  void cancel();                        // asks all of them to stop; returns at once
  boost::asio::awaitable<void> join();  // returns when none is left; not cancellable
  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vigil
