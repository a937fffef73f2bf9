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
      streams(executor, clock, open_websocket, fetch, accept),
      calendars(
          executor, clock, fetch, [make] { return make("calendars"); }, accept),
      documents(executor, clock, [make] { return make("folders"); }, accept) {}

Result<void> Lookouts::apply(const config::Settings& settings) {
  auto taken = watcher.apply(settings);
  if (taken) taken = poller.apply(settings);
  if (taken) taken = follower.apply(settings);
  if (taken) taken = streams.apply(settings);
  if (taken) taken = calendars.apply(settings);
  if (taken) taken = documents.apply(settings);
  return taken;
}

void Lookouts::start(storage::Stores& reader) {
  watcher.start(reader);
  poller.start(reader);
  follower.start(reader);
  streams.start(reader);
  calendars.start(reader);
  documents.start(reader);
}

asio::awaitable<void> Lookouts::stop() {
  co_await watcher.stop();
  co_await poller.stop();
  co_await follower.stop();
  co_await streams.stop();
  co_await calendars.stop();
  co_await documents.stop();
}

}  // namespace vigil::ingress
