#include "daemon/last_good.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "core/digest.hpp"
#include "daemon/load_config.hpp"
#include "daemon/whole_file.hpp"

namespace vigil {
namespace {

constexpr std::string_view first_words = "# vigild keeps this. sha256=";
constexpr std::string_view then = " kept=";

std::string path_in(const std::string& state_dir) { return state_dir + "/last-good.toml"; }

struct Stored {
  std::string digest;
  std::string kept;
  std::string body;
};

std::optional<Stored> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Stored out;
  const auto end = text.find('\n');
  const auto middle = text.find(then);
  if (text.starts_with(first_words) && middle < end && end != std::string::npos) {
    out.digest = text.substr(first_words.size(), middle - first_words.size());
    out.kept = text.substr(middle + then.size(), end - middle - then.size());
    out.body = text.substr(end + 1);
  }
  return out;
}

std::string digest_of(const std::string& body) { return to_hex(as_bytes(sha256(body))); }

}  // namespace

Result<void> keep_last_good(const std::string& state_dir, const config::Settings& settings,
                            TimePoint now) {
  const auto path = path_in(state_dir);
  const auto body = config::to_toml(settings);
  const auto digest = digest_of(body);
  if (const auto before = read(path); before && before->digest == digest && before->body == body) {
    return {};
  }
  return write_whole(path,
                     fmt::format("{}{}{}{}\n{}", first_words, digest, then, to_rfc3339(now), body));
}

Result<LastGood> read_last_good(const std::string& state_dir) {
  LastGood out;
  out.path = path_in(state_dir);
  const auto stored = read(out.path);
  if (!stored) {
    return fail(ErrorCode::not_found, fmt::format("no earlier one is kept in {}", state_dir));
  }
  const auto kept = parse_rfc3339(stored->kept);
  if (!kept || digest_of(stored->body) != stored->digest) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} was changed since it was kept, so it is not used", out.path));
  }
  auto loaded = load_config(out.path);
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} cannot be used any more: {}", out.path, mistakes->front().message));
  }
  out.digest = stored->digest;
  out.kept = *kept;
  out.settings = std::move(std::get<config::Loaded>(loaded).settings);
  return out;
}

}  // namespace vigil
