#include "entities/codebase/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <limits>

#include "entities/codebase/paths.hpp"

namespace vigil::entities::codebase {
namespace {

// The steps many projects label pull requests with.
constexpr std::array<std::pair<std::int64_t, std::string_view>, 6> sizes{
    {{10, "XS"},
     {30, "S"},
     {100, "M"},
     {500, "L"},
     {1000, "XL"},
     {std::numeric_limits<std::int64_t>::max(), "XXL"}}};
constexpr std::int64_t binary_bytes_noted = 100 * 1024;
constexpr std::int64_t untested_lines_min = 10;

std::string bytes_text(std::int64_t bytes) {
  if (bytes >= 1024 * 1024) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
  }
  return fmt::format("{} KiB", (bytes + 1023) / 1024);
}

bool is_program_or_archive(std::string_view path) {
  constexpr std::array<std::string_view, 22> known{
      "exe", "dll", "so",  "dylib", "a",  "o",  "obj", "class", "jar", "war", "pyc",
      "zip", "tar", "tgz", "gz",    "xz", "7z", "rar", "iso",   "dmg", "deb", "rpm"};
  return std::ranges::find(known, extension_of(path)) != known.end();
}

Finding about(const FileChange& file, std::string_view rule, Severity severity, std::string title,
              std::string hint) {
  Finding finding;
  finding.analyser = "large_files";
  finding.rule = rule;
  finding.severity = severity;
  finding.path = file.path;
  finding.title = std::move(title);
  finding.hint = std::move(hint);
  finding.key = finding_key("large_files", rule, file.path, "");
  return finding;
}

}  // namespace

Size size_of(const std::vector<FileChange>& files) {
  Size size;
  for (const auto& file : files) {
    const auto lines = file.added + file.removed;
    if (is_generated(file.path)) {
      size.generated_lines += lines;
      continue;
    }
    size.lines += lines;
    const auto slash = file.path.find('/');
    size.areas[slash == std::string::npos ? "." : file.path.substr(0, slash)] += lines;
  }
  const auto fits = [&](const auto& step) { return size.lines < step.first; };
  size.label = std::ranges::find_if(sizes, fits)->second;
  return size;
}

std::vector<Finding> find_size(const Size& size) {
  if (size.label != "XL" && size.label != "XXL") return {};
  Finding finding;
  finding.analyser = "size";
  finding.rule = "large-change";
  finding.severity = size.label == "XXL" ? Severity::low : Severity::info;
  finding.title = fmt::format("{} changed lines are more than one sitting can review", size.lines);
  finding.hint = "split it along its areas, if they can stand alone";
  finding.key = finding_key("size", finding.rule, "", "");
  return {finding};
}

std::vector<Finding> find_large_files(const std::vector<FileChange>& files,
                                      std::int64_t large_bytes) {
  std::vector<Finding> out;
  for (const auto& file : files) {
    if (file.status == 'D' || file.mode == "160000") continue;
    if (file.bytes > large_bytes) {
      out.push_back(about(file, "large-file", file.binary ? Severity::high : Severity::medium,
                          fmt::format("{} of {} stay in every clone for ever",
                                      bytes_text(file.bytes), file.binary ? "bytes" : "text"),
                          "keep it outside the repository, or in Git LFS"));
    } else if (file.status == 'A' && file.binary && is_program_or_archive(file.path)) {
      out.push_back(about(file, "built-file", Severity::medium,
                          fmt::format("a built file was committed ({})", bytes_text(file.bytes)),
                          "build it instead, and add the pattern to .gitignore"));
    } else if (file.status == 'A' && file.binary && file.bytes > binary_bytes_noted) {
      out.push_back(about(file, "binary", Severity::info,
                          fmt::format("a binary file of {} was added", bytes_text(file.bytes)),
                          ""));
    }
  }
  return out;
}

std::vector<Finding> find_missing_tests(const std::vector<FileChange>& files) {
  std::int64_t lines = 0;
  std::int64_t most = 0;
  const FileChange* where = nullptr;
  for (const auto& file : files) {
    if (is_test(file.path)) return {};
    if (!is_code(file.path) || file.status == 'D') continue;
    lines += file.added;
    if (file.added > most) {
      most = file.added;
      where = &file;
    }
  }
  if (lines < untested_lines_min || where == nullptr) return {};
  Finding finding;
  finding.analyser = "tests";
  finding.rule = "code-without-tests";
  finding.severity = Severity::low;
  finding.path = where->path;
  finding.title = fmt::format("{} lines of code were added and no test was touched", lines);
  finding.hint = "add a test, or say why none is needed";
  finding.key = finding_key("tests", finding.rule, "", "");
  return {finding};
}

}  // namespace vigil::entities::codebase
