#include "entities/deps/lock_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <set>

#include "core/log.hpp"
#include "entities/codebase/look.hpp"
#include "entities/codebase/shape.hpp"

namespace vigil::entities::deps {
namespace {

namespace fs = std::filesystem;

Finding unread(std::string_view path, int line, std::string_view what,
               codebase::Severity severity) {
  Finding finding;
  finding.analyser = "deps";
  finding.rule = "not-read";
  finding.severity = severity;
  finding.path = path;
  finding.line = line;
  finding.title = codebase::one_line(what, 300);
  finding.hint = "its packages were not looked at: mend the file, or look by hand";
  finding.key = codebase::finding_key("deps", finding.rule, path, what.substr(0, 80));
  return finding;
}

// "path:3: what" says its line.
int line_in(std::string_view message, std::string_view path) {
  if (!message.starts_with(path) || message.size() <= path.size()) return 0;
  int line = 0;
  for (auto rest = message.substr(path.size() + 1); !rest.empty(); rest.remove_prefix(1)) {
    if (rest.front() < '0' || rest.front() > '9' || line > 10'000'000) break;
    line = line * 10 + (rest.front() - '0');
  }
  return line;
}

class Gatherer {
 public:
  explicit Gatherer(const Request& request)
      : request_(request),
        format_(find_text(request.input, "format").value_or("")),
        root_(std::string(find_text(request.input, "repository").value_or(""))) {}

  Result<LockSources> gather() {
    const auto* files = find_path(request_.input, "files");
    Result<void> done;
    if (files != nullptr && files->is_array()) {
      done = by_list(files->get_array());
    } else if (asks_for_change()) {
      done = by_change();
    } else {
      done = by_folder();
    }
    if (!done) return std::unexpected(done.error());
    if (all_.files.empty() && first_error_) return std::unexpected(*first_error_);
    return std::move(all_);
  }

 private:
  bool asks_for_change() const {
    constexpr std::array keys{"range", "base", "head", "branch", "base_ref"};
    return request_.inputs.contains("changes") || std::ranges::any_of(keys, [&](const char* key) {
             return !find_text(request_.input, key).value_or("").empty();
           });
  }

  void keep(std::string path, Result<Lockfile> now, std::optional<Lockfile> before) {
    if (all_.files.size() >= lock_sources_max) {
      left_out(path,
               fmt::format("more than {} lock files: the rest is left out", lock_sources_max));
    } else if (now) {
      for (const auto& [what, line] : now->bad_lines) {
        all_.unread.push_back(unread(path, line, what, codebase::Severity::low));
      }
      all_.files.push_back({std::move(path), std::move(*now), std::move(before)});
    } else {
      if (!first_error_) first_error_ = now.error();
      all_.unread.push_back(unread(path, line_in(now.error().message, path), now.error().message,
                                   codebase::Severity::medium));
    }
  }
  void left_out(std::string_view path, std::string_view what) {
    if (all_.unread.size() < lock_sources_max) {
      all_.unread.push_back(unread(path, 0, what, codebase::Severity::low));
    }
  }

  // A side before that cannot be read counts as empty: better told twice than not at all.
  std::optional<Lockfile> side_before(std::string_view path, const Result<Lockfile>& before) {
    if (before) return *before;
    left_out(path, "what it held before cannot be read, so all of it counts as new");
    return Lockfile{};
  }

  Result<void> by_list(const json::array& files) {
    for (const auto& item : files) {
      if (item.is_string()) {
        read_with_references(std::string(std::string_view(item.get_string())));
        continue;
      }
      const auto path = std::string(find_text(item, "path").value_or(""));
      if (path.empty()) {
        return fail(ErrorCode::invalid_input,
                    "files: expected paths, or objects with path, text or file, base_text or "
                    "base_file");
      }
      const auto side = [&](std::string_view text, std::string_view file) {
        if (const auto given = find_text(item, text)) return read_lockfile(path, *given, format_);
        const auto other = find_text(item, file).value_or(path);
        return read_named(std::string(other), format_.empty() ? format_of(path) : format_);
      };
      std::optional<Lockfile> before;
      if (find_path(item, "base_text") != nullptr || find_path(item, "base_file") != nullptr) {
        before = side_before(path, side("base_text", "base_file"));
      }
      keep(path, side("text", "file"), std::move(before));
    }
    return {};
  }

  static std::string_view format_of(std::string_view path) {
    const auto* format = lock_format_of(path);
    return format == nullptr ? std::string_view() : format->name;
  }

  fs::path at(std::string_view path) const {
    return root_.empty() || fs::path(path).is_absolute() ? fs::path(path) : root_ / path;
  }

  // Files that a file asks for are read too, when they lie in the same tree.
  void read_with_references(const std::string& path) {
    std::vector<std::string> waiting{path};
    std::error_code ignored;
    const auto tree = fs::weakly_canonical(
        root_.empty() ? fs::absolute(at(path), ignored).parent_path() : root_, ignored);
    while (!waiting.empty()) {
      const auto next = std::move(waiting.back());
      waiting.pop_back();
      const auto real = fs::weakly_canonical(at(next), ignored);
      if (!seen_.insert(real.string()).second) continue;
      auto file = read_named(next, next == path ? std::string_view(format_) : "pip");
      const auto references = file ? file->references : std::vector<Reference>();
      if (file || next == path) keep(next, std::move(file), std::nullopt);
      for (const auto& [name, line] : references) {
        const auto other = (fs::path(next).parent_path() / name).lexically_normal();
        const auto inside =
            fs::weakly_canonical(at(other.string()), ignored).lexically_relative(tree);
        if (fs::is_regular_file(at(other.string()), ignored) && !inside.empty() &&
            !inside.string().starts_with("..") && seen_.size() < lock_sources_max) {
          waiting.push_back(other.string());
        } else {
          all_.unread.push_back(unread(next, line,
                                       fmt::format("asks for {}, which was not read", name),
                                       codebase::Severity::low));
        }
      }
    }
  }

  Result<void> by_change() {
    const auto look = codebase::Look::at(request_);
    if (!look) return std::unexpected(look.error());
    for (const auto& file : codebase::files_of(look->changes())) {
      if (file.status == 'D' || lock_format_of(file.path) == nullptr) continue;
      const auto now = look->git().file_at(look->head(), file.path);
      if (!now) {
        left_out(file.path, "is not in the clone as it is after the change");
        continue;
      }
      const auto old_path = file.old_path.empty() ? file.path : file.old_path;
      const auto base =
          file.status == 'A' ? std::nullopt : look->git().file_at(look->base(), old_path);
      const auto before = base ? side_before(file.path, read_lockfile(file.path, *base))
                               : std::optional<Lockfile>(Lockfile{});
      keep(file.path, read_lockfile(file.path, *now), before);
    }
    return {};
  }

  Result<void> by_folder() {
    if (root_.empty()) {
      return fail(ErrorCode::invalid_input,
                  "which lock files? Give files, or the repository they are in");
    }
    constexpr std::size_t entries_max = 1'000'000;
    std::error_code error;
    fs::recursive_directory_iterator entries(root_, fs::directory_options::skip_permission_denied,
                                             error);
    if (error) {
      return fail(ErrorCode::not_found,
                  fmt::format("{}: {}", vigil::quoted(root_.string()), error.message()));
    }
    std::vector<std::string> found;
    std::size_t seen = 0;
    for (; entries != fs::recursive_directory_iterator() && !error; entries.increment(error)) {
      const auto name = entries->path().filename().string();
      const bool skipped = name.starts_with('.') || name == "node_modules" || name == "vendor";
      std::error_code ignored;
      if (skipped && entries->is_directory(ignored)) entries.disable_recursion_pending();
      if (!skipped && lock_format_of(name) != nullptr && entries->is_regular_file(ignored)) {
        found.push_back(entries->path().lexically_relative(root_).string());
      }
      if (++seen > entries_max) {
        left_out("", fmt::format("more than {} files: the rest was not searched", entries_max));
        break;
      }
    }
    std::ranges::sort(found);
    for (const auto& path : found) keep(path, read_named(path, {}), std::nullopt);
    return {};
  }

  // The error names the file as findings do, not by its whole path.
  Result<Lockfile> read_named(const std::string& path, std::string_view format) const {
    auto file = read_lockfile_at(at(path), format);
    if (file) return file;
    auto& message = file.error().message;
    const auto whole = at(path).string();
    if (message.starts_with(whole)) message = path + message.substr(whole.size());
    return file;
  }

  const Request& request_;
  std::string format_;
  fs::path root_;
  LockSources all_;
  std::set<std::string> seen_;
  std::optional<Error> first_error_;
};

}  // namespace

Result<LockSources> lock_sources(const Request& request) { return Gatherer(request).gather(); }

}  // namespace vigil::entities::deps
