#pragma once
// Asks GitHub again for deliveries of its webhooks that did not arrive ([source.NAME.redelivery]):
// once after each start, and at an interval. GitHub itself never tries a second time. What it sends
// again comes through the door as the first attempt would have, and is stored once by its delivery
// id; so nothing is remembered here, and a crash at any moment costs a question more. Loop thread
// only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/fetch.hpp"
#include "daemon/ingress/noticed.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

class Redeliveries {
 public:
  Redeliveries(boost::asio::any_io_executor executor, Clock& clock, Fetch fetch);
  ~Redeliveries();
  // Nothing changes when a secret cannot be read.
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  boost::asio::awaitable<void> stop();
  std::vector<SourceTrouble> troubles() const;

  struct View {
    std::string source;
    std::uint64_t looks = 0;
    std::uint64_t asked = 0;  // deliveries that were asked for again
  };
  std::vector<View> views() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
