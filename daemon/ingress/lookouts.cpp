#include "daemon/ingress/lookouts.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;

Lookouts::Lookouts(asio::any_io_executor executor, Clock& clock, Fetch fetch, MakeRunnerFor make,
                   AcceptNoticed accept)
    : watcher(
          executor, clock, [make] { return make("repositories"); }, accept),
      poller(executor, clock, fetch, accept, [make] { return make("documents"); }),
      follower(
          executor, clock, [make] { return make("files"); }, accept),
      streams(executor, clock, open_websocket, fetch, accept) {}

Result<void> Lookouts::apply(const config::Settings& settings) {
  auto taken = watcher.apply(settings);
  if (taken) taken = poller.apply(settings);
  if (taken) taken = follower.apply(settings);
  if (taken) taken = streams.apply(settings);
  return taken;
}

void Lookouts::start(storage::Stores& reader) {
  watcher.start(reader);
  poller.start(reader);
  follower.start(reader);
  streams.start(reader);
}

asio::awaitable<void> Lookouts::stop() {
  co_await watcher.stop();
  co_await poller.stop();
  co_await follower.stop();
  co_await streams.stop();
}

}  // namespace vigil::ingress
