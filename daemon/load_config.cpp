#include "daemon/load_config.hpp"

#include <fmt/format.h>

#include <fstream>
#include <future>
#include <utility>

#include "entities/roster.hpp"
#include "entities/rules/filter.hpp"

namespace vigil {
namespace {

// Where the tables of an entity begin, as a person would look for it; line 0: nowhere found.
config::Diagnostic place_of(const std::string& entity, const std::vector<std::string>& files) {
  for (const auto& name : files) {
    std::ifstream file(name);
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      const auto begin = line.find_first_not_of(" \t[");
      if (begin == std::string::npos || begin == 0 || line[begin - 1] != '[') continue;
      const auto head = "entity." + entity;
      if (line.compare(begin, head.size(), head) != 0) continue;
      const auto next = begin + head.size() < line.size() ? line[begin + head.size()] : ']';
      if (next == ']' || next == '.') return {name, number, static_cast<int>(begin) + 1, head, {}};
    }
  }
  return {files.empty() ? std::string() : files.front(), 0, 0, "entity." + entity, {}};
}

std::vector<config::Diagnostic> mistakes_of(const config::Loaded& loaded) {
  std::vector<config::Diagnostic> mistakes;
  for (const auto& [name, entity] : loaded.settings.entities) {
    const auto refuse = [&, &entity_name = name](const std::string& below, const Error& error) {
      auto mistake = place_of(entity_name, loaded.files);
      mistake.key += below;
      mistake.message = error.message;
      mistakes.push_back(std::move(mistake));
    };
    if (const auto made = entities::make_guardian(entity); !made) refuse("", made.error());
    for (std::size_t i = 0; i < entity.on.size(); ++i) {
      const auto& on = entity.on[i];
      if (entities::is_plain(on.match, on.when)) continue;
      const auto filter = entities::Filter::compile(on.match, on.when);
      if (!filter) refuse(fmt::format(".on[{}]", i), filter.error());
    }
  }
  return mistakes;
}

}  // namespace

config::LoadResult load_config(const std::string& path) {
  auto reading = std::async(std::launch::async, [&] { return config::load(path); });
  const auto read = reading.get();
  // Copied, not moved: the allocator gives each thread an arena, and a copy lies in the caller's.
  return config::LoadResult(std::as_const(read));
}

config::LoadResult try_config(const std::string& path) {
  auto loaded = load_config(path);
  const auto* ready = std::get_if<config::Loaded>(&loaded);
  if (ready == nullptr) return loaded;
  auto trial = std::async(std::launch::async, [&] { return mistakes_of(*ready); });
  if (auto mistakes = trial.get(); !mistakes.empty()) return mistakes;
  return loaded;
}

}  // namespace vigil
