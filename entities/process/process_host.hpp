#pragma once
// Keeps the child of one `process` entity alive and asks it: one JSON line (wake, state, facts)
// out, one JSON line (decision) back. Loop thread only. Started at the first question, restarted
// with backoff when it dies, prints garbage or does not answer in time.
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
  // `launcher` is the path of vigil-exec.
  ProcessHost(boost::asio::any_io_executor executor, Clock& clock, std::string launcher,
              config::Process settings);
  ~ProcessHost();

  // `memory` is what the child may know: {"state": {...}, "facts": [...], "preferences": [...]}.
  // Errors: timed_out (killed), unavailable (could not start, died, waits for its restart),
  // invalid_input (not a decision: killed too). One question at a time; callers queue.
  boost::asio::awaitable<Result<Decision>> decide(Wake wake, json::object memory);
  boost::asio::awaitable<void> stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::entities
