#pragma once
// Where events enter: what a door or a source brings is stored, then told to the runtime. The
// answer waits for the commit (promise 1). Loop thread only; a crash leaves stored events to the
// router's cursor.
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "daemon/ingress/door.hpp"
#include "daemon/ingress/noticed.hpp"
#include "daemon/runtime/runtime.hpp"
#include "storage/writer.hpp"

namespace vigil {

class Intake {
 public:
  // The references outlive it. `queue_max`: so many events may wait to be routed.
  Intake(storage::Writer& writer, runtime::Runtime& runtime, std::function<int()> queue_max)
      : writer_(writer), runtime_(runtime), queue_max_(std::move(queue_max)) {}
  // Called for each event that is new, by its source.
  void on_heard(std::function<void(const std::string& source)> tell) { heard_ = std::move(tell); }

  boost::asio::awaitable<Result<storage::Appended>> accept(storage::NewEvent event,
                                                           json::value data);
  // The same for what sources find that look themselves, with what they remember of it.
  boost::asio::awaitable<Result<int>> accept_noticed(ingress::Noticed noticed);

 private:
  Result<void> has_room() const;
  void tell(EventPtr event);

  storage::Writer& writer_;
  runtime::Runtime& runtime_;
  std::function<int()> queue_max_;
  std::function<void(const std::string&)> heard_;
};

}  // namespace vigil
