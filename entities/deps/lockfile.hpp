#pragma once
// Reads lock files: which packages a project is pinned to. The text comes from outside: it is read
// in a contained child, every reader is linear in its size, and bad text is refused with a place.
// Pure but for read_lockfile_at; any thread.
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::entities::deps {

// What a package is for. Where a file says two things of one package, the more serious one holds.
enum class Purpose { normal, optional, dev };
std::string_view to_text(Purpose purpose);

struct Locked {
  std::string ecosystem;  // as advisories name it: npm, PyPI, crates.io, Go, Maven...
  std::string name;
  std::string version;  // empty: not pinned, or from somewhere else than a registry
  Purpose purpose = Purpose::normal;
  int line = 0;  // where the file first names it; 0: not known
};

// A line that asks to read another file too: "-r base.txt".
struct Reference {
  std::string file;
  int line = 0;
};

// What a package of the file asks of another one: `by` takes `name`, now at `version`, in `range`.
struct Asked {
  std::string name;
  std::string version;
  std::string range;
  std::string by;  // "mocha 5.2.0"; "the project"
};

// A line that could not be read in a file that otherwise could.
struct BadLine {
  std::string what;
  int line = 0;
};

struct Lockfile {
  std::string format;            // npm
  std::vector<Locked> packages;  // one for each name and version, in the order of the file
  std::vector<Reference> references;
  std::vector<BadLine> bad_lines;  // at most bad_lines_max
  std::vector<Asked> asked;        // npm alone: other formats do not say, or are not read so far
};
constexpr std::size_t bad_lines_max = 20;

struct LockFormat {
  std::string_view name;  // also what --format takes
  std::string_view ecosystem;
  std::string_view files;  // for people: how files of this format are called
  Result<Lockfile> (*read)(std::string_view text);
};
std::span<const LockFormat> lock_formats();
const LockFormat* find_lock_format(std::string_view name);
// By the file's name; nullptr when it is none we know.
const LockFormat* lock_format_of(std::string_view path);

constexpr std::size_t lockfile_bytes_max = 64 * 1024 * 1024;

// `path` only says what it is and stands in errors. `format` empty: by the path.
Result<Lockfile> read_lockfile(std::string_view path, std::string_view text,
                               std::string_view format = {});
Result<Lockfile> read_lockfile_at(const std::filesystem::path& path, std::string_view format = {});

// Names of PyPI packages are equal when this is: "Foo.Bar_baz" is foo-bar-baz.
std::string normal_name(std::string_view ecosystem, std::string_view name);

}  // namespace vigil::entities::deps
