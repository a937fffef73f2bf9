#include "daemon/ingress/reading.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

constexpr Duration grace = std::chrono::seconds{1};
constexpr std::size_t output_bytes_max = 64 * 1024 * 1024;

}  // namespace

asio::awaitable<Result<json::value>> Reading::read(swarm::Task task) {
  if (!make_runner_) co_return fail(ErrorCode::unavailable, "nothing can be read here");
  if (!runner_) runner_ = make_runner_();
  swarm::Attempt attempt;
  attempt.deadline = clock_.now() + task.timeout;
  attempt.grace = grace;
  attempt.task = std::move(task);
  attempt.task.containment = swarm::Containment::strict;
  attempt.task.output_bytes_max = output_bytes_max;
  auto running = runner_->run(std::move(attempt));
  swarm::AttemptOutcome outcome = co_await std::move(running);
  if (!outcome.ok) co_return fail(ErrorCode::unavailable, outcome.error);
  co_return std::move(outcome.result);
}

}  // namespace vigil::ingress
