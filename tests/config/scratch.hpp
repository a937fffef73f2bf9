#pragma once
// A directory that goes away with the test, and short ways to load a configuration.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "config/load.hpp"

namespace vigil::config {

class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vigil-config-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no scratch directory");
    path_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code failed;
    std::filesystem::remove_all(path_, failed);  // what stays behind is for the system to clean
  }

  std::string path(const std::string& name = "") const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }
  std::string write(const std::string& name, const std::string& text, unsigned mode = 0644) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    if (::chmod(file.c_str(), mode) != 0) throw std::runtime_error("cannot set a mode");
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<Diagnostic> mistakes(const LoadResult& result) {
  const auto* found = std::get_if<std::vector<Diagnostic>>(&result);
  return found == nullptr ? std::vector<Diagnostic>{} : *found;
}

inline std::string all_texts(const LoadResult& result) {
  std::string all;
  for (const auto& one : mistakes(result)) all += one.to_text() + "\n";
  return all;
}

// Of a text that is right; throws with what is wrong in it otherwise.
inline Settings settings_of(const std::string& text) {
  const auto result = load_text(text, "/etc/vigild/vigild.toml");
  if (const auto* loaded = std::get_if<Loaded>(&result)) return loaded->settings;
  throw std::runtime_error(all_texts(result));
}

}  // namespace vigil::config
