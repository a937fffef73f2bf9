#pragma once
// Keeps the child of one `process` entity alive and asks it: one JSON line (wake, what it may
// remember) out, one JSON line (decision) back. Loop thread only. Started at the first question,
// restarted with backoff when it dies, prints garbage or does not answer in time. Between questions
// it costs nothing; a child that ends then is reaped, and started again at the next question.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

class ProcessHost {
 public:
  ProcessHost(boost::asio::any_io_executor executor, Clock& clock, config::Process settings);
  // stop() must have been awaited if anything was asked.
  ~ProcessHost();

  // `memory` is what the child may know: {"state": {...}, "facts": {...}, "preferences": {...},
  // "episodes": [...]}. Errors: timed_out (killed), unavailable (could not start, died, or waits
  // for its restart longer than it may take to answer), invalid_input (not a decision: killed too),
  // too_large (the question). One question at a time; callers queue, in order.
  boost::asio::awaitable<Result<Decision>> decide(Wake wake, json::object memory);
  // Takes other settings from now on: what is asked next has the new timeout, what fails next the
  // new backoff. False, and nothing is changed, when they are of another child (argv, workdir):
  // that takes a new host.
  bool adopt(const config::Process& settings);
  // Closes the child's standard input, waits a little, then TERM, then KILL. Whoever still waits
  // gets unavailable. Completes even when cancelled.
  boost::asio::awaitable<void> stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::entities
