#pragma once
// One conversation with a server of tools: one request at a time, each answered before the next.
// Loop thread only. When a request was not answered, was cancelled or its answer could not be read,
// the conversation is over: let it go, which kills a program.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "daemon/models/caller.hpp"

namespace vigil::mcp {

// A server as it is configured, its secrets read.
struct Entry {
  config::McpServer settings;
  std::string key;
  std::vector<std::pair<std::string, std::string>> environment;
};

class Peer {
 public:
  virtual ~Peer() = default;
  // Nobody hears it: a program that ended. Not known of others before they are asked.
  virtual bool has_ended() const = 0;
  // Until it has said what its tools need of us. Once, before the first request.
  virtual boost::asio::awaitable<Result<void>> begin(TimePoint deadline) = 0;
  virtual boost::asio::awaitable<Result<json::object>> ask(std::string method,
                                                           json::object parameters,
                                                           TimePoint deadline) = 0;
  // In good order; not cancellable.
  virtual boost::asio::awaitable<void> end() = 0;
};

// The program runs in `workdir`, which must exist, in the sandbox of its settings.
Result<std::unique_ptr<Peer>> start_program(boost::asio::any_io_executor executor, Clock& clock,
                                            std::shared_ptr<const Entry> entry,
                                            std::string workdir);
std::unique_ptr<Peer> over_http(Clock& clock, models::Perform perform,
                                std::shared_ptr<const Entry> entry);

}  // namespace vigil::mcp
