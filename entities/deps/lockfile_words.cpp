// Lock files in a language of their own, of which one plain form is ever written: Dart's
// pubspec.lock (YAML) and Elixir's mix.lock (a map).
#include <fmt/format.h>

#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {

// Two spaces a package, four spaces its fields.
Result<Lockfile> read_pub(std::string_view text) {
  Packages packages("Pub");
  LineReader lines(text);
  std::string_view line;
  std::string_view section;
  bool has_packages = false;
  struct {
    std::string_view name;
    std::string_view version;
    Purpose purpose = Purpose::normal;
    int line = 0;
  } entry;
  const auto finish = [&] {
    if (entry.line > 0) packages.add(entry.name, entry.version, entry.purpose, entry.line);
    entry = {};
  };
  while (lines.next(line)) {
    const auto indent = indent_of(line);
    if (indent == line.size() || line[indent] == '#') continue;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line[indent] == '\t') {
      return refuse(lines.number(), "not a pubspec.lock: expected a key and a colon");
    }
    const auto key = unquote(line.substr(indent, colon - indent));
    const auto value = unquote(trim(line.substr(colon + 1)));
    if (indent <= 2) finish();
    if (indent == 0) section = key;
    has_packages = has_packages || section == "packages";
    if (section != "packages") continue;
    if (indent == 2) {
      entry.name = key;
      entry.line = lines.number();
    } else if (indent == 4 && key == "version") {
      entry.version = value;
    } else if (indent == 4 && key == "dependency" && value == "direct dev") {
      entry.purpose = Purpose::dev;
    }
  }
  finish();
  if (!section.empty() && !has_packages) {
    return refuse(1, "not a pubspec.lock: it has no packages");
  }
  return packages.take();
}

// "plug": {:hex, :plug, "1.11.1", "checksum", ...
Result<Lockfile> read_mix(std::string_view text) {
  Packages packages("Hex");
  LineReader lines(text);
  std::string_view line;
  while (lines.next(line)) {
    const auto content = trim(line);
    if (content.empty() || content == "%{" || content == "}" || content == "%{}" ||
        content.starts_with('#')) {
      continue;
    }
    const auto name_end =
        content.starts_with('"') ? content.find("\": {", 1) : std::string_view::npos;
    if (name_end == std::string_view::npos) {
      return refuse(lines.number(), "not a mix.lock: expected \"NAME\": {:hex, ...");
    }
    auto rest = content.substr(name_end + 4);
    if (!rest.starts_with(":hex,")) {  // from a repository
      packages.add(content.substr(1, name_end - 1), "", Purpose::normal, lines.number());
      continue;
    }
    const auto opens = rest.find('"');
    const auto closes = opens == std::string_view::npos ? opens : rest.find('"', opens + 1);
    if (closes == std::string_view::npos) return refuse(lines.number(), "expected a version");
    // The name in the registry, which may differ from the one it has here.
    const auto atom = trim(rest.substr(5, opens - 5));
    const auto name = atom.starts_with(':') && atom.ends_with(',')
                          ? unquote(atom.substr(1, atom.size() - 2))
                          : content.substr(1, name_end - 1);
    packages.add(name, rest.substr(opens + 1, closes - opens - 1), Purpose::normal, lines.number());
  }
  return packages.take();
}

}  // namespace vigil::entities::deps
