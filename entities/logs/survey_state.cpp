#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <ranges>

#include "entities/logs/mask.hpp"
#include "entities/logs/survey_parts.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::int64_t version = 1;
constexpr std::size_t kept_stretches_max = 288;          // of each kind
constexpr std::size_t kept_bytes_max = 8 * 1024 * 1024;  // the kinds seen last
constexpr std::size_t kept_example_bytes_max = 300;

Counts counts_in(const json::value& from, std::string_view name) {
  Counts out;
  const auto* list = find_path(from, name);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& one : list->get_array() | std::views::take(kept_stretches_max)) {
    const auto count = one.is_int64() ? one.get_int64() : 0;
    out.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, 1'000'000'000)));
  }
  return out;
}

json::array array_of(Counts counts) {
  if (counts.size() > kept_stretches_max) counts.resize(kept_stretches_max);
  while (!counts.empty() && counts.back() == 0) counts.pop_back();
  json::array out;
  for (const auto count : counts) out.emplace_back(std::int64_t{count});
  return out;
}

std::size_t bytes_of(const Template& of) {
  std::size_t bytes = 100 + kept_example_bytes_max;
  for (const auto& token : of.tokens) bytes += 2 * token.size() + 3;
  return bytes;
}

}  // namespace

void Surveyor::load(const json::value& kept) {
  auto& state = *state_;
  if (find_integer(kept, "version") != version) return;
  const auto* kinds = find_path(kept, "kinds");
  if (kinds == nullptr || !kinds->is_array()) return;
  state.miner.load(kinds->get_array());
  const auto end = parse_rfc3339(find_text(kept, "end").value_or(""));
  const bool is_alike = find_integer(kept, "window_us") == state.stretch.count();
  if (end && is_alike) {
    state.kept_end = *end;
    const auto stretches = find_integer(kept, "stretches").value_or(0);
    state.kept_stretches =
        static_cast<std::size_t>(std::clamp<std::int64_t>(stretches, 0, kept_stretches_max - 1));
  }
  for (const auto& kind : kinds->get_array()) {
    const auto id = static_cast<std::uint64_t>(find_integer(kind, "id").value_or(0));
    if (state.miner.find(id) == nullptr) continue;
    auto& told = state.told[id];
    told.is_known = true;
    told.example = find_text(kind, "example").value_or("").substr(0, kept_example_bytes_max);
    told.example = to_valid_utf8(told.example);
    told.severity = severity_of(find_text(kind, "severity").value_or(""));
    if (is_alike) told.kept = counts_in(kind, "counts");
  }
  for (std::size_t at = 0; at < severities && is_alike; ++at) {
    state.kept_by_severity[at] =
        counts_in(kept, std::string("messages.") + std::string(to_text(static_cast<Severity>(at))));
  }
}

json::object Surveyor::to_keep() const {
  auto& state = *state_;
  state.finish();
  json::object out;
  out["version"] = version;
  out["window_us"] = state.stretch.count();
  out["stretches"] = std::min(state.out.stretches, kept_stretches_max - 1);
  if (state.out.end) out["end"] = to_rfc3339(*state.out.end);
  json::object messages;
  for (std::size_t at = 0; at < severities; ++at) {
    messages[to_text(static_cast<Severity>(at))] =
        array_of(state.counts_of(state.by_severity[at], state.kept_by_severity[at]));
  }
  out["messages"] = std::move(messages);
  std::size_t bytes = 0;
  std::vector<std::uint64_t> chosen;
  for (const auto id : state.miner.by_age() | std::views::reverse) {
    bytes += bytes_of(*state.miner.find(id));
    if (bytes > kept_bytes_max) break;
    chosen.push_back(id);
  }
  // The one seen last comes last, as it will be when they are loaded.
  json::array kinds;
  for (const auto id : chosen | std::views::reverse) {
    auto kind = to_json(*state.miner.find(id));
    if (const auto told = state.told.find(id); told != state.told.end()) {
      kind["counts"] = array_of(state.counts_of(told->second.seconds, told->second.kept));
      kind["severity"] = to_text(told->second.severity);
      kind["example"] = told->second.example;
    }
    kinds.push_back(std::move(kind));
  }
  out["kinds"] = std::move(kinds);
  return out;
}

}  // namespace vigil::entities::logs
