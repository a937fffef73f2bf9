#include "config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/reading.hpp"
#include "config/validate.hpp"

namespace vigil::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 4 * 1024 * 1024;

Result<std::string> read_text(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed)) {
    return fail(ErrorCode::not_found, failed ? failed.message() : "it is not a regular file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::forbidden, std::strerror(errno));
  std::string text(file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return fail(ErrorCode::unavailable, std::strerror(errno));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > file_bytes_max) return fail(ErrorCode::too_large, "it is larger than 4 MiB");
  return text;
}

enum class Role { main, drop_in };

// False when the file could not be read as TOML: what is defined in it is then not known.
bool read_document(std::string_view text, const std::string& file, Role role, Problems& problems,
                   Settings& to) {
  problems.begin_file(file);
  auto document = parse_toml(text, file);
  if (!document) {
    problems.add(std::move(document.error()));
    return false;
  }
  Reading reading(*document, "", problems);
  if (role == Role::main) {
    describe(reading, to);
  } else {
    for (const auto* key : {"daemon", "admin", "http", "outgoing", "storage", "swarm", "budget",
                            "planning", "approvals", "memory", "model", "agent", "mcp"}) {
      reading.stranger(key,
                       "belongs in vigild.toml; a file in entities.d holds [entity.NAME], "
                       "[source.NAME] and [sink.NAME]");
    }
    describe_names(reading, to);
  }
  reading.finish();
  return true;
}

std::string absolute_text(const fs::path& path) {
  std::error_code failed;
  const auto absolute = fs::absolute(path, failed);
  return (failed ? path : absolute).lexically_normal().string();
}

void fill_in_places(Daemon& daemon) {
  if (daemon.state_dir.empty()) {
    const char* given = std::getenv("STATE_DIRECTORY");  // may be a list with colons
    const std::string_view all = given == nullptr ? "" : given;
    const std::string first(all.substr(0, all.find(':')));
    daemon.state_dir = absolute_text(first.empty() ? "vigild-state" : first);
  }
  if (daemon.admin_socket.empty()) {
    daemon.admin_socket = (fs::path(daemon.state_dir) / "admin.sock").string();
  }
}

enum class Whole { yes, no };  // was every file readable?

LoadResult finish(Loaded loaded, Problems& problems, Whole whole) {
  fill_in_places(loaded.settings.daemon);
  // Names that seem missing may stand in a file that could not be read: say that first.
  if (whole == Whole::yes) {
    for (auto& violation : validate(loaded.settings)) {
      problems.add_later(violation.key, std::move(violation.message), violation.rests_on);
    }
  }
  if (!problems.empty()) return problems.take();
  return loaded;
}

Diagnostic unreadable(const fs::path& path, std::string_view why) {
  return {path.string(), 0, 0, "", fmt::format("cannot be read: {}", why)};
}

// In order of their names. A missing directory holds none.
std::vector<fs::path> drop_ins(const fs::path& directory, Problems& problems) {
  std::vector<fs::path> paths;
  std::error_code failed;
  if (!fs::exists(directory, failed) && !failed) return paths;
  fs::directory_iterator entries(directory, failed);
  for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    const auto& path = entries->path();
    if (path.extension() == ".toml" && !path.filename().string().starts_with('.')) {
      paths.push_back(path);
    }
  }
  if (failed) problems.add(unreadable(directory, failed.message()));
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

LoadResult load(const std::string& path) {
  std::error_code failed;
  fs::path main = path;
  if (fs::is_directory(main, failed)) main /= "vigild.toml";
  Loaded loaded;
  Problems problems;
  Whole whole = Whole::yes;
  const auto read_file = [&](const fs::path& file, Role role) {
    loaded.files.push_back(file.string());
    const auto text = read_text(file);
    if (!text) problems.add(unreadable(file, text.error().message));
    if (!text || !read_document(*text, file.string(), role, problems, loaded.settings)) {
      whole = Whole::no;
    }
  };
  read_file(main, Role::main);
  const auto directory = main.parent_path() / "entities.d";
  for (const auto& file : drop_ins(directory, problems)) read_file(file, Role::drop_in);
  return finish(std::move(loaded), problems, whole);
}

LoadResult load_text(std::string_view text, const std::string& file) {
  Loaded loaded;
  loaded.files.push_back(file);
  Problems problems;
  const bool read = read_document(text, file, Role::main, problems, loaded.settings);
  return finish(std::move(loaded), problems, read ? Whole::yes : Whole::no);
}

}  // namespace vigil::config
