#pragma once
// Runs questions to models as tasks of a swarm: the prompt, the tools that were granted, an answer
// that fits its schema, one repair of one that does not, and whom to ask instead. What each call
// took is told as the task's cost. Loop thread only. A crash leaves nothing behind: the question is
// asked again.
#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/models/caller.hpp"
#include "daemon/models/tools.hpp"
#include "swarm/runner.hpp"

namespace vigil::models {

class ModelRunner final : public swarm::Runner {
 public:
  // All must outlive it; `tools` may be nullptr: then none can be granted.
  ModelRunner(Caller& caller, Tools* tools, Clock& clock);

  void apply(const config::Planning& planning) { planning_ = planning; }
  boost::asio::awaitable<swarm::AttemptOutcome> run(swarm::Attempt attempt) override;

 private:
  // What came of one prompt.
  struct Answer {
    bool ok = false;
    bool retryable = true;
    json::value value;  // of one that failed: the text as it came
    std::string error;
  };
  struct Asked;
  boost::asio::awaitable<Answer> answer(std::shared_ptr<Asked> asked);
  boost::asio::awaitable<Answer> answer_of(std::string model, std::shared_ptr<Asked> asked);
  boost::asio::awaitable<std::expected<Said, NoAnswer>> converse(std::string model,
                                                                 std::shared_ptr<Asked> asked);
  boost::asio::awaitable<void> use_tools(std::vector<ToolCall> calls, std::shared_ptr<Asked> asked);
  boost::asio::awaitable<std::string> use_tool(ToolCall call, std::shared_ptr<Asked> asked);
  boost::asio::awaitable<Result<void>> grant(std::shared_ptr<Asked> asked);
  boost::asio::awaitable<swarm::AttemptOutcome> ask_in_order(std::shared_ptr<Asked> asked);

  Caller& caller_;
  Tools* tools_;
  Clock& clock_;
  config::Planning planning_;
};

}  // namespace vigil::models
