#pragma once
// Messages to a bot of Telegram's ([source.NAME] kind = "telegram"), asked for with getUpdates: for
// who cannot be reached by a webhook. Each look stays open until there is something; where it was
// is kept in the database and written with the events. Loop thread only.
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

class TelegramListener {
 public:
  TelegramListener(boost::asio::any_io_executor executor, Clock& clock, Fetch fetch,
                   AcceptNoticed accept);
  ~TelegramListener();
  // Reads the tokens. Nothing changes when one cannot be read.
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  boost::asio::awaitable<void> stop();
  std::vector<SourceTrouble> troubles() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
