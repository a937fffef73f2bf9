#include "entities/logs/look_at_attacks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <ranges>

#include "core/log.hpp"
#include "entities/logs/attack.hpp"
#include "entities/logs/input.hpp"
#include "entities/ops/reading.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::size_t hosts_told_max = 200;

struct Asked {
  std::string service;
  AttackWindows::Limits limits;
  std::optional<Duration> since;
  TimePoint now;
};

Result<Asked> asked_in(const Request& request) {
  if (auto known =
          ops::known_members(request.input, {"service", "attacks", "window", "since", "bytes"});
      !known) {
    return std::unexpected(known.error());
  }
  Asked out;
  out.now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  out.service = ops::text_in(request.input, "service", "");
  const auto services = attack_services();
  if (!out.service.empty() && std::ranges::find(services, out.service) == services.end()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("service: there are no rules for {}; there are for {}",
                            quoted(out.service), fmt::join(services, ", ")));
  }
  const auto attacks = ops::number_in(request.input, "attacks", 5);
  if (!attacks) return std::unexpected(attacks.error());
  if (*attacks < 1 || *attacks > 1'000) {
    return fail(ErrorCode::invalid_input, "attacks: expected a number from 1 to 1000");
  }
  out.limits.attacks_min = static_cast<std::size_t>(*attacks);
  const auto window = ops::time_in(request.input, "window", out.limits.window);
  if (!window) return std::unexpected(window.error());
  out.limits.window = *window;
  const auto since = ops::time_in(request.input, "since", Duration{1});
  if (!since) return std::unexpected(since.error());
  if (*since != Duration{1}) out.since = *since;
  return out;
}

struct Counted {
  std::uint64_t attacks = 0;
  std::uint64_t without_time = 0;
  std::map<std::string, std::uint64_t, std::less<>> by_service;
};

json::object finding_of(const AttackWindows::Host& host, const Asked& asked) {
  json::object out;
  out["host"] = to_valid_utf8(host.host);
  out["severity"] = "warning";
  out["title"] = fmt::format("{}: {} attacks within {}", host.host, host.most,
                             vigil::to_text(asked.limits.window));
  out["attacks"] = host.attacks;
  out["within_window"] = host.most;
  out["first"] = to_rfc3339(host.first);
  out["last"] = to_rfc3339(host.last);
  json::object kinds;
  for (const auto& [kind, count] : host.kinds) kinds[kind] = count;
  out["kinds"] = std::move(kinds);
  return out;
}

std::string line_of(const AttackWindows::Host& host) {
  std::string kinds;
  for (const auto& [kind, count] : host.kinds) {
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, kind);
  }
  return fmt::format("{:<24} {:>6} {:>6}  {}  {}  {}\n", host.host, host.attacks, host.most,
                     to_rfc3339(host.first), to_rfc3339(host.last), kinds);
}

json::object result_of(const Counted& counted, const AttackWindows& windows, const LinesRead& read,
                       const Asked& asked) {
  const auto over = windows.over_limit();
  ops::Readings readings;
  readings.add("attacks.lines", static_cast<double>(counted.attacks));
  readings.add("attacks.hosts", static_cast<double>(windows.hosts()));
  readings.add("attacks.hosts_over", static_cast<double>(over.size()));
  for (const auto& [service, count] : counted.by_service) {
    readings.add("attacks.of_service", static_cast<double>(count), "", {{"service", service}});
  }
  for (const auto& host : over | std::views::take(hosts_told_max)) {
    readings.add("attacks.of_host", static_cast<double>(host.most), "", {{"host", host.host}});
  }
  if (counted.without_time > 0) {
    readings.problem(
        fmt::format("{} attacks have no time: they count as of now", counted.without_time));
  }
  if (read.cut > 0) readings.problem(fmt::format("{} lines were too long, and cut", read.cut));
  auto out = readings.to_json();
  json::array findings;
  std::string text;
  if (!over.empty()) {
    text = fmt::format("{:<24} {:>6} {:>6}  {:<24}  {:<24}  kinds\n", "host", "all", "window",
                       "first", "last");
  }
  for (const auto& host : over | std::views::take(hosts_told_max)) {
    findings.push_back(finding_of(host, asked));
    text += line_of(host);
  }
  const auto summary =
      fmt::format("{} attacks by {} hosts in {} lines; {} hosts with {} or more within {}",
                  counted.attacks, windows.hosts(), read.lines, over.size(),
                  asked.limits.attacks_min, vigil::to_text(asked.limits.window));
  out["findings"] = std::move(findings);
  out["summary"] = summary;
  out["text"] = text + summary + "\n";
  return out;
}

}  // namespace

Result<json::value> look_at_attacks(const Request& request) {
  const auto asked = asked_in(request);
  if (!asked) return std::unexpected(asked.error());
  AttackFinder finder(asked->service);
  AttackWindows windows(asked->limits);
  Counted counted;
  const auto read = read_lines(request, [&](std::string_view line) {
    const auto attack = finder.observe(line, asked->now);
    if (!attack || attack->host.empty()) return;
    const auto at = attack->time ? attack->time->at : asked->now;
    if (asked->since && at < asked->now - *asked->since) return;
    ++counted.attacks;
    counted.without_time += attack->time ? 0 : 1;
    ++counted.by_service[std::string(attack->service)];
    windows.add(*attack, at);
  });
  if (!read) return std::unexpected(read.error());
  return json::value(result_of(counted, windows, *read, *asked));
}

}  // namespace vigil::entities::logs
