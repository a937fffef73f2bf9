#include "config/reading.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace vigil::config {

std::string_view Reading::one_of_words(std::span<const std::string_view> words) {
  if (words.data() == source_kinds.data()) {
    return "webhook, schedule, repository, poll, file, stream, calendar, documents, imap, "
           "maildir, lmtp or telegram";
  }
  if (words.data() == sink_kinds.data()) {
    return "http, github, command, file, log, git, imap, maildir, smtp, slack or telegram";
  }
  return "codebase, rules, process, ops, market or comms";
}

const Node* Reading::take(const Spec& spec) {
  known_.emplace_back(spec.name);
  const Node* node = table_.find(spec.name);
  if (node != nullptr) {
    problems_.learn(path_to(spec), node->place);
  } else if (spec.presence == Presence::required) {
    missing_.emplace_back(spec.name, fmt::format("is required: {}", spec.meaning));
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
  std::vector<std::string> meant;  // known keys that were probably meant by unknown ones
  for (const auto& member : table_.items) {
    if (anything_goes_ || std::ranges::find(known_, member.key) != known_.end()) continue;
    const auto elsewhere = strangers_.find(member.key);
    if (elsewhere != strangers_.end()) {
      problems_.add(path_to(member.key), member.key_place, elsewhere->second);
      continue;
    }
    const auto near = nearest(member.key, known_);
    meant.push_back(near);
    std::string hint = fmt::format("; did you mean \"{}\"?", near);
    if (near.empty() && known_.empty()) hint = "; no other key belongs here";
    if (near.empty() && !known_.empty()) {
      hint = fmt::format("; known here: {}", fmt::join(known_, ", "));
    }
    problems_.add(path_to(member.key), member.key_place, "unknown key" + hint);
  }
  for (const auto& name : meant) {
    if (!name.empty() && table_.find(name) == nullptr) problems_.give_up_on(path_to(name));
  }
  for (auto& [name, message] : missing_) {
    if (std::ranges::find(meant, name) != meant.end()) continue;
    problems_.add(path_to(name), table_.place, std::move(message));
  }
}

}  // namespace vigil::config
