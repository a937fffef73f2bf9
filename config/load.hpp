#pragma once
// Reads vigild.toml and entities.d/*.toml into Settings, or says everything that is wrong with
// them. Reads files only; any thread.
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"

namespace vigil::config {

struct Diagnostic {
  std::string file;
  int line = 0;  // 1-based; 0: the file as a whole
  int column = 0;
  std::string key;              // dotted path: entity.market.reactivity.cooldown
  std::string message;          // what was expected, and the nearest known key where one is unknown
  std::string to_text() const;  // file:line:col: key: message
};

struct Loaded {
  Settings settings;
  std::vector<std::string> files;  // all that were read, in order
};

using LoadResult =
    std::variant<Loaded, std::vector<Diagnostic>>;  // diagnostics: never empty, by place

// `path` is a vigild.toml, or a directory that holds one. Beside it, entities.d/*.toml are read in
// order of their names; they may hold [entity.*], [source.*] and [sink.*]. Relative paths in values
// are taken from the directory of the file they stand in and come out absolute; state_dir and
// admin_socket are never empty. A name defined twice is an error.
LoadResult load(const std::string& path);

// The same for one text, without drop-ins; `file` is the name used in diagnostics.
LoadResult load_text(std::string_view text, const std::string& file);

struct Change {
  std::string key;   // "entity.market"
  std::string what;  // added | removed | changed: reactivity.cooldown 5m -> 10m
};
// What going from one to the other changes, in order of keys. `needs_restart` on keys of [daemon],
// [http] listen and [storage] that a reload cannot apply.
struct Difference {
  std::vector<Change> changes;
  std::vector<std::string> needs_restart;
};
Difference difference(const Settings& before, const Settings& after);

// The settings as TOML with every default written out (secrets stay references). load_text() gives
// the same settings back.
std::string to_toml(const Settings& settings);

// Every key there is: "entity.NAME.reactivity.cooldown", type, default, meaning. For
// docs/configuration.md. Made from what the loader itself reads (config/schema.hpp).
struct Key {
  std::string path;  // lists of tables are written on[]
  std::string kind;  // the kind of source, sink or entity it belongs to; empty: all of them
  std::string type;
  std::string default_text;
  std::string meaning;
  bool needs_restart = false;
};
std::vector<Key> reference();

}  // namespace vigil::config
