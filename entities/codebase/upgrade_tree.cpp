#include "entities/codebase/upgrade_tree.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {
namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t file_bytes_max = 64 * 1024 * 1024;

// A link in the tree may lead anywhere: what is read and written stays inside.
std::optional<fs::path> inside(const std::string& folder, const std::string& path) {
  std::error_code error;
  const auto root = fs::weakly_canonical(folder, error);
  const auto real = fs::weakly_canonical(root / path, error);
  const auto relative = real.lexically_relative(root).string();
  if (error || relative.empty() || relative == "." || relative.starts_with("..")) {
    return std::nullopt;
  }
  return real;
}

}  // namespace

PrivateTree::PrivateTree(const Git& git, std::string commit, std::string folder)
    : git_(git), commit_(std::move(commit)), folder_(std::move(folder)) {}

PrivateTree::PrivateTree(PrivateTree&& other) noexcept
    : git_(other.git_),
      commit_(std::move(other.commit_)),
      folder_(std::exchange(other.folder_, std::string())) {}

PrivateTree::~PrivateTree() {
  if (folder_.empty()) return;
  std::error_code ignored;  // under the daemon the whole work directory goes anyway
  fs::remove_all(folder_, ignored);
  fs::remove_all(folder_ + ".git", ignored);
}

std::vector<std::string> PrivateTree::environment() const {
  return {"GIT_INDEX_FILE=" + folder_ + ".git/index", "GIT_WORK_TREE=" + folder_};
}

Result<PrivateTree> PrivateTree::at(const Git& git, const std::string& commit) {
  const auto folder = fs::temp_directory_path() / ("vigil-upgrade-" + random_hex(8));
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::create_directories(folder.string() + ".git", error);
  PrivateTree tree(git, commit, folder.string());
  if (error) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot make {}: {}", vigil::quoted(folder.string()), error.message()));
  }
  auto read = git.run_with(tree.environment(), {"read-tree", commit});
  if (!read) return std::unexpected(read.error());
  auto written = git.run_with(tree.environment(),
                              {"checkout-index", "--all", "--force", "--quiet", "--index"});
  if (!written) return std::unexpected(written.error());
  return tree;
}

std::optional<std::string> PrivateTree::read(const std::string& path) const {
  std::error_code error;
  const auto real = inside(folder_, path);
  if (!real || !fs::is_regular_file(*real, error)) return std::nullopt;
  if (fs::file_size(*real, error) > file_bytes_max || error) return std::nullopt;
  std::ifstream file(*real, std::ios::binary);
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

Result<void> PrivateTree::write(const std::string& path, const std::string& text) const {
  const auto real = inside(folder_, path);
  if (!real) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} leads out of the tree", vigil::quoted(path)));
  }
  std::ofstream file(*real, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file)
    return fail(ErrorCode::unavailable, fmt::format("cannot write {}", vigil::quoted(path)));
  return {};
}

Result<std::vector<std::string>> PrivateTree::changed() const {
  auto names = git_.run_with(environment(), {"diff", "--name-only", "-z", "--no-ext-diff"});
  if (!names) return std::unexpected(names.error());
  std::vector<std::string> all;
  for (auto& name : split_fields(*names)) {
    if (!name.empty()) all.push_back(std::move(name));
  }
  return all;
}

Result<std::string> PrivateTree::patch() const {
  return git_.run_with(environment(),
                       {"diff", "--no-color", "--no-ext-diff", "--no-textconv", "--full-index",
                        "--binary", "--src-prefix=a/", "--dst-prefix=b/"});
}

}  // namespace vigil::entities::codebase
