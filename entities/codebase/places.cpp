#include "entities/codebase/places.hpp"

#include <filesystem>
#include <fstream>

namespace vigil::entities::codebase {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (line.ends_with('\r') || line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace

std::vector<std::string> places_of(const std::string& path) {
  const fs::path repository(path);
  std::vector<std::string> places{repository.string()};
  const auto add = [&](const fs::path& path) {
    std::error_code error;
    const auto real = fs::weakly_canonical(path, error);
    if (!error && fs::exists(real, error)) places.push_back(real.string());
    return real;
  };
  std::error_code error;
  fs::path folder = repository / ".git";
  if (fs::is_regular_file(folder, error)) {
    constexpr std::string_view start = "gitdir: ";
    const auto line = first_line(folder);
    if (line.starts_with(start)) folder = add(repository / line.substr(start.size()));
    if (const auto common = first_line(folder / "commondir"); !common.empty()) {
      folder = add(folder / common);
    }
  } else if (!fs::is_directory(folder, error)) {
    folder = repository;  // a bare one
  }
  std::ifstream borrowed(folder / "objects/info/alternates");
  for (std::string line; std::getline(borrowed, line);) {
    if (!line.empty() && line.front() != '#') add(folder / "objects" / line);
  }
  return places;
}

}  // namespace vigil::entities::codebase
