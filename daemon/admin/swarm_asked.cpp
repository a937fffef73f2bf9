// Plans that people bring. They may be large: read and checked aside, the loop goes on meanwhile.
#include <fmt/format.h>

#include <boost/asio/thread_pool.hpp>
#include <utility>

#include "core/log.hpp"
#include "core/on_pool.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/runtime/swarm_rows.hpp"
#include "swarm/plan.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

struct AskedPlan {
  std::string entity;
  runtime::PlanRow row;
  int tasks = 0;
};

Checked<AskedPlan> read_asked(const Call& call) {
  constexpr std::string_view hint =
      "send {\"entity\": \"NAME\", \"plan\": {\"tasks\": [...]}}; docs/plans.md describes plans";
  const auto body = call.body({"entity", "plan"});
  if (!body) return std::unexpected(body.error());
  auto entity = text_member(*body, "entity", name_bytes_max);
  if (!entity) return std::unexpected(entity.error());
  if (entity->empty()) {
    return refuse(400, "entity is missing: a plan runs in the name of one", std::string(hint));
  }
  const auto* given = body->if_contains("plan");
  if (given == nullptr) return refuse(400, "plan is missing", std::string(hint));
  const auto plan = swarm::plan_from_json(*given);
  if (!plan) {
    return refuse(plan.error(), "correct the plan and send it again; docs/plans.md describes it");
  }
  AskedPlan out;
  out.entity = std::move(*entity);
  out.row = runtime::row_of(*plan);
  out.tasks = static_cast<int>(plan->tasks.size());
  return out;
}

}  // namespace

asio::awaitable<Answer> run_swarm(Desk& desk, Call call) {
  const auto uid = call.request.peer.uid;
  auto work = [call = std::move(call)] { return read_asked(call); };
  auto reading = on_pool(desk.long_reads().get_executor(), desk.parts.executor, std::move(work));
  Checked<AskedPlan> asked = co_await std::move(reading);
  if (!asked) co_return std::unexpected(std::move(asked.error()));
  const auto entity = asked->entity;
  const auto tasks = asked->tasks;
  auto running =
      desk.parts.runtime.run_plan(entity, std::move(asked->row), fmt::format("uid {}", uid));
  const Result<SwarmId> planned = co_await std::move(running);
  if (!planned) {
    const bool is_nobody = planned.error().code == ErrorCode::not_found;
    co_return refuse(planned.error(), is_nobody
                                          ? "a plan runs in the name of an entity that is there"
                                          : "vigilctl budget shows what is left of the day");
  }
  log_info("a plan runs by hand: swarm={} entity={} tasks={} uid={}", planned->value,
           quoted(entity), tasks, uid);
  json::object out{
      {"id", planned->value}, {"entity", entity}, {"tasks", tasks}, {"status", "planned"}};
  co_return json_response(out, 202);
}

}  // namespace vigil::admin
