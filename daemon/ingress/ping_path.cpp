#include "daemon/ingress/ping_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/json.hpp"

namespace vigil::ingress {
namespace {

constexpr std::string_view place = "/ping/";
constexpr std::size_t steps_max = 4;
constexpr std::size_t run_bytes_max = 64;

bool is_id_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

std::vector<std::string_view> ping_steps(std::string_view path) {
  std::vector<std::string_view> out;
  if (!path.starts_with(place)) return out;
  path.remove_prefix(place.size());
  while (out.size() < steps_max) {
    const auto slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

std::optional<PingVerb> ping_verb(std::string_view step) {
  if (step.empty()) return PingVerb{};
  if (step == "start" || step == "fail" || step == "log") return PingVerb{std::string(step), {}};
  int code = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), code);
  const bool number = error == std::errc{} && end == step.data() + step.size();
  if (!number || code < 0 || code > 255 || step.size() > 3) return std::nullopt;
  return PingVerb{code == 0 ? "ok" : "fail", code};
}

std::optional<std::string> ping_run(std::string_view target) {
  const auto mark = target.find('?');
  auto query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (!pair.starts_with("rid=")) continue;
    const auto value = pair.substr(4);
    const bool plain = std::ranges::all_of(value, is_id_char);
    if (value.empty() || value.size() > run_bytes_max || !plain) return std::nullopt;
    return std::string(value);
  }
  return std::string();
}

std::string ping_body(std::string_view body) {
  if (body.size() <= ping_head_bytes + ping_tail_bytes) return to_valid_utf8(body);
  const auto left_out = body.size() - ping_head_bytes - ping_tail_bytes;
  return fmt::format("{}\n[... {} bytes ...]\n{}", to_valid_utf8(body.substr(0, ping_head_bytes)),
                     left_out, to_valid_utf8(body.substr(body.size() - ping_tail_bytes)));
}

}  // namespace vigil::ingress
