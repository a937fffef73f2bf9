#include <array>
#include <string>

#include "config/load.hpp"
#include "core/json.hpp"
#include "core/time.hpp"
#include "entities/decision.hpp"
#include "swarm/conversation.hpp"
#include "swarm/plan.hpp"
#include "tests/fuzz/target.hpp"

namespace vigil::fuzz {
namespace {

// Mistakes have a place; what is taken is the same after it was written and read again.
void config_text(std::string_view bytes) {
  const auto loaded = config::load_text(bytes, "vigild.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    must(!mistakes->empty(), "a refusal says why");
    for (const auto& mistake : *mistakes) must(!mistake.message.empty(), "a mistake has words");
    return;
  }
  const auto& settings = std::get<config::Loaded>(loaded).settings;
  const auto text = config::to_toml(settings);
  const auto again = config::load_text(text, "vigild.toml");
  must(std::holds_alternative<config::Loaded>(again), "what is printed loads");
  const auto change = config::difference(settings, std::get<config::Loaded>(again).settings);
  must(change.changes.empty(), "and is the same");
}

void plan(std::string_view bytes) {
  const auto value = parse_json(bytes);
  if (!value) return;
  const auto read = swarm::plan_from_json(*value);
  if (read) must(swarm::validate(*read).has_value(), "what is read is valid");
}

// However the bytes are cut, the same lines are heard.
void control(std::string_view bytes) {
  std::string once;
  swarm::ControlLines whole;
  whole.take(bytes, [&](const json::object& said) { once += to_text(said); });
  whole.finish([&](const json::object& said) { once += to_text(said); });
  std::string twice;
  swarm::ControlLines cut;
  const auto keep = [&](const json::object& said) { twice += to_text(said); };
  for (std::size_t at = 0; at < bytes.size(); at += 7) cut.take(bytes.substr(at, 7), keep);
  cut.finish(keep);
  must(once == twice && whole.ignored() == cut.ignored(), "cuts do not matter");
}

// A line of a process guardian.
void decision(std::string_view bytes) {
  const auto value = parse_json(bytes);
  if (!value) return;
  const auto read = entities::decision_from_json(*value);
  if (!read) return must(!read.error().message.empty(), "a refusal says why");
  const auto again = entities::decision_from_json(entities::to_json(*read));
  must(again.has_value(), "what is written is read again");
}

void times(std::string_view bytes) {
  if (const auto duration = parse_duration(bytes)) {
    must(!to_text(*duration).empty(), "a duration has a text");
  }
  if (const auto at = parse_rfc3339(bytes)) {
    const auto again = parse_rfc3339(to_rfc3339(*at));
    must(again.has_value(), "a time's text is one");
  }
}

constexpr std::array table{
    Target{"config", "conformance/toml/valid tests/fuzz/seeds/config", config_text},
    Target{"plan", "tests/fuzz/seeds/plan", plan},
    Target{"control", "tests/fuzz/seeds/control", control},
    Target{"decision", "tests/fuzz/seeds/decision", decision},
    Target{"times", "tests/fuzz/seeds/times", times},
};

}  // namespace

std::span<const Target> inside_targets() { return table; }

}  // namespace vigil::fuzz
