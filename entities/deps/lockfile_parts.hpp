#pragma once
// What the readers of lock files share. For lockfile*.cpp alone.
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/json.hpp"
#include "entities/deps/lockfile.hpp"

namespace vigil::entities::deps {

// An error with its place in the file; the path is put in front by read_lockfile.
std::unexpected<Error> refuse(int line, std::string_view what);
int line_at(std::string_view text, std::size_t offset);

// Gathers packages: one for each name and version, of the most serious purpose it is needed for.
class Packages {
 public:
  explicit Packages(std::string_view ecosystem) : ecosystem_(ecosystem) {}
  void add(std::string_view name, std::string_view version, Purpose purpose, int line);
  Lockfile take() { return std::move(file_); }
  Lockfile& file() { return file_; }

 private:
  std::string ecosystem_;
  Lockfile file_;
  std::unordered_map<std::string, std::size_t> known_;
};

// Finds the lines of things that are asked for in the order of the text. Linear over all calls:
// once something is not found, nothing more is looked for.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  // The line of `"key"` that is followed by a colon and `opens` ('{' or '"').
  int of_key(std::string_view key, char opens);
  int of_text(std::string_view needle);

 private:
  int arrive(std::size_t at);
  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool lost_ = false;
};

// Line by line, numbered from 1, without line ends and spaces behind.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}
  bool next(std::string_view& line);
  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

std::string_view trim(std::string_view text);
std::string_view unquote(std::string_view text);  // "x" and 'x' without the quotes
std::size_t indent_of(std::string_view line);

Result<json::object> read_json_object(std::string_view text, std::string_view what);
const json::object* object_in(const json::object& parent, std::string_view key);
std::string_view text_in(const json::object& parent, std::string_view key);
bool flag_in(const json::object& parent, std::string_view key);

Result<Lockfile> read_npm(std::string_view text);
Result<Lockfile> read_yarn(std::string_view text);
Result<Lockfile> read_pnpm(std::string_view text);
Result<Lockfile> read_cargo(std::string_view text);
Result<Lockfile> read_poetry(std::string_view text);
Result<Lockfile> read_uv(std::string_view text);
Result<Lockfile> read_pdm(std::string_view text);
Result<Lockfile> read_pipenv(std::string_view text);
Result<Lockfile> read_requirements(std::string_view text);
Result<Lockfile> read_go_mod(std::string_view text);
Result<Lockfile> read_bundler(std::string_view text);
Result<Lockfile> read_composer(std::string_view text);
Result<Lockfile> read_nuget(std::string_view text);
Result<Lockfile> read_conan(std::string_view text);
Result<Lockfile> read_gradle(std::string_view text);
Result<Lockfile> read_gradle_verification(std::string_view text);
Result<Lockfile> read_maven(std::string_view text);
Result<Lockfile> read_pub(std::string_view text);
Result<Lockfile> read_mix(std::string_view text);
Result<Lockfile> read_renv(std::string_view text);

}  // namespace vigil::entities::deps
