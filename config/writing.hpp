#pragma once
// The visitor that writes settings as a table.
#include <map>
#include <string>
#include <utility>

#include "config/schema_entity.hpp"
#include "config/values.hpp"

namespace vigil::config {

class Writing {
 public:
  explicit Writing(Node& table) : table_(table) { table_.layout = Node::Layout::section; }

  template <class T>
  void value(const Spec& spec, T& of) {
    if (auto node = write(spec, std::as_const(of))) table_.add(spec.name, std::move(*node));
  }
  template <class T>
  void table(const Spec& spec, T& of) {
    table_.add(spec.name, section(of));
  }
  template <class T>
  void table(const Spec& spec, Boxed<T>& of) {
    auto copy = *of;
    table(spec, copy);
  }
  template <class T>
  void table(const Spec& spec, std::optional<T>& of) {
    if (!of) return;
    Node node = section(*of);
    node.layout = Node::Layout::one_line;  // the optional tables are small
    table_.add(spec.name, std::move(node));
  }
  template <class T>
  void tables(const Spec& spec, std::vector<T>& of) {
    if (of.empty()) return;
    Node list = Node::of_list();
    for (auto& one : of) list.items.push_back(section(one));
    table_.add(spec.name, std::move(list));
  }
  template <class T>
  void named(const Spec& spec, std::map<std::string, T>& of) {
    if (of.empty()) return;
    Node all;
    all.layout = Node::Layout::section;
    for (auto& [name, one] : of) all.add(name, section(one));
    table_.add(spec.name, std::move(all));
  }
  template <class... Kinds>
  std::string kinds(std::span<const std::string_view> words, std::variant<Kinds...>& of) {
    const std::string word(words[of.index()]);
    Node node = Node::of_text(word);
    node.key = "kind";
    table_.items.insert(table_.items.begin(), std::move(node));  // it explains the rest
    std::visit([&](auto& kind) { describe_kind(*this, kind); }, of);
    return word;
  }

 private:
  template <class T>
  static Node section(T& of) {
    Node node;
    Writing below(node);
    describe(below, of);
    return node;
  }

  Node& table_;
};

// All settings, defaults written out.
Node to_node(const Settings& settings);

}  // namespace vigil::config
