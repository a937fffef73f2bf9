#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "config/writing.hpp"

namespace vigil::config {
namespace {

using Leaves = std::map<std::string, std::string>;  // dotted path: value as text

std::string leaf_text(const Node& node) {
  constexpr std::size_t bytes_max = 80;
  const bool plain = node.kind == Node::Kind::text && !node.text.empty() &&
                     node.text.find_first_of(" \t\n\"") == std::string::npos;
  auto text = plain ? node.text : print_value(node);
  if (text.size() > bytes_max) text = text.substr(0, bytes_max - 3) + "...";
  return text;
}

// A table in a list is known by its name when it has one: moving it is then no change.
std::string item_step(const Node& item, std::size_t index) {
  const Node* name = item.find("name");
  if (name == nullptr) return fmt::format("[{}]", index);
  return fmt::format("[{}]", name->text);
}

void collect(const Node& node, const std::string& path, Leaves& shown, Leaves& whole) {
  const bool is_section = node.kind == Node::Kind::table && !node.items.empty();
  const bool has_sections = node.kind == Node::Kind::list && !node.items.empty() &&
                            node.items.front().kind == Node::Kind::table;
  if (is_section) {
    for (const auto& member : node.items) {
      collect(member, path.empty() ? member.key : path + "." + member.key, shown, whole);
    }
  } else if (has_sections) {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      collect(node.items[i], path + item_step(node.items[i], i), shown, whole);
    }
  } else {
    shown[path] = leaf_text(node);
    whole[path] = print_value(node);
  }
}

// Is the value empty here, and on the other side a table or list with something in it? Then the
// lines about what is in it say enough.
bool only_fills_up(const Leaves& here, const Leaves& there, const std::string& path) {
  const auto value = here.find(path);
  if (value == here.end() || (value->second != "{}" && value->second != "[]")) return false;
  return std::ranges::any_of(there, [&](const auto& leaf) {
    return leaf.first.starts_with(path + ".") || leaf.first.starts_with(path + "[");
  });
}

void compare(const std::string& key, const Node& before, const Node& after,
             std::vector<Change>& changes) {
  Leaves old_shown, old_whole, new_shown, new_whole;
  collect(before, "", old_shown, old_whole);
  collect(after, "", new_shown, new_whole);
  Leaves paths = old_whole;
  paths.insert(new_whole.begin(), new_whole.end());
  for (const auto& [path, value] : paths) {
    const bool was = old_whole.contains(path);
    const bool is = new_whole.contains(path);
    if (was && is && old_whole[path] == new_whole[path]) continue;
    if (only_fills_up(old_whole, new_whole, path)) continue;
    if (only_fills_up(new_whole, old_whole, path)) continue;
    changes.push_back(
        {key, fmt::format("changed: {} {} -> {}", path, was ? old_shown[path] : "none",
                          is ? new_shown[path] : "none")});
  }
  // Order is all that is left: the rules of an entity are tried one after the other.
  const bool same_leaves = old_whole == new_whole;
  if (same_leaves && print_value(before) != print_value(after)) {
    changes.push_back({key, "changed: order"});
  }
}

void compare_named(const std::string& group, const Node* before, const Node* after,
                   std::vector<Change>& changes) {
  std::map<std::string, std::pair<const Node*, const Node*>> names;
  if (before != nullptr) {
    for (const auto& member : before->items) names[member.key].first = &member;
  }
  if (after != nullptr) {
    for (const auto& member : after->items) names[member.key].second = &member;
  }
  for (const auto& [name, both] : names) {
    const auto key = group + "." + name;
    if (both.first == nullptr) {
      changes.push_back({key, "added"});
    } else if (both.second == nullptr) {
      changes.push_back({key, "removed"});
    } else {
      compare(key, *both.first, *both.second, changes);
    }
  }
}

bool touches(const Change& change, const Key& key) {
  const auto dot = key.path.find('.');
  const auto name = key.path.substr(dot + 1);
  const std::string start = "changed: " + name;
  return change.key == key.path.substr(0, dot) && change.what.starts_with(start) &&
         (change.what[start.size()] == ' ' || change.what[start.size()] == '.');
}

}  // namespace

Difference difference(const Settings& before, const Settings& after) {
  const Node old_node = to_node(before);
  const Node new_node = to_node(after);
  Difference difference;
  for (const auto* group :
       {"daemon", "http", "storage", "swarm", "budget", "planning", "approvals", "memory"}) {
    compare(group, *old_node.find(group), *new_node.find(group), difference.changes);
  }
  for (const auto* group : {"source", "sink", "entity", "model", "agent", "mcp"}) {
    compare_named(group, old_node.find(group), new_node.find(group), difference.changes);
  }
  std::ranges::sort(difference.changes, [](const Change& a, const Change& b) {
    return std::tie(a.key, a.what) < std::tie(b.key, b.what);
  });
  for (const auto& key : reference()) {
    const auto touched = [&](const Change& change) { return touches(change, key); };
    if (key.needs_restart && std::ranges::any_of(difference.changes, touched)) {
      difference.needs_restart.push_back(key.path);
    }
  }
  return difference;
}

}  // namespace vigil::config
