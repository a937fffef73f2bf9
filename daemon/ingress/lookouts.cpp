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
      streams(
          executor, clock,
          [this](SocketSettings settings) {
            settings.reach = reach_;
            return open_websocket(std::move(settings));
          },
          fetch, accept),
      calendars(
          executor, clock, fetch, [make] { return make("calendars"); }, accept),
      documents(
          executor, clock, [make] { return make("folders"); }, accept),
      redeliveries(executor, clock, fetch) {}

Result<void> Lookouts::apply(const config::Settings& settings) {
  auto taken = watcher.apply(settings);
  if (taken) taken = poller.apply(settings);
  if (taken) taken = follower.apply(settings);
  if (taken) taken = streams.apply(settings);
  if (taken) taken = calendars.apply(settings);
  if (taken) taken = documents.apply(settings);
  if (taken) taken = redeliveries.apply(settings);
  if (taken) reach_ = http::Reach(settings.outgoing.allow);
  return taken;
}

void Lookouts::start(storage::Stores& reader) {
  watcher.start(reader);
  poller.start(reader);
  follower.start(reader);
  streams.start(reader);
  calendars.start(reader);
  documents.start(reader);
  redeliveries.start(reader);
}

asio::awaitable<void> Lookouts::stop() {
  co_await watcher.stop();
  co_await poller.stop();
  co_await follower.stop();
  co_await streams.stop();
  co_await calendars.stop();
  co_await documents.stop();
  co_await redeliveries.stop();
}

}  // namespace vigil::ingress
