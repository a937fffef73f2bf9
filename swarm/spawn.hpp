#pragma once
// Tasks that come into a swarm while it runs: those a task asks for, and one per item of a list.
// Private to swarm. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "swarm/plan.hpp"

namespace vigil::swarm {

constexpr int spawn_depth_max = 4;  // spawned tasks may spawn, this deep

// Spawned tasks are called PARENT/CHILD; of a second attempt of the parent PARENT.2/CHILD, so that
// they are never taken for those of the first.
std::string brood_prefix(std::string_view parent, int attempt);

// What a parent asks for: {"spawn": [task, ...], "result_of": NAME}, or "tasks" of a planner. A
// child may need its siblings (by the names they were asked for with, those of `before` included)
// and what the parent itself needs. Without paths of its own to read it gets the parent's; it may
// never do what the parent may not: containment and paths are held to the parent's.
struct Brood {
  std::vector<Task> tasks;  // with their full names
  std::string result_of;    // full name; empty: not said
};
Result<Brood> brood_of(const Task& parent, int attempt, const json::object& asked,
                       const std::vector<std::string>& before);

// One task per item of the list that parent.for_each names, in order.
Result<Brood> items_of(const Task& parent, int attempt, const json::object& inputs);

// The digest of what a task is to do, as hex. Equal for tasks that differ in name only.
std::string definition_of(const Task& task);
// The same with what it is given: under this key its result may stand in for a later one.
std::string cache_key_of(const Task& task, const json::object& inputs);

}  // namespace vigil::swarm
