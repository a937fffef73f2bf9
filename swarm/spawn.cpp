#include "swarm/spawn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "core/digest.hpp"
#include "core/log.hpp"

namespace vigil::swarm {
namespace {

std::unexpected<Error> refuse(const Task& child, std::string why) {
  return fail(ErrorCode::invalid_input, fmt::format("spawned task '{}': {}", child.name, why));
}

bool is_within(std::string_view path, const std::vector<std::string>& allowed) {
  return std::ranges::any_of(allowed, [path](std::string_view root) {
    while (root.size() > 1 && root.back() == '/') root.remove_suffix(1);
    if (root == "/" || path == root) return true;
    return path.starts_with(root) && path[root.size()] == '/';
  });
}

// ".." could lead out of a path that is allowed.
bool climbs(std::string_view path) {
  return path.ends_with("/..") || path.find("/../") != std::string_view::npos;
}

Result<void> hold_to(const Task& parent, Task& child) {
  if (child.containment > parent.containment) {
    return refuse(child,
                  fmt::format("its containment may not be weaker than that of '{}'", parent.name));
  }
  if (child.agent) {
    return refuse(child, "agents reach the network with keys of their own: name them in the plan");
  }
  // What a task asks for may come from what it read.
  if (child.ask && !child.ask->tainted) {
    auto ask = std::make_shared<Ask>(*child.ask);
    ask->tainted = true;
    child.ask = std::move(ask);
  }
  if (child.read_paths.empty()) child.read_paths = parent.read_paths;
  if (parent.containment == Containment::none) return {};
  std::vector<std::string> writable = parent.write_paths;
  if (!parent.workdir.empty()) writable.push_back(parent.workdir);
  std::vector<std::string> readable = parent.read_paths;
  readable.insert(readable.end(), writable.begin(), writable.end());
  for (const auto& path : child.read_paths) {
    if (is_within(path, readable) && !climbs(path)) continue;
    return refuse(child, fmt::format("'{}' may not read {}", parent.name, quoted(path)));
  }
  if (!child.workdir.empty() && (!is_within(child.workdir, writable) || climbs(child.workdir))) {
    return refuse(child, fmt::format("'{}' may not write {}", parent.name, quoted(child.workdir)));
  }
  for (const auto& path : child.write_paths) {
    if (is_within(path, writable) && !climbs(path)) continue;
    return refuse(child, fmt::format("'{}' may not write {}", parent.name, quoted(path)));
  }
  return {};
}

// The names of tasks as they were asked for become full ones. What is neither a sibling nor a need
// of the parent is unknown: to wait for anything else could be to wait for oneself.
Result<void> resolve(const Task& parent, const std::string& prefix,
                     const std::set<std::string>& siblings, Task& child) {
  for (auto* names : {&child.needs, &child.needs_interface}) {
    for (std::string& name : *names) {
      if (siblings.contains(name)) {
        name = prefix + name;
      } else if (std::ranges::find(parent.needs, name) == parent.needs.end()) {
        return refuse(child, fmt::format("needs {}, which is neither spawned with it nor needed by "
                                         "'{}'",
                                         quoted(name), parent.name));
      }
    }
  }
  child.name.insert(0, prefix);
  return {};
}

// What they need outside is looked at in resolve().
Result<void> validate_among(const std::vector<Task>& children,
                            const std::set<std::string>& siblings) {
  Plan plan;
  plan.tasks = children;
  std::set<std::string> here;
  for (const Task& child : children) here.insert(child.name);
  for (Task& child : plan.tasks) {
    const auto is_elsewhere = [&](const std::string& name) { return !here.contains(name); };
    std::erase_if(child.needs_interface, is_elsewhere);
    // The list of for_each may come from there: only its shape is looked at here.
    if (std::ranges::any_of(child.needs, is_elsewhere) && !child.for_each.empty()) {
      child.for_each = "input";
    }
    std::erase_if(child.needs, is_elsewhere);
  }
  for (const Task& child : children) {
    if (siblings.contains(child.name)) {
      return refuse(child, "a task of that name was spawned before");
    }
  }
  return validate(plan);
}

std::string replaced(const std::string& argument, const std::string& item) {
  constexpr std::string_view mark = "{item}";
  std::string text;
  std::size_t from = 0;
  for (auto at = argument.find(mark); at != std::string::npos; at = argument.find(mark, from)) {
    text += argument.substr(from, at - from) + item;
    from = at + mark.size();
  }
  return text + argument.substr(from);
}

// "TASK.member", with dots in either: the longest need that fits is the task.
const json::value* list_of(const Task& parent, const json::object& inputs, std::string& source) {
  std::string_view path = parent.for_each;
  const json::value* at = nullptr;
  if (path == "input" || path.starts_with("input.")) {
    at = &parent.input;
    path.remove_prefix(std::string_view("input").size());
  } else {
    // By the names the inputs have, which for siblings are those they were asked for with.
    for (const auto& input : inputs) {
      const std::string_view need = input.key();
      const bool fits =
          path == need || (path.starts_with(need) && path.substr(need.size()).front() == '.');
      if (fits && need.size() > source.size()) source = need;
    }
    at = source.empty() ? nullptr : inputs.if_contains(source);
    path.remove_prefix(source.size());
  }
  while (at != nullptr && !path.empty()) {
    path.remove_prefix(1);
    const auto member = path.substr(0, path.find('.'));
    const auto* object = at->if_object();
    at = object != nullptr ? object->if_contains(member) : nullptr;
    path.remove_prefix(member.size());
  }
  return at;
}

Task task_for(const Task& parent, const json::value& item, std::size_t place) {
  Task child = parent;
  child.for_each.clear();
  json::object input;
  if (const auto* given = parent.input.if_object()) input = *given;
  input["item"] = item;
  input["index"] = place;
  child.input = std::move(input);
  const std::string text = item.is_string() ? std::string(item.as_string()) : vigil::to_text(item);
  for (std::string& argument : child.argv) argument = replaced(argument, text);
  return child;
}

}  // namespace

std::string brood_prefix(std::string_view parent, int attempt) {
  return attempt <= 1 ? fmt::format("{}/", parent) : fmt::format("{}.{}/", parent, attempt);
}

Result<Brood> brood_of(const Task& parent, int attempt, const json::object& asked,
                       const std::vector<std::string>& before) {
  const auto* key = asked.contains("spawn") ? "spawn" : "tasks";
  const auto* list = asked.if_contains(key);
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::invalid_input, fmt::format("{}: expected an array of tasks", key));
  }
  const std::string prefix = brood_prefix(parent.name, attempt);
  std::set<std::string> siblings(before.begin(), before.end());
  Brood brood;
  for (std::size_t i = 0; i < list->as_array().size(); ++i) {
    auto child = task_from_json(list->as_array()[i], fmt::format("{}[{}]", key, i));
    if (!child) return std::unexpected(child.error());
    brood.tasks.push_back(std::move(*child));
  }
  if (!brood.tasks.empty()) {
    if (auto valid = validate_among(brood.tasks, siblings); !valid) {
      return std::unexpected(valid.error());
    }
  }
  for (const Task& child : brood.tasks) siblings.insert(child.name);
  for (Task& child : brood.tasks) {
    if (auto held = hold_to(parent, child); !held) return std::unexpected(held.error());
    auto resolved = resolve(parent, prefix, siblings, child);
    if (!resolved) return std::unexpected(resolved.error());
  }
  const auto* result_of = asked.if_contains("result_of");
  if (result_of == nullptr) return brood;
  if (!result_of->is_string() || !siblings.contains(std::string(result_of->as_string()))) {
    return fail(ErrorCode::invalid_input, fmt::format("result_of names {}, which was not spawned",
                                                      quoted(vigil::to_text(*result_of))));
  }
  brood.result_of = prefix + std::string(result_of->as_string());
  return brood;
}

Result<Brood> items_of(const Task& parent, int attempt, const json::object& inputs) {
  std::string source;
  const json::value* list = list_of(parent, inputs, source);
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("for_each: there is no list at {}", quoted(parent.for_each)));
  }
  const std::string prefix = brood_prefix(parent.name, attempt);
  Brood brood;
  brood.tasks.reserve(list->as_array().size());
  // Each gets the rest of what the parent needs, but not the whole list once more.
  Task pattern = parent;
  std::erase_if(pattern.needs, [&](const std::string& need) {
    return need == source || need.ends_with("/" + source);
  });
  std::size_t place = 0;
  for (const json::value& item : list->as_array()) {
    Task child = task_for(pattern, item, place);
    child.name = fmt::format("{}{}", prefix, place);
    brood.tasks.push_back(std::move(child));
    ++place;
  }
  return brood;
}

std::string definition_of(const Task& task) {
  json::object object = to_json(task);
  // How patiently it is done is no part of what is done.
  for (const char* aside : {"name", "needs", "needs_interface", "timeout", "retries",
                            "retry_backoff", "optional", "hedge", "cache", "resources"}) {
    object.erase(aside);
  }
  return to_hex(as_bytes(sha256(vigil::to_text(json::value(object))))).substr(0, 32);
}

std::string cache_key_of(const Task& task, const json::object& inputs) {
  const std::string given = definition_of(task) + vigil::to_text(json::value(inputs));
  return to_hex(as_bytes(sha256(given))).substr(0, 40);
}

}  // namespace vigil::swarm
