#pragma once
// The entries of a kind of source that looks for itself. Each has one coroutine, its whole life:
// from when the daemon starts or the configuration names it until it is taken out. One that takes
// the name of another begins once that has ended, so what was being stored is stored. Loop thread
// only. An Entry has a `name`, a `dismissed` that its life looks at, and `work`, a TaskGroup as its
// last member; if it has `notices`, they end at once.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/task_group.hpp"

namespace vigil::ingress {

template <class Entry>
class Keeper {
 public:
  using EntryPtr = std::shared_ptr<Entry>;
  using Entries = std::map<std::string, EntryPtr>;
  using Life = std::function<boost::asio::awaitable<void>(EntryPtr)>;

  // `what` names the coroutines in the log.
  Keeper(boost::asio::any_io_executor executor, std::string what, Life life)
      : what_(std::move(what)), life_(std::move(life)), leaving_(std::move(executor)) {}

  const Entries& entries() const { return entries_; }
  EntryPtr find(const std::string& name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second;
  }

  // An entry that is among them already goes on.
  void replace(Entries wanted) {
    const auto before = std::exchange(entries_, std::move(wanted));
    for (const auto& [name, entry] : before) {
      const auto next = find(name);
      if (next != entry) dismiss(entry, next);
    }
    for (const auto& [name, entry] : entries_) {
      if (!before.contains(name)) begin(entry);
    }
  }

  // Nothing begins before.
  void start() {
    started_ = true;
    for (const auto& [name, entry] : entries_) begin(entry);
  }

  boost::asio::awaitable<void> stop() {
    for (const auto& [name, entry] : entries_) dismiss(entry, nullptr);
    entries_.clear();
    co_await leaving_.join();
  }

 private:
  void begin(const EntryPtr& entry) {
    if (!started_) return;
    entry->work.spawn(what_ + " " + entry->name, [this, entry] { return life_(entry); });
  }

  void dismiss(const EntryPtr& entry, const EntryPtr& next) {
    entry->dismissed = true;
    if constexpr (requires { entry->notices.reset(); }) entry->notices.reset();
    entry->work.cancel();
    leaving_.spawn("end of " + what_ + " " + entry->name,
                   [this, entry, next]() -> boost::asio::awaitable<void> {
                     co_await entry->work.join();
                     if (next && !next->dismissed) begin(next);
                   });
  }

  std::string what_;
  Life life_;
  bool started_ = false;
  Entries entries_;
  TaskGroup leaving_;  // waits for those that were taken out
};

}  // namespace vigil::ingress
