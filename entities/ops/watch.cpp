#include "entities/ops/watch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/log.hpp"
#include "entities/analyser.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t selector_bytes_max = 1000;

bool is_reading_name(std::string_view name) {
  return !name.empty() && name.size() <= label_name_bytes_max &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_.:/-").find(c) != std::string_view::npos;
         });
}

// At commas that stand in no quotes.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> out(1);
  bool quoted_now = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && quoted_now && i + 1 < text.size()) {
      out.back() += text[i++];
    } else if (text[i] == '"') {
      quoted_now = !quoted_now;
    } else if (text[i] == ',' && !quoted_now) {
      out.emplace_back();
      continue;
    }
    out.back() += text[i];
  }
  std::erase_if(
      out, [](const auto& part) { return part.find_first_not_of(" \t") == std::string::npos; });
  return out;
}

std::string_view kind_of(const config::OpsWatchRule& rule) {
  if (rule.anomaly) return "anomaly";
  if (rule.change_above) return "change";
  if (rule.rise_above) return "rise";
  if (rule.full_within) return "full";
  return rule.above ? "above" : "below";
}

}  // namespace

Result<Selector> Selector::parse(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} {}: write disk.free, or disk.free{{mount=\"/\"}}",
                            vigil::quoted(text), why));
  };
  if (text.size() > selector_bytes_max) return refuse("is too long");
  Selector out;
  const auto open = text.find('{');
  out.name = text.substr(0, open);
  if (!is_reading_name(out.name)) return refuse("does not begin with the name of a reading");
  if (open == std::string_view::npos) return out;
  if (text.back() != '}') return refuse("has no } at its end");
  auto labels = parse_matchers(parts_of(text.substr(open + 1, text.size() - open - 2)));
  if (!labels) return std::unexpected(std::move(labels.error()));
  out.labels = std::move(*labels);
  return out;
}

bool Selector::matches(std::string_view reading, const Labels& of) const {
  return reading == name && all_match(labels, of);
}

bool WatchRule::needs_past() const {
  return settings.anomaly || settings.change_above || settings.rise_above || settings.full_within;
}

Result<Watch> make_watch(const config::OpsWatch& settings) {
  Watch out{settings, {}};
  const bool needs_analyser = settings.argv.empty() || !settings.analyser.empty();
  if (needs_analyser && find_any_analyser(settings.analyser) == nullptr) {
    return fail(ErrorCode::not_found, fmt::format("analyser: there is no {}: see `vigil-task list`",
                                                  vigil::quoted(settings.analyser)));
  }
  for (std::size_t i = 0; i < settings.rules.size(); ++i) {
    const auto& from = settings.rules[i];
    auto reading = Selector::parse(from.reading);
    if (!reading) {
      return fail(reading.error().code,
                  fmt::format("rule[{}].reading: {}", i, reading.error().message));
    }
    auto id = fmt::format("{} {} {} {}", from.name, from.reading, kind_of(from), from.severity);
    while (std::ranges::find(out.rules, id, &WatchRule::id) != out.rules.end()) id += "'";
    out.rules.push_back({from, std::move(*reading), std::move(id)});
  }
  return out;
}

Result<Scale> make_scale(const config::OpsScale& settings) {
  Scale out{settings, {}, {}};
  auto reading = Selector::parse(settings.reading);
  if (!reading) return fail(reading.error().code, "reading: " + reading.error().message);
  out.reading = std::move(*reading);
  if (settings.size.empty()) return out;
  auto size = Selector::parse(settings.size);
  if (!size) return fail(size.error().code, "size: " + size.error().message);
  out.size = std::move(*size);
  return out;
}

}  // namespace vigil::entities::ops
