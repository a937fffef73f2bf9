#pragma once
// Calls a model over HTTP: within its limits, again when it is asked to wait or the answer broke
// off, and never longer than it is given, nor beyond what a model may take in a day. Loop thread
// only. A crash loses what goes on; what it had cost by then is not known here any more.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/http/client.hpp"
#include "daemon/models/day_limit.hpp"
#include "daemon/models/gate.hpp"
#include "daemon/models/talk.hpp"

namespace vigil::models {

using Perform = std::function<boost::asio::awaitable<http::Received>(http::Request)>;
// What one exchange took, whether or not it ended well.
using Spent =
    std::function<void(const std::string& model, const Usage& usage, std::int64_t micros)>;

struct NoAnswer {
  Error error;
  bool may_be_better_later = true;  // false: this model will never answer this
};

class Caller {
 public:
  // The clock must outlive it.
  Caller(boost::asio::any_io_executor executor, Clock& clock, Perform perform);
  ~Caller();

  // Before the first call; else a day's limits begin anew with each start.
  void keep(Books books);
  // Reads the keys. Nothing changes when one cannot be read. Calls that go on end as they began.
  Result<void> apply(const config::Settings& settings);

  // What the model says; its fallbacks are the caller's business. Cancelling closes the stream.
  boost::asio::awaitable<std::expected<Said, NoAnswer>> call(std::string model, Prompt prompt,
                                                             TimePoint deadline, Spent spent);
  // nullptr when there is no model of that name. Valid until apply().
  const config::Model* find(const std::string& model) const;
  int waiting() const;                            // calls that wait for their turn, of all models
  std::map<std::string, Taken> reserved() const;  // by calls that go on

 private:
  struct Entry;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::models
