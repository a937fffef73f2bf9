#include "entities/logs/state_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "core/log.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::logs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t state_bytes_max = 64 * 1024 * 1024;

Result<json::value> read_state(const std::string& path) {
  const auto text = ops::read_bounded(path, state_bytes_max);
  if (!text) return std::unexpected(text.error());
  auto value = parse_json(*text);
  if (!value || find_path(*value, "kinds") == nullptr || !find_integer(*value, "window_us")) {
    return fail(ErrorCode::invalid_input,
                fmt::format("state: {} was not written by ops.logs: name another file, or remove "
                            "it to begin anew",
                            vigil::quoted(path)));
  }
  return value;
}

bool is_there(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error) && fs::file_size(path, error) > 0;
}

}  // namespace

Result<void> load_state(const std::string& path, Surveyor& surveyor) {
  if (!is_there(path)) return {};
  const auto value = read_state(path);
  if (!value) return std::unexpected(value.error());
  surveyor.load(*value);
  return {};
}

Result<void> save_state(const std::string& path, const Surveyor& surveyor) {
  if (is_there(path)) {
    if (auto ours = read_state(path); !ours) return std::unexpected(ours.error());
  }
  const auto beside = fmt::format("{}.{}.new", path, ::getpid());
  std::error_code error;
  {
    std::ofstream file(beside, std::ios::binary);
    file << vigil::to_text(json::value(surveyor.to_keep())) << '\n';
    file.flush();
    if (!file) {
      fs::remove(beside, error);  // the message below tells what matters
      return fail(ErrorCode::invalid_input,
                  fmt::format("state: cannot write {}: name a file in a folder that is there and "
                              "may be written",
                              vigil::quoted(beside)));
    }
  }
  fs::rename(beside, path, error);
  if (!error) return {};
  const auto why = error.message();
  fs::remove(beside, error);  // likewise
  return fail(ErrorCode::invalid_input, fmt::format("state: {}: {}", vigil::quoted(path), why));
}

}  // namespace vigil::entities::logs
