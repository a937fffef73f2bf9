#include "entities/codebase/build_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "entities/case_key.hpp"

namespace vigil::entities::codebase {
namespace {

using namespace std::chrono_literals;

constexpr int facts_max = 300;  // of failures, and of flaky tests
constexpr std::size_t timings_max = 40;
constexpr std::size_t seconds_max = 50;  // of one timing
constexpr Duration excused_for = 24h * 30;
constexpr double chance_min = 0.01;
constexpr std::string_view searches_fact = "searches";

std::string text_of(const json::value& value, std::string_view key) {
  return std::string(find_text(value, key).value_or(""));
}
std::int64_t count_of(const json::value& value, std::string_view key) {
  return find_integer(value, key).value_or(0);
}

// For people: facts are looked at.
std::string time_text(std::int64_t us) { return us == 0 ? "" : to_rfc3339(from_unix_us(us)); }
std::int64_t time_at(const json::value& value, std::string_view key) {
  const auto at = parse_rfc3339(text_of(value, key));
  return at ? to_unix_us(*at) : 0;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array all;
  for (const auto& text : texts) all.emplace_back(text);
  return all;
}

std::vector<std::string> texts_at(const json::value& value, std::string_view key) {
  std::vector<std::string> all;
  const auto* found = find_path(value, key);
  for (const auto& one : found != nullptr && found->is_array() ? found->get_array() : json::array{})
    if (one.is_string()) all.emplace_back(std::string_view(one.get_string()));
  return all;
}

json::object to_json(const Timing& timing) {
  json::array seconds;
  const auto from = timing.seconds.size() > seconds_max ? timing.seconds.size() - seconds_max : 0;
  for (auto at = from; at < timing.seconds.size(); ++at) {
    seconds.emplace_back(std::round(timing.seconds[at] * 1000) / 1000);
  }
  return {
      {"seconds", std::move(seconds)}, {"slow_since", timing.slow_since}, {"told", timing.told}};
}

Timing timing_from(const json::value& value) {
  Timing timing{{}, text_of(value, "slow_since"), find_bool(value, "told").value_or(false)};
  const auto* seconds = find_path(value, "seconds");
  for (const auto& one :
       seconds != nullptr && seconds->is_array() ? seconds->get_array() : json::array{}) {
    if (one.is_number()) timing.seconds.push_back(one.to_number<double>());
  }
  return timing;
}

std::string flaky_key(const std::string& command, const std::string& test) {
  return case_key_of(fmt::format("{}{}{}{}", flaky_facts, command, test.empty() ? "" : "/", test));
}

}  // namespace

json::object to_json(const CommandPast& past) {
  json::object timings;
  for (const auto& [test, timing] : past.timings) {
    if (timings.size() < timings_max) timings[test] = to_json(timing);
  }
  return {{"good", past.good},
          {"good_at", time_text(past.good_us)},
          {"red_since", past.red_since},
          {"red_at", time_text(past.red_us)},
          {"failures", array_of(past.fingerprints)},
          {"cause", past.cause},
          {"cause_text", past.cause_text},
          {"timings", std::move(timings)}};
}

CommandPast command_past_from(const json::value& value) {
  CommandPast past;
  past.good = text_of(value, "good");
  past.good_us = time_at(value, "good_at");
  past.red_since = text_of(value, "red_since");
  past.red_us = time_at(value, "red_at");
  past.fingerprints = texts_at(value, "failures");
  past.cause = text_of(value, "cause");
  past.cause_text = text_of(value, "cause_text");
  const auto* timings = find_path(value, "timings");
  if (timings != nullptr && timings->is_object()) {
    for (const auto& [test, timing] : timings->get_object()) {
      past.timings[test] = timing_from(timing);
    }
  }
  return past;
}

json::object to_json(const FailurePast& past) {
  return {{"command", past.command},
          {"title", past.title},
          {"count", past.count},
          {"first_case", past.first_case},
          {"first_at", time_text(past.first_us)},
          {"last_case", past.last_case},
          {"last_commit", past.last_commit},
          {"last_at", time_text(past.last_us)},
          {"cause", past.cause},
          {"ended_case", past.ended_case},
          {"ended_commit", past.ended_commit},
          {"ended_at", time_text(past.ended_us)}};
}

FailurePast failure_past_from(const json::value& value) {
  return {
      text_of(value, "command"),    text_of(value, "title"),        text_of(value, "first_case"),
      time_at(value, "first_at"),   text_of(value, "last_case"),    text_of(value, "last_commit"),
      time_at(value, "last_at"),    count_of(value, "count"),       text_of(value, "cause"),
      text_of(value, "ended_case"), text_of(value, "ended_commit"), time_at(value, "ended_at")};
}

json::object to_json(const FlakyPast& past) {
  return {{"command", past.command},
          {"test", past.test},
          {"passed", past.passed},
          {"failed", past.failed},
          {"streak", past.streak},
          {"commits", past.commits},
          {"last_commit", past.last_commit},
          {"first_at", time_text(past.first_us)},
          {"last_at", time_text(past.last_us)}};
}

FlakyPast flaky_past_from(const json::value& value) {
  return {text_of(value, "command"),     text_of(value, "test"),     count_of(value, "passed"),
          count_of(value, "failed"),     count_of(value, "streak"),  count_of(value, "commits"),
          text_of(value, "last_commit"), time_at(value, "first_at"), time_at(value, "last_at")};
}

std::optional<json::value> BuildMemory::find(const std::string& key) const {
  if (const auto found = changed_.find(key); found != changed_.end()) {
    if (found->second.is_null()) return std::nullopt;
    return found->second;
  }
  const auto fact = memory_.fact(key);
  if (!fact || fact->value.is_null()) return std::nullopt;
  return fact->value;
}

CommandPast BuildMemory::command(const std::string& name) const {
  const auto found = find(case_key_of(fmt::format("{}{}", command_facts, name)));
  return found ? command_past_from(*found) : CommandPast{};
}

std::optional<FailurePast> BuildMemory::failure(const std::string& fingerprint) const {
  const auto found = find(fmt::format("{}{}", failure_facts, fingerprint));
  if (!found) return std::nullopt;
  return failure_past_from(*found);
}

std::optional<FlakyPast> BuildMemory::flaky(const std::string& command,
                                            const std::string& test) const {
  const auto found = find(flaky_key(command, test));
  if (!found) return std::nullopt;
  return flaky_past_from(*found);
}

std::vector<FlakyPast> BuildMemory::flaky_of(const std::string& command) const {
  std::map<std::string, FlakyPast> all;
  for (const auto& fact : memory_.facts(std::string(flaky_facts), facts_max)) {
    if (!fact.value.is_null()) all[fact.key] = flaky_past_from(fact.value);
  }
  for (const auto& [key, value] : changed_) {
    if (!key.starts_with(flaky_facts)) continue;
    all.erase(key);
    if (!value.is_null()) all[key] = flaky_past_from(value);
  }
  std::vector<FlakyPast> of;
  for (auto& [key, past] : all) {
    if (past.command == command) of.push_back(std::move(past));
  }
  return of;
}

void BuildMemory::make_room(std::string_view prefix, const std::string& key) {
  if (find(key)) return;
  const auto known = memory_.facts(std::string(prefix), facts_max + 1);
  if (static_cast<int>(known.size()) < facts_max) return;
  const auto oldest = std::ranges::min_element(
      known, {}, [](const auto& fact) { return time_at(fact.value, "last_at"); });
  changed_.try_emplace(oldest->key, nullptr);
}

void BuildMemory::keep(const std::string& name, const CommandPast& past) {
  changed_[case_key_of(fmt::format("{}{}", command_facts, name))] = to_json(past);
}

void BuildMemory::keep_failure(const std::string& fingerprint, const FailurePast& past) {
  const auto key = fmt::format("{}{}", failure_facts, fingerprint);
  make_room(failure_facts, key);
  changed_[key] = to_json(past);
}

void BuildMemory::keep(const FlakyPast& past) {
  const auto key = flaky_key(past.command, past.test);
  make_room(flaky_facts, key);
  changed_[key] = to_json(past);
}

void BuildMemory::saw_both(const std::string& command, const std::string& test,
                           const std::string& commit) {
  auto past = flaky(command, test);
  if (!past) past = FlakyPast{command, test, 1, 1, 0, 0, {}, now_us(), now_us()};
  if (past->last_commit != commit) ++past->commits;
  past->last_commit = commit;
  past->last_us = now_us();
  past->streak = 0;
  keep(*past);
}

bool BuildMemory::may_search(int per_hour) {
  constexpr std::int64_t hour_us = std::chrono::microseconds(1h).count();
  const auto known = find(std::string(searches_fact));
  json::array recent;
  const auto* begun = known ? find_path(*known, "begun_us") : nullptr;
  for (const auto& one :
       begun != nullptr && begun->is_array() ? begun->get_array() : json::array{}) {
    if (one.is_int64() && one.get_int64() > now_us() - hour_us) recent.push_back(one);
  }
  if (static_cast<int>(recent.size()) >= per_hour) return false;
  recent.emplace_back(now_us());
  changed_[std::string(searches_fact)] = json::object{{"begun_us", std::move(recent)}};
  return true;
}

void BuildMemory::write(Decision& decision) const {
  for (const auto& [key, value] : changed_) decision.facts.push_back({key, value, 1.0, "builds"});
}

bool is_excused(const FlakyPast& past, TimePoint now) {
  if (past.last_us + std::chrono::microseconds(excused_for).count() < to_unix_us(now)) return false;
  const auto runs = past.passed + past.failed - past.streak;
  if (runs <= 0) return true;
  const auto rate = static_cast<double>(past.failed - past.streak) / static_cast<double>(runs);
  return std::pow(rate, static_cast<double>(past.streak)) >= chance_min;
}

std::string to_sentence(const FlakyPast& past) {
  return fmt::format("fails {} of {} runs, on {} commit{} both ways", past.failed,
                     past.passed + past.failed, past.commits, past.commits == 1 ? "" : "s");
}

}  // namespace vigil::entities::codebase
