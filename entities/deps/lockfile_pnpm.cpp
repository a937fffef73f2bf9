// pnpm-lock.yaml, versions 5 to 9. pnpm writes one plain form of YAML: two spaces for each level,
// one key a line. That form is read here, strictly, line by line; everything else is refused.
#include <fmt/format.h>

#include <optional>
#include <unordered_set>

#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {
namespace {

struct Key {
  std::string_view name;
  std::string_view value;
};

// "'@a/b': 1.0" and "a: {b: c}"; nothing when there is no key on the line.
std::optional<Key> key_of(std::string_view line) {
  if (line.starts_with("? ")) return Key{unquote(trim(line.substr(2))), {}};  // a very long key
  std::size_t end = 0;
  if (line.starts_with('\'') || line.starts_with('"')) {
    const auto close = line.find(line.front(), 1);
    if (close == std::string_view::npos) return std::nullopt;
    end = close + 1;
    if (end >= line.size() || line[end] != ':') return std::nullopt;
  } else {
    end = line.find(": ");
    if (end == std::string_view::npos && line.ends_with(':')) end = line.size() - 1;
    if (end == std::string_view::npos) return std::nullopt;
  }
  return Key{unquote(line.substr(0, end)), unquote(trim(line.substr(end + 1)))};
}

struct Named {
  std::string_view name;
  std::string_view version;
};

bool starts_as_version(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

// Version 5: /name/1.0.0_peer@2, registry.example.org/@a/b/1.0.0. Nothing: it names no release.
Named read_path(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  const auto version = path.substr(slash + 1, path.find_first_of("_(", slash) - slash - 1);
  if (!starts_as_version(version)) return {};
  const auto before = path.substr(0, slash);
  const auto part = before.rfind('/');
  if (part == std::string_view::npos) return {before, version};
  const auto scope = part == 0 ? std::string_view::npos : before.rfind('/', part - 1);
  const auto from = scope == std::string_view::npos ? 0 : scope + 1;
  return {before.substr(before[from] == '@' ? from : part + 1), version};
}

// Versions 6 and 9: /@a/b@1.0.0(peer@2), a@1.0.0.
Named read_pair(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  path = path.substr(0, path.find('('));
  const auto at = path.find('@', 1);
  if (at == std::string_view::npos) return {};
  const auto version = path.substr(at + 1);
  return {path.substr(0, at), starts_as_version(version) ? version : std::string_view()};
}

struct Entry {
  std::string_view path;
  std::string_view name;
  std::string_view version;
  Purpose purpose = Purpose::normal;
  int line = 0;
};

struct State {
  int major = 0;
  std::string_view section;
  std::string_view group;   // importers: dependencies, devDependencies...
  std::string_view wanted;  // importers: the name of the direct dependency
  Entry entry;
  // Version 9 marks no package; the direct ones are told by how the project asks for them.
  std::unordered_set<std::string> dev;
  std::unordered_set<std::string> needed;
  Packages packages{"npm"};
};

Result<void> finish(State& state) {
  auto& entry = state.entry;
  if (entry.line == 0) return {};
  if (state.major < 6 && entry.path.find('/') == std::string_view::npos) {
    return refuse(entry.line, fmt::format("\"{}\" is no path of a package as version {} has them",
                                          entry.path, state.major));
  }
  const auto named = state.major < 6 ? read_path(entry.path) : read_pair(entry.path);
  const auto name = entry.name.empty() ? named.name : entry.name;
  const auto version = entry.version.empty() ? named.version : entry.version;
  if (!name.empty() && !version.empty()) {
    const auto key = fmt::format("{}@{}", name, version);
    if (state.dev.contains(key) && !state.needed.contains(key)) entry.purpose = Purpose::dev;
    state.packages.add(name, version, entry.purpose, entry.line);
  }
  entry = {};
  return {};
}

void read_field(const Key& key, Entry& entry) {
  if (key.name == "name") entry.name = key.value;
  if (key.name == "version") entry.version = key.value;
  if (key.name == "dev" && key.value == "true") entry.purpose = Purpose::dev;
  if (key.name == "optional" && key.value == "true" && entry.purpose == Purpose::normal) {
    entry.purpose = Purpose::optional;
  }
}

void read_importer(const Key& key, std::size_t indent, State& state) {
  if (indent == 4) state.group = key.name;
  if (indent == 6) state.wanted = key.name;
  if (indent == 8 && key.name == "version") {
    const auto version = key.value.substr(0, key.value.find('('));
    auto& set = state.group == "devDependencies" ? state.dev : state.needed;
    set.insert(fmt::format("{}@{}", state.wanted, version));
  }
}

Result<void> read_line(std::string_view line, std::size_t indent, int number, State& state) {
  const auto key = key_of(line);
  const bool opens = indent == 0 || (state.section == "packages" && indent == 2);
  if (!key) {
    if (opens && !line.starts_with(':')) {
      return refuse(number, "not a pnpm-lock.yaml: expected a key and a colon");
    }
    return {};  // an item of a list, a line of a longer text
  }
  if (opens) {
    if (auto done = finish(state); !done) return done;
  }
  if (indent == 0) {
    state.section = key->name;
    if (key->name == "lockfileVersion") {
      const char first = key->value.empty() ? '\0' : key->value.front();
      state.major = first >= '0' && first <= '9' ? first - '0' : 0;
      if (state.major < 5) {
        return refuse(number, fmt::format("lockfileVersion {}: expected 5 to 9", key->value));
      }
    }
  } else if (state.section == "packages" && indent == 2) {
    state.entry = {.path = key->name, .line = number};
  } else if (state.section == "packages" && indent == 4) {
    read_field(*key, state.entry);
  } else if (state.section == "importers") {
    read_importer(*key, indent, state);
  }
  return {};
}

}  // namespace

Result<Lockfile> read_pnpm(std::string_view text) {
  State state;
  LineReader lines(text);
  std::string_view line;
  while (lines.next(line)) {
    const auto indent = indent_of(line);
    if (indent == line.size() || line[indent] == '#' || line == "---") continue;
    if (line[indent] == '\t') return refuse(lines.number(), "a tab: YAML is indented by spaces");
    auto read = read_line(line.substr(indent), indent, lines.number(), state);
    if (!read) return std::unexpected(read.error());
    if (state.section == "packages" && state.major == 0) {
      return refuse(lines.number(), "packages before any lockfileVersion");
    }
  }
  if (auto done = finish(state); !done) return std::unexpected(done.error());
  if (state.major == 0 && !state.section.empty()) {
    return refuse(1, "not a pnpm-lock.yaml: it has no lockfileVersion");
  }
  return state.packages.take();
}

}  // namespace vigil::entities::deps
