#pragma once
// The course of one watch: bars, quotes, gaps and signals come in, alerts go out once, are
// investigated by a swarm, and are scored by what followed. Pure.
#include <string>

#include "entities/guardian.hpp"
#include "entities/market/watcher.hpp"

namespace vigil::entities::market {

constexpr std::string_view watch_prefix = "watch:";  // of the key of its case
constexpr std::string_view tune_kind = "tune";       // of proposals for thresholds

// What a decision is made of while it is being made.
struct Course {
  const MarketSetup& setup;
  const config::MarketWatch& watch;
  const Wake& wake;
  const Recollection& memory;
  json::object state;
  Decision decision;
  std::vector<std::string> remarks;
};

const config::MarketWatch* watch_of(const MarketSetup& setup, std::string_view case_key);
Decision decide_on_watch(const MarketSetup& setup, const config::MarketWatch& watch,
                         const Wake& wake, const Recollection& memory);

// ---- parts, each in a file of its own
// The rules of a watch, with the thresholds that a person approved.
std::vector<Rule> rules_of(const Course& course);
void tell(Course& course, const Alert& alert);
void plan_investigation(Course& course, const Alert& alert);
// The watch's own past, oldest first: what was put away, then the latest.
std::vector<Bar> past_bars(const Course& course);
void put_away(Course& course, const std::vector<Bar>& bars);
std::string on_report(Course& course, const swarm::Report& report);
std::string on_tuned(Course& course, const swarm::Report& report);
// Whether enough of what a rule told is known to have led nowhere.
bool is_noisy(const Course& course, const RuleScore& score);
void on_outcomes(Course& course, const std::vector<Outcome>& outcomes);
std::string on_settled(Course& course, const ActionSettled& settled);
std::string on_feedback(Course& course, const FeedbackGiven& feedback);
json::object& member(json::object& of, std::string_view key);

// What one alert says, for people.
std::string headline(const std::string& watch, const Alert& alert);

}  // namespace vigil::entities::market
