#include "entities/ci/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/log.hpp"
#include "entities/ci/patch_mail.hpp"
#include "entities/ci/report_parts.hpp"
#include "entities/codebase/look.hpp"

namespace vigil::entities::ci {
namespace {

namespace fs = std::filesystem;

class Gatherer {
 public:
  explicit Gatherer(const Request& request) : root_(text_at(request.input, "repository")) {}

  Result<void> add_named(const std::string& name) {
    if (name == "-") {
      take("standard input", std::cin);
      return {};
    }
    std::error_code error;
    // By hand words are paths from here, which is where the repository is by default.
    const auto path =
        fs::exists(name, error) || root_.empty() ? fs::path(name) : fs::path(root_) / name;
    if (fs::is_directory(path, error)) return add_folder(path);
    if (!fs::exists(path, error)) {
      return fail(
          ErrorCode::not_found,
          fmt::format("{} does not exist: did the run that writes it end?", vigil::quoted(name)));
    }
    add_file(path, name);
    return {};
  }

  void add_text(std::string name, std::string_view text) {
    bytes_ += text.size();
    gathered_.all.push_back({std::move(name), std::string(text)});
  }

  Sources done() { return std::move(gathered_); }

 private:
  Result<void> add_folder(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> paths;
    constexpr auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator at(folder, options, error), end; !error && at != end;
         at.increment(error)) {
      if (paths.size() >= sources_max) break;
      if (at->is_regular_file(error)) paths.push_back(at->path());
    }
    std::ranges::sort(paths);
    if (paths.empty()) {
      return fail(ErrorCode::not_found,
                  fmt::format("{} holds no files: did the run write its reports elsewhere?",
                              vigil::quoted(folder.string())));
    }
    for (const auto& path : paths) add_file(path, path.string());
    return {};
  }

  void add_file(const fs::path& path, const std::string& name) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) {
      gathered_.left_out.push_back(fmt::format("{} is no file", vigil::quoted(name)));
      return;
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      gathered_.left_out.push_back(fmt::format("{} cannot be opened", vigil::quoted(name)));
      return;
    }
    take(name, file);
  }

  void take(const std::string& name, std::istream& from) {
    if (gathered_.all.size() >= sources_max || bytes_ >= sources_bytes_max) {
      gathered_.left_out.push_back(fmt::format("{} is one too many", vigil::quoted(name)));
      return;
    }
    const auto room = sources_bytes_max - bytes_;
    std::string text;
    std::string block(64 * 1024, '\0');
    while (text.size() < room &&
           from.read(block.data(), static_cast<std::streamsize>(block.size())).gcount() > 0) {
      text.append(block, 0, static_cast<std::size_t>(from.gcount()));
    }
    if (text.size() >= room && from.peek() != std::istream::traits_type::eof()) {
      gathered_.left_out.push_back(
          fmt::format("only the beginning of {} was read", vigil::quoted(name)));
    }
    bytes_ += text.size();
    gathered_.all.push_back({name, std::move(text)});
  }

  std::string root_;
  Sources gathered_;
  std::size_t bytes_ = 0;
};

std::string only_one(const json::value& input, std::string_view key) {
  return std::string(find_text(input, key).value_or(""));
}

}  // namespace

Result<Sources> sources_of(const Request& request) {
  Gatherer gatherer(request);
  bool asked = false;
  if (const auto* files = find_path(request.input, "files");
      files != nullptr && files->is_array()) {
    for (const auto& file : files->get_array()) {
      if (!file.is_string()) continue;
      asked = true;
      auto added = gatherer.add_named(std::string(std::string_view(file.get_string())));
      if (!added) return std::unexpected(added.error());
    }
  }
  if (const auto text = find_text(request.input, "text")) {
    asked = true;
    gatherer.add_text("input.text", *text);
  }
  if (!asked) {
    for (const auto& [name, result] : request.inputs) {
      const auto output = find_text(result, "output");
      if (!output) continue;
      asked = true;
      gatherer.add_text(std::string(name), *output);
    }
  }
  if (!asked) {
    return fail(ErrorCode::invalid_input,
                "nothing to read: give files or folders, - for standard input, or input.text");
  }
  auto gathered = gatherer.done();
  if (gathered.all.empty() && !gathered.left_out.empty()) {
    return fail(ErrorCode::forbidden,
                fmt::format("nothing could be read: {}; in containment a task reads only the "
                            "paths that its plan lists",
                            gathered.left_out.front()));
  }
  return gathered;
}

Result<std::optional<ChangedLines>> changed_lines_of(const Request& request) {
  const auto with_root = [&](ChangedLines lines) {
    lines.add_root(only_one(request.input, "repository"));
    return lines;
  };
  if (const auto path = only_one(request.input, "diff"); !path.empty()) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
      return fail(ErrorCode::not_found, fmt::format("diff: cannot open {}", vigil::quoted(path)));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto diff = codebase::parse_diff(decode_mails(text));  // patches travel by mail
    if (diff.files.empty()) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("diff: {} holds no diff", vigil::quoted(path)));
    }
    return with_root(ChangedLines(diff));
  }
  const bool from_git = !only_one(request.input, "range").empty() ||
                        !only_one(request.input, "base").empty() ||
                        request.inputs.contains("changes");
  if (!from_git) return std::nullopt;
  auto look = codebase::Look::at(request);
  if (!look) return std::unexpected(look.error());
  auto diff = look->diff();
  if (!diff) return std::unexpected(diff.error());
  auto listed = look->git().run({"ls-tree", "-r", "-z", "--name-only", look->head()});
  return with_root(
      ChangedLines(*diff, listed ? codebase::split_fields(*listed) : std::vector<std::string>{}));
}

}  // namespace vigil::entities::ci
