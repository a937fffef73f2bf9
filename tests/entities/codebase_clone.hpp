#pragma once
// A clone of its own for a test, in a folder that goes with it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "core/digest.hpp"
#include "entities/codebase/git.hpp"
#include "entities/codebase/look.hpp"

namespace vigil::testing {

namespace fs = std::filesystem;
using entities::codebase::Errand;
using entities::codebase::ErrandEnd;
using entities::codebase::run_errand;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("vigil-clone-" + random_hex(6))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class Clone {
 public:
  Clone() { git({"init", "-q", "-b", "main"}); }

  std::string git(std::vector<std::string> arguments) const {
    Errand errand;
    errand.argv = {"git", "-c", "user.name=t", "-c", "user.email=t@vigil.dev"};
    errand.argv.insert(errand.argv.end(), arguments.begin(), arguments.end());
    errand.folder = path().string();
    errand.environment = {"PATH=/usr/bin:/bin", "GIT_CONFIG_GLOBAL=/dev/null",
                          "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"};
    const auto end = run_errand(errand);
    REQUIRE(end.has_value());
    REQUIRE_MESSAGE(end->exit_code == 0, end->errors);
    return end->output.substr(0, end->output.find('\n'));
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path() / name).parent_path());
    std::ofstream(path() / name, std::ios::binary) << text;
  }
  // The hash of a new commit with these files.
  std::string commit(const std::map<std::string, std::string>& files,
                     const std::string& message = "tests: a commit") const {
    for (const auto& [name, text] : files) write(name, text);
    git({"add", "-A"});
    git({"commit", "-q", "--allow-empty", "-m", message});
    return git({"rev-parse", "HEAD"});
  }
  fs::path path() const { return folder_.path(); }
  json::object input() const { return {{"repository", path().string()}}; }

 private:
  Folder folder_;
};

}  // namespace vigil::testing
