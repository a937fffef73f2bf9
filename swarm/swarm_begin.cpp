// How a run begins: the plan as nodes and edges, and what an earlier run of it left. Here, too,
// what large plans do beside the loop.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/on_pool.hpp"
#include "swarm/swarm_run.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;
namespace {

// For the order alone: what a task never seen before is thought to take.
constexpr Duration unknown_duration = std::chrono::seconds{1};
// Tasks looked at before the loop gets its turn.
constexpr std::uint32_t tasks_a_turn = 1'000;

int smallest_limit(std::initializer_list<int> limits) {
  int smallest = 0;
  for (const int limit : limits) {
    if (limit > 0 && (smallest == 0 || limit < smallest)) smallest = limit;
  }
  return smallest;
}

bool is_final(const TaskOutcome& outcome) {
  return outcome.state == TaskState::done || outcome.state == TaskState::failed;
}

}  // namespace

asio::awaitable<void> SwarmRun::prepare() {
  began_ = services_.clock.steady_now();
  report_.swarm = run_.id;
  report_.title = run_.plan.title;
  report_.started = services_.clock.now();
  deadline_ = report_.started + run_.plan.timeout;
  fence_ = run_.fence_base;
  const EngineLimits& limits = services_.scheduler.limits();
  report_.slots = smallest_limit({limits.slots, limits.slots_per_owner, run_.plan.parallel_max});
  const auto count = static_cast<std::uint32_t>(run_.plan.tasks.size());
  std::vector<Duration> durations(count, unknown_duration);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i % tasks_a_turn == tasks_a_turn - 1) {
      co_await asio::post(services_.executor, asio::use_awaitable);
    }
    const Task& task = run_.plan.tasks[i];
    Node& node = nodes_.emplace_back();
    node.outcome.name = task.name;
    node.retries_left = task.retries;
    const Holding holding = services_.scheduler.holding_of(task);
    node.lane = ready.lane_of(holding);
    spare.lane_of(holding);
    if (!task.needs_interface.empty()) node.speculation = std::make_unique<Speculation>();
    const auto learned = services_.learned ? services_.learned(owner, task.name) : std::nullopt;
    if (learned) durations[i] = learned->typical;
  }
  Result<void> made = co_await make_edges(std::move(durations));
  if (!made) {
    stop_all("the plan cannot run: " + made.error().message);
    co_return;
  }
  left_ = count;
  if (stopping_) co_return;
  contending_ = true;
  services_.scheduler.add(*this);
  paused = true;
  adopt_finished();
  for (std::uint32_t i = 0; i < count && !stopping_; ++i) {
    if (i % tasks_a_turn == tasks_a_turn - 1) {
      co_await asio::post(services_.executor, asio::use_awaitable);
    }
    if (nodes_[i].missing == 0 && nodes_[i].phase == Phase::waiting) make_ready(i);
  }
  paused = false;
  attempts_.spawn("swarm timeout", [this] { return watch_timeout(); });
  services_.scheduler.dispatch();
}

// Nobody else looks at the nodes yet, so large plans are worked on beside the loop.
asio::awaitable<Result<void>> SwarmRun::make_edges(std::vector<Duration> durations) {
  auto work = [this, durations = std::move(durations)]() -> Result<bool> {
    auto graph = make_graph(run_.plan);
    if (!graph) return std::unexpected(graph.error());
    graph_ = std::move(*graph);
    const auto paths = remaining_paths(graph_, durations);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].path = paths[i];
      nodes_[i].missing = static_cast<std::uint32_t>(graph_.needs[i].size());
    }
    return true;
  };
  Result<bool> made = true;
  if (services_.pool && nodes_.size() > tasks_a_turn) {
    auto aside = on_pool(services_.pool, services_.executor, std::move(work));
    made = co_await std::move(aside);
  } else {
    made = work();
  }
  if (!made) co_return std::unexpected(made.error());
  co_return Result<void>{};
}

// Nothing of it runs any more.
asio::awaitable<void> SwarmRun::judge_aside() {
  if (!services_.pool || nodes_.size() <= tasks_a_turn) {
    judge();
    co_return;
  }
  for (Node& node : nodes_) node.copies.clear();  // their bells belong to the loop
  auto work = [this] {
    judge();
    // To free them takes as long as a turn of the loop may not.
    nodes_.clear();
    graph_ = {};
    run_.plan = {};
    return true;
  };
  auto aside = on_pool(services_.pool, services_.executor, std::move(work));
  co_await std::move(aside);
}

// Tasks that ended in an earlier run count as ended now. One whose needs did not is not among them:
// it may rest on a result that was never kept.
void SwarmRun::adopt_finished() {
  for (TaskOutcome& outcome : run_.finished) {
    if (is_final(outcome)) earlier_.insert_or_assign(outcome.name, std::move(outcome));
  }
  run_.finished.clear();
  if (earlier_.empty()) return;
  for (const std::uint32_t task : graph_.order) {
    const auto found = earlier_.find(run_.plan.tasks[task].name);
    if (found == earlier_.end() || nodes_[task].phase == Phase::over) continue;
    const auto is_over = [this](const Edge& edge) {
      return nodes_[edge.task].phase == Phase::over;
    };
    if (!std::ranges::all_of(graph_.needs[task], is_over)) continue;
    Node& node = nodes_[task];
    unqueue(task);
    node.outcome = std::move(found->second);
    earlier_.erase(found);
    if (node.outcome.started != TimePoint{}) {
      report_.started = std::min(report_.started, node.outcome.started);
    }
    const TaskState state = node.outcome.state;
    concluded(task, state);
  }
  adopt_strangers();
}

// What tasks that are over had spawned belongs into the report.
void SwarmRun::adopt_strangers() {
  std::vector<std::string> names;
  for (const auto& [name, outcome] : earlier_) {
    if (!outcome.parent.empty()) names.push_back(name);
  }
  std::ranges::sort(names);
  std::unordered_map<std::string, std::uint32_t> places;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) places.emplace(nodes_[i].outcome.name, i);
  for (const std::string& name : names) {
    const auto parent = places.find(earlier_.at(name).parent);
    if (parent == places.end() || nodes_[parent->second].phase != Phase::over) continue;
    Task task;
    task.name = name;
    const std::uint32_t child = add_child(parent->second, 0, std::move(task));
    Node& node = nodes_[child];
    node.outcome = std::move(earlier_.at(name));
    node.phase = Phase::over;
    node.excused = true;
    --left_;
    places.emplace(name, child);
    earlier_.erase(name);
  }
}

}  // namespace vigil::swarm
