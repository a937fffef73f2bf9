#include <fmt/format.h>

#include <set>

#include "config/validate_entity.hpp"

namespace vigil::config {
namespace {

void check_rule(const std::string& key, const OpsWatchRule& rule, Violations& found) {
  const int ways = (rule.above || rule.below ? 1 : 0) + (rule.anomaly ? 1 : 0) +
                   (rule.change_above ? 1 : 0) + (rule.rise_above ? 1 : 0) +
                   (rule.full_within ? 1 : 0);
  if (ways != 1) {
    found.add(key,
              "a rule says one thing: above and/or below, or anomaly = true, or change_above, "
              "rise_above, or "
              "full_within. Write a rule for each");
  }
  if (!rule.clear) return;
  if (rule.above.has_value() == rule.below.has_value()) {
    found.add(key + ".clear", "goes with either above or below: write a rule for each");
  } else if (rule.above && *rule.clear > *rule.above) {
    found.add(key + ".clear", "must not be more than above");
  } else if (rule.below && *rule.clear < *rule.below) {
    found.add(key + ".clear", "must not be less than below");
  }
}

void check_watch(const std::string& key, const OpsWatch& watch, Violations& found) {
  if (watch.analyser.empty() && watch.argv.empty()) {
    found.add(key,
              "needs an analyser or argv to look with, or both: then the analyser reads "
              "what the program prints");
  }
  if (!watch.input.empty() && watch.analyser.empty()) {
    found.add(key + ".input", "is for an analyser; a program gets what stands in argv");
  }
  if (watch.rules.empty() && watch.argv.empty()) {
    found.add(key, "has no rule, so nothing would ever follow: add [[...watch.rule]]");
  }
  if (watch.timeout > watch.every * 10) {
    found.add(key + ".timeout", "is more than ten times `every`: it would never look in time");
  }
  for (std::size_t i = 0; i < watch.rules.size(); ++i) {
    check_rule(fmt::format("{}.rule[{}]", key, i), watch.rules[i], found);
  }
}

void check_scale(const std::string& key, const OpsScale& scale, const Ops& ops, Violations& found) {
  bool known = false;
  for (const auto& watch : ops.watches) known = known || watch.name == scale.watch;
  if (!known) found.add(key + ".watch", fmt::format("no watch is called \"{}\"", scale.watch));
  if (scale.size.empty() == scale.argv.empty()) {
    found.add(key, "needs its present size: size = \"READING\", or argv of what prints it");
  }
  if (scale.down_below >= scale.up_above) {
    found.add(key + ".down_below", "must be less than up_above, or it would go to and fro");
  }
  if (scale.max < scale.min) found.add(key + ".max", "must not be less than min");
}

}  // namespace

void check_watches(const std::string& key, const Ops& ops, const Settings& settings,
                   Violations& found) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < ops.watches.size(); ++i) {
    const auto at = fmt::format("{}.watch[{}]", key, i);
    const auto& name = ops.watches[i].name;
    if (!names.insert(name).second) {
      found.add(at + ".name", fmt::format("\"{}\" stands here twice; names are unique", name));
    }
    check_watch(at, ops.watches[i], found);
  }
  names.clear();
  for (std::size_t i = 0; i < ops.scales.size(); ++i) {
    const auto at = fmt::format("{}.scale[{}]", key, i);
    const auto& scale = ops.scales[i];
    if (!names.insert(scale.name).second) {
      found.add(at + ".name",
                fmt::format("\"{}\" stands here twice; names are unique", scale.name));
    }
    check_scale(at, scale, ops, found);
    if (settings.sinks.contains(scale.sink)) continue;
    found.add(at + ".sink",
              fmt::format("no sink is called \"{}\": add [sink.{}]", scale.sink, scale.sink));
  }
}

}  // namespace vigil::config
