#pragma once
// The tools that servers of the configuration offer ([mcp.NAME]), as questions to models may use
// them. A program is started when it is needed and ended when nobody used it for a while; several
// questions at once have a conversation each. Loop thread only. A crash leaves no program behind.
#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>

#include "core/task_group.hpp"
#include "daemon/mcp/peer.hpp"
#include "daemon/models/tools.hpp"

namespace vigil::mcp {

class Servers final : public models::Tools {
 public:
  // The clock must outlive it. Programs get a directory each below `folder`.
  Servers(boost::asio::any_io_executor executor, Clock& clock, models::Perform perform,
          std::string folder);
  ~Servers() override;  // after stop()

  // Reads the secrets; an error names the one that cannot be read, and nothing changed then.
  // Conversations that go on end as they began.
  Result<void> apply(const config::Settings& settings);
  // Ends what is left, in good order. Once, when no question is asked any more.
  boost::asio::awaitable<void> stop();

  // Everything counts as an effect outside but what `reads` of its server names.
  bool has_effect(const std::string& tool) const override;
  boost::asio::awaitable<Result<std::vector<models::ToolSpec>>> describe(
      std::vector<std::string> tools, TimePoint deadline) override;
  boost::asio::awaitable<Result<std::string>> call(std::string tool, json::object arguments,
                                                   TimePoint deadline) override;

 private:
  struct Server;
  using Shared = std::shared_ptr<Server>;
  // nullptr: there is none of that name, or it may not be granted that tool.
  Shared server_of(const std::string& tool) const;
  class Turn;
  boost::asio::awaitable<Result<Turn>> turn_at(Shared server, TimePoint deadline);
  struct Talk;
  boost::asio::awaitable<Result<Talk>> talk_to(Shared server, TimePoint deadline);
  boost::asio::awaitable<Result<std::unique_ptr<Peer>>> take(Shared server, TimePoint deadline);
  void give_back(Shared server, std::unique_ptr<Peer> peer);
  boost::asio::awaitable<Result<void>> learn(Shared server, TimePoint deadline);
  boost::asio::awaitable<void> tidy(Shared server);

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  models::Perform perform_;
  std::string folder_;
  std::map<std::string, Shared> servers_;
  bool stopping_ = false;
  TaskGroup group_;  // of what waits until nobody needs a conversation
};

}  // namespace vigil::mcp
