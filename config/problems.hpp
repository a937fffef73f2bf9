#pragma once
// Collects what is wrong while a configuration is read, and remembers where each key stands so that
// mistakes found later, across keys, can name a line too.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "config/node.hpp"

namespace vigil::config {

class Problems {
 public:
  // What is added or learned from now on stands in this file.
  void begin_file(const std::string& file);
  // Relative paths in values are taken from here: the directory of the file, absolute.
  const std::string& directory() const { return directory_; }

  void add(std::string key, Place place, std::string message);
  void add(Diagnostic diagnostic) { diagnostics_.push_back(std::move(diagnostic)); }
  // The key could not even be read as what it claims to be: later mistakes below it are noise.
  void give_up_on(std::string key) { given_up_.insert(std::move(key)); }

  void learn(const std::string& key, Place place);
  // "vigild.toml:12" of a key seen before; empty when it was not.
  std::string whereabouts(const std::string& key) const;

  // A mistake across keys: placed at the key or at the nearest table above it that was written.
  // Left out when something on the way to it, inside it, or what it rests on was wrong already.
  void add_later(const std::string& key, std::string message, const std::string& rests_on = {});

  bool empty() const { return diagnostics_.empty() && later_.empty(); }
  // By file in the order they were read, then by place.
  std::vector<Diagnostic> take();

 private:
  bool known_broken(const std::string& key) const;

  struct Whereabouts {
    std::string file;
    Place place;
  };
  std::string file_;
  std::string directory_;
  std::vector<std::string> files_;
  std::map<std::string, Whereabouts> places_;
  std::set<std::string> given_up_;
  std::vector<Diagnostic> diagnostics_;
  std::vector<Diagnostic> later_;  // apart: one of them must not silence the next
};

// The path without its last step: "a.b[2].c" gives "a.b[2]", then "a.b", then "a", then "".
std::string parent_of(std::string_view key);

}  // namespace vigil::config
