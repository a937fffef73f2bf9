#pragma once
// The visitor that fills settings from a table, asks for what is required and refuses what it does
// not know.
#include <fmt/format.h>

#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/forms.hpp"
#include "config/schema_entity.hpp"
#include "config/values.hpp"

namespace vigil::config {

// The visitor that only collects the keys directly in a table.
class Names {
 public:
  template <class T>
  void value(const Spec& spec, T&) {
    all.emplace_back(spec.name);
  }
  template <class T>
  void table(const Spec& spec, T&) {
    all.emplace_back(spec.name);
  }
  template <class T>
  void tables(const Spec& spec, T&) {
    all.emplace_back(spec.name);
  }
  std::vector<std::string> all;
};

class Reading {
 public:
  Reading(const Node& table, std::string path, Problems& problems)
      : table_(table), path_(std::move(path)), problems_(problems) {}

  template <class T>
  void value(const Spec& spec, T& to) {
    if (const Node* node = take(spec)) read(*node, Context{spec, path_to(spec), problems_}, to);
  }

  template <class T>
  void table(const Spec& spec, T& to) {
    const Node* node = take(spec);
    if (node != nullptr && !is_table(spec, *node)) return;
    // An absent table reads like an empty one, so that what is required in it is asked for.
    Node empty;
    empty.place = table_.place;
    fill(node == nullptr ? empty : *node, path_to(spec), to);
  }

  template <class T>
  void table(const Spec& spec, std::optional<T>& to) {
    const Node* node = take(spec);
    if (node == nullptr || !is_table(spec, *node)) return;
    fill(*node, path_to(spec), to.emplace());
  }

  template <class T>
  void table(const Spec& spec, Boxed<T>& to) {
    T read;
    const bool is_there = table_.find(spec.name) != nullptr;
    table(spec, read);
    if (is_there) to = std::move(read);
  }

  template <class T>
  void tables(const Spec& spec, std::vector<T>& to) {
    const Node* node = take(spec);
    const bool none = node == nullptr || (node->kind == Node::Kind::list && node->items.empty());
    if (none && spec.least > 0) {
      missing_.emplace_back(
          spec.name, fmt::format("is required: add [[{}]] ({})", path_to(spec), spec.meaning));
    }
    if (node == nullptr || !is_list_of_tables(spec, *node)) return;
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const auto path = fmt::format("{}[{}]", path_to(spec), i);
      problems_.learn(path, node->items[i].place);
      fill(node->items[i], path, to.emplace_back());
    }
  }

  template <class T>
  void named(const Spec& spec, std::map<std::string, T>& to) {
    const Node* node = take(spec);
    if (node == nullptr || !is_table(spec, *node)) return;
    for (const auto& member : node->items) {
      const auto path = path_to(spec) + "." + member.key;
      if (!may_define(member, path)) continue;
      T& thing = to[member.key];
      thing.name = member.key;
      fill(member, path, thing);
    }
  }

  template <class... Kinds>
  std::string kinds(std::span<const std::string_view> words, std::variant<Kinds...>& to) {
    const Spec spec{.name = "kind", .meaning = one_of_words(words), .presence = Presence::required};
    std::optional<std::size_t> choice;
    if (const Node* node = take(spec)) {
      choice = read_choice(*node, Context{spec, path_to(spec), problems_}, words);
    }
    if (!choice) {  // which keys belong here is anybody's guess
      problems_.give_up_on(path_);
      anything_goes_ = true;
      return {};
    }
    const std::string word(words[*choice]);
    std::size_t index = 0;
    const auto visit = [&]<class Kind>(std::type_identity<Kind>) {
      if (index == *choice) {
        describe_kind(*this, to.template emplace<Kind>());
      } else {
        remember_strangers<Kind>(words[index], word);
      }
      ++index;
    };
    (visit(std::type_identity<Kinds>{}), ...);
    return word;
  }

  // A key that is right elsewhere, and what to say when it stands here.
  void stranger(const std::string& key, std::string message) {
    strangers_.try_emplace(key, std::move(message));
  }

  // Refuses what nobody asked for, and asks for what is missing.
  void finish();

 private:
  template <class T>
  void fill(const Node& node, const std::string& path, T& to) {
    Reading below(node, path, problems_);
    describe(below, to);
    below.finish();
  }

  template <class Kind>
  void remember_strangers(std::string_view theirs, std::string_view ours) {
    Names names;
    Kind scratch;
    describe_kind(names, scratch);
    for (const auto& name : names.all) {
      stranger(name,
               fmt::format("belongs to kind = \"{}\", and this is kind = \"{}\"", theirs, ours));
    }
  }

  static std::string_view one_of_words(std::span<const std::string_view> words);
  // The value of the key, which is known from now on; a problem when it is required and absent.
  const Node* take(const Spec& spec);
  bool is_table(const Spec& spec, const Node& node);
  bool is_list_of_tables(const Spec& spec, const Node& node);
  bool may_define(const Node& member, const std::string& path);
  std::string path_to(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }
  std::string path_to(const Spec& spec) const { return path_to(spec.name); }

  const Node& table_;
  std::string path_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::vector<std::pair<std::string, std::string>> missing_;  // key and message
  std::map<std::string, std::string> strangers_;
  bool anything_goes_ = false;
};

}  // namespace vigil::config
