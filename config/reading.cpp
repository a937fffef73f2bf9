#include "config/reading.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace vigil::config {

std::string_view Reading::one_of_words(std::span<const std::string_view> words) {
  if (words.data() == source_kinds.data()) return "webhook or schedule";
  if (words.data() == sink_kinds.data()) return "http, github, command, file or log";
  return "codebase, rules or process";
}

const Node* Reading::take(const Spec& spec) {
  known_.emplace_back(spec.name);
  const Node* node = table_.find(spec.name);
  if (node != nullptr) {
    problems_.learn(path_to(spec), node->place);
  } else if (spec.presence == Presence::required) {
    problems_.add(path_to(spec), table_.place, fmt::format("is required: {}", spec.meaning));
  }
  return node;
}

bool Reading::is_table(const Spec& spec, const Node& node) {
  if (node.kind == Node::Kind::table) return true;
  problems_.add(
      path_to(spec), node.place,
      fmt::format("expected one table, [{}], not {}", path_to(spec), describe_kind_of(node)));
  return false;
}

bool Reading::is_list_of_tables(const Spec& spec, const Node& node) {
  const bool good =
      node.kind == Node::Kind::list && std::ranges::all_of(node.items, [](const Node& item) {
        return item.kind == Node::Kind::table;
      });
  if (good) return true;
  problems_.add(
      path_to(spec), node.place,
      fmt::format("expected a list of tables: write [[{}]] with two brackets", path_to(spec)));
  return false;
}

bool Reading::may_define(const Node& member, const std::string& path) {
  if (member.kind != Node::Kind::table) {
    problems_.add(path, member.key_place,
                  fmt::format("expected a table, [{}], not {}", path, describe_kind_of(member)));
    return false;
  }
  if (!is_name(member.key)) {
    problems_.add(path, member.key_place,
                  "a name is made of a-z, 0-9, _ and -, and has 64 characters at most");
    return false;
  }
  if (const auto before = problems_.whereabouts(path); !before.empty()) {
    problems_.add(path, member.key_place,
                  fmt::format("is defined already at {}; names are unique", before));
    return false;
  }
  problems_.learn(path, member.place);
  return true;
}

void Reading::finish() {
  if (anything_goes_) return;
  for (const auto& member : table_.items) {
    if (std::ranges::find(known_, member.key) != known_.end()) continue;
    const auto path = path_.empty() ? member.key : path_ + "." + member.key;
    const auto elsewhere = strangers_.find(member.key);
    if (elsewhere != strangers_.end()) {
      problems_.add(path, member.key_place, elsewhere->second);
      continue;
    }
    auto hint = suggestion(member.key, known_);
    if (hint.empty()) {
      hint = known_.empty() ? "; no other key belongs here"
                            : fmt::format("; known here: {}", fmt::join(known_, ", "));
    }
    problems_.add(path, member.key_place, "unknown key" + hint);
  }
}

}  // namespace vigil::config
