#include "entities/ops/watch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/words.hpp"
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

// What the analysers measure whose readings have names of ours; nothing: it may be any.
std::vector<std::string> names_of(std::string_view analyser) {
  if (analyser == "ops.host") {
    return {"pressure.some",
            "pressure.full",
            "pressure.some.total",
            "pressure.full.total",
            "cpu.count",
            "load",
            "load.per_cpu",
            "memory.total",
            "memory.available",
            "swap.total",
            "swap.used",
            "disk.total",
            "memory.available_bytes",
            "disk.free",
            "disk.free_bytes",
            "disk.inodes_free",
            "files.open",
            "files.used",
            "uptime",
            "units.failed",
            "unit.failed"};
  }
  if (analyser == "ops.probe") {
    return {"probe.up",    "probe.seconds",    "probe.status",
            "probe.phase", "certificate.days", "certificate.trusted"};
  }
  if (analyser == "ops.costs") {
    return {"cost.total",
            "cost.month",
            "cost.month_forecast",
            "cost.month_days_left",
            "cost.month_of_budget",
            "cost.forecast_of_budget",
            "cost.last_day",
            "cost.last_day_change",
            "cost.last_day_service",
            "cost.provider",
            "cost.service",
            "cost.account",
            "cost.day"};
  }
  if (analyser == "ops.logs") {
    return {"log.messages", "log.error_share", "log.errors_unusual", "log.kinds",
            "log.unlike",   "log.new",         "log.more",           "log.silent"};
  }
  return {};
}

Result<void> check_name(const config::OpsWatch& watch, const Selector& reading) {
  const auto names = names_of(watch.analyser);
  if (names.empty() || std::ranges::find(names, reading.name) != names.end()) return {};
  return fail(ErrorCode::not_found,
              fmt::format("{} measures no {}{}", watch.analyser, vigil::quoted(reading.name),
                          config::suggestion(reading.name, names)));
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
    const auto known = reading ? check_name(settings, *reading) : Result<void>();
    if (!reading || !known) {
      const auto& error = reading ? known.error() : reading.error();
      return fail(error.code, fmt::format("rule[{}].reading: {}", i, error.message));
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
