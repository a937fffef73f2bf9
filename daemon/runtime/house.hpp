#pragma once
// What the parts of the runtime share: one loop, one writer, one set of mailboxes. Loop thread
// only.
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "daemon/runtime/bulletin.hpp"
#include "daemon/runtime/inhabitants.hpp"
#include "daemon/runtime/mailboxes.hpp"
#include "daemon/runtime/runtime.hpp"
#include "storage/writer.hpp"

namespace vigil::runtime {

struct House {
  boost::asio::any_io_executor executor;
  Clock& clock;
  storage::Writer& writer;
  Bulletin& bulletin;
  Places places;
  std::unique_ptr<storage::Stores> reader;  // the loop's own; open from start() on
  std::shared_ptr<const Inhabitants> inhabitants;
  Mailboxes mailboxes;
  std::function<void()> mail_came;       // decide what is ready
  std::function<void()> time_moved;      // the earliest moment to wait for may have changed
  std::function<void()> work_ended;      // a decision or a swarm is over
  std::function<void()> outbox_changed;  // something may leave; may be none
  std::function<void(const std::string& entity)> heard;  // something it cares about; may be none

  // Committed wakes go into their mailboxes.
  void deliver(std::vector<Waiting> wakes) {
    if (wakes.empty()) return;
    const auto now = clock.now();
    for (auto& wake : wakes) mailboxes.put(std::move(wake), now);
    mail_came();
    time_moved();
  }
};

// How long to wait before a change that the writer refused (disk full, queue full) is tried again.
constexpr Duration refused_pause = std::chrono::seconds{1};

}  // namespace vigil::runtime
