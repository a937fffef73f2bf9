// Swarms that people ask for: those that are tried again, and plans by hand.
#include <fmt/format.h>

#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <set>

#include "core/on_pool.hpp"
#include "daemon/runtime/swarm_host.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

std::unexpected<Error> not_configured(const std::string& entity, ErrorCode code) {
  return fail(code, fmt::format("there is no entity '{}' in the configuration: vigilctl entities "
                                "list",
                                entity));
}

// Of the tasks that are not done, and how many are.
Again again_of(storage::Stores& stores, const storage::Swarm& swarm) {
  Again again;
  again.swarm = swarm.id;
  std::set<std::string> done;
  for (const auto& task : stores.swarms.tasks(swarm.id)) {
    if (task.state == "done") done.insert(task.name);
  }
  auto plan = swarm::plan_from_json(swarm.plan);
  if (!plan) return again;  // it will end as one that cannot be read
  again.done = static_cast<int>(std::erase_if(
      plan->tasks, [&](const swarm::Task& task) { return done.contains(task.name); }));
  again.estimate = estimate_of(*plan);
  return again;
}

}  // namespace

asio::awaitable<Result<void>> SwarmHost::retry(SwarmId id, std::string by) {
  const auto swarm = house_.reader->swarms.brief(id);
  if (!swarm) {
    co_return fail(ErrorCode::not_found, fmt::format("there is no swarm {}", id.value));
  }
  const bool may = swarm->state == "failed" || swarm->state == "cancelled";
  if (!may || running_.contains(id)) co_return fail(ErrorCode::conflict, why_not_again(*swarm));
  const auto* who = house_.inhabitants->find(swarm->entity);
  if (who == nullptr) co_return not_configured(swarm->entity, ErrorCode::conflict);
  const auto inhabitants = house_.inhabitants;
  auto look = [this, id]() -> std::optional<Again> {
    auto& stores = reader_aside();
    const auto found = stores.swarms.find(id);
    if (!found) return std::nullopt;
    return again_of(stores, *found);
  };
  auto looking = on_pool(aside_->get_executor(), house_.executor, std::move(look));
  std::optional<Again> again = co_await std::move(looking);
  if (!again) co_return fail(ErrorCode::not_found, fmt::format("there is no swarm {}", id.value));
  again->inhabitants = inhabitants;
  again->entity = &who->settings;
  again->by = std::move(by);
  auto change = [again = std::move(*again), now = house_.clock.now()](storage::Stores& stores) {
    return commit_again(stores, again, now);
  };
  auto committing = house_.writer.commit(std::move(change));
  Result<Result<void>> reopened = co_await std::move(committing);
  if (!reopened) co_return std::unexpected(std::move(reopened.error()));
  if (!*reopened) co_return std::move(*reopened);
  cancelled_.erase(id);  // what was asked of its earlier run
  planned({id}, source_of(*swarm));
  co_return Result<void>{};
}

asio::awaitable<Result<SwarmId>> SwarmHost::run_by_hand(std::string entity, PlanRow row,
                                                        std::string by) {
  const auto* who = house_.inhabitants->find(entity);
  if (who == nullptr) co_return not_configured(entity, ErrorCode::not_found);
  ByHand asked;
  asked.inhabitants = house_.inhabitants;
  asked.entity = &who->settings;
  asked.row = std::move(row);
  asked.by = std::move(by);
  auto change = [asked = std::move(asked), now = house_.clock.now()](storage::Stores& stores) {
    return commit_by_hand(stores, asked, now);
  };
  auto committing = house_.writer.commit(std::move(change));
  Result<Result<SwarmId>> swarm = co_await std::move(committing);
  if (!swarm) co_return std::unexpected(std::move(swarm.error()));
  if (!*swarm) co_return std::move(*swarm);
  planned({**swarm}, "");
  co_return **swarm;
}

}  // namespace vigil::runtime
