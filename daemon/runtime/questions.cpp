#include "daemon/runtime/questions.hpp"

#include <algorithm>
#include <set>

namespace vigil::runtime {
namespace {

// "TASK" of "TASK.MEMBER". Names may hold dots, so all that could be meant are tried.
bool comes_from(const std::string& list, const std::string& task) {
  return list == task || list.starts_with(task + ".");
}

// Takes out of its needs what is gone. False: then it cannot be done.
bool can_do_without(swarm::Task& task, const std::set<std::string>& gone, bool with_a_part) {
  const auto is_gone = [&](const std::string& name) { return gone.contains(name); };
  const bool lists_it = std::ranges::any_of(
      gone, [&](const std::string& name) { return comes_from(task.for_each, name); });
  const auto lost = std::ranges::count_if(task.needs, is_gone) +
                    std::ranges::count_if(task.needs_interface, is_gone);
  if (!lists_it && lost == 0) return true;
  const auto needs = task.needs.size() + task.needs_interface.size();
  if (lists_it || !with_a_part || static_cast<std::size_t>(lost) == needs) return false;
  std::erase_if(task.needs, is_gone);
  std::erase_if(task.needs_interface, is_gone);
  return true;
}

}  // namespace

bool asks(const swarm::Task& task) {
  return task.ask || task.agent || (task.verify && task.verify->ask);
}

void taint(swarm::Plan& plan) {
  const auto tainted = [](const std::shared_ptr<const swarm::Ask>& ask) {
    auto out = std::make_shared<swarm::Ask>(*ask);
    out->tainted = true;
    return out;
  };
  for (auto& task : plan.tasks) {
    if (task.ask) task.ask = tainted(task.ask);
    if (!task.verify || !task.verify->ask) continue;
    auto verify = std::make_shared<swarm::Task>(*task.verify);
    verify->ask = tainted(verify->ask);
    task.verify = std::move(verify);
  }
}

std::optional<swarm::Plan> without_questions(swarm::Plan plan) {
  const bool with_a_part = plan.on_failure == swarm::OnFailure::partial;
  std::set<std::string> gone;
  // Each round takes at least one more, so it ends.
  for (bool moved = true; moved;) {
    moved = false;
    for (auto task = plan.tasks.begin(); task != plan.tasks.end();) {
      if (!asks(*task) && can_do_without(*task, gone, with_a_part)) {
        ++task;
        continue;
      }
      if (!task->optional || task->name == plan.result_of) return std::nullopt;
      gone.insert(task->name);
      task = plan.tasks.erase(task);
      moved = true;
    }
  }
  if (plan.tasks.empty() || gone.empty()) return std::nullopt;
  return plan;
}

}  // namespace vigil::runtime
