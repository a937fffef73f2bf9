#pragma once
// All sources that look for themselves, as one part of the daemon: repositories, polled documents,
// files, streams, calendars, folders of documents, and deliveries that were missed. Loop thread
// only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string_view>

#include "daemon/ingress/calendars.hpp"
#include "daemon/ingress/documents.hpp"
#include "daemon/ingress/files.hpp"
#include "daemon/ingress/poller.hpp"
#include "daemon/ingress/redelivery.hpp"
#include "daemon/ingress/streams.hpp"
#include "daemon/ingress/watch.hpp"

namespace vigil::ingress {

class Lookouts {
 public:
  // Makes the runner of one kind; each wants a place of its own.
  using MakeRunnerFor = std::function<std::unique_ptr<swarm::Runner>(std::string_view kind)>;
  Lookouts(boost::asio::any_io_executor executor, Clock& clock, Fetch fetch, MakeRunnerFor make,
           AcceptNoticed accept);

  // The first that refuses its settings says so; those before it have taken theirs.
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  boost::asio::awaitable<void> stop();

  Watcher watcher;
  Poller poller;
  Follower follower;
  Streams streams;
  Calendars calendars;
  DocumentFolders documents;
  Redeliveries redeliveries;

 private:
  http::Reach reach_;  // of streams
};

}  // namespace vigil::ingress
