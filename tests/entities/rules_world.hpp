#pragma once
// One rules guardian made of configuration text, and a memory that keeps what it decides.
#include <doctest/doctest.h>

#include <boost/json/parse.hpp>
#include <stdexcept>

#include "config/load.hpp"
#include "entities/guardian.hpp"
#include "entities/roster.hpp"

namespace vigil::testing {

using namespace vigil::entities;

class RulesMemory final : public Recollection {
 public:
  json::object state;
  json::object case_state() const override { return state; }
  std::optional<RememberedFact> fact(const std::string&) const override { return std::nullopt; }
  std::vector<RememberedFact> facts(const std::string&, int) const override { return {}; }
  std::vector<RememberedEpisode> episodes(int) const override { return {}; }
  std::vector<Found> search(const std::string&, int) const override { return {}; }
  std::optional<json::value> preference(const std::string&) const override { return std::nullopt; }
  std::vector<RememberedFact> preferences(const std::string&, int) const override { return {}; }
};

inline config::Entity entity_of(const std::string& text) {
  const auto loaded = config::load_text(text, "t.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings.entities.begin()->second;
}

struct RulesWorld {
  explicit RulesWorld(const std::string& configuration)
      : guardian(make_guardian(entity_of(configuration)).value()) {}

  std::unique_ptr<Guardian> guardian;
  RulesMemory memory;

  static EventPtr event(std::int64_t id, const char* data, const char* type = "disk.report") {
    auto out = std::make_shared<Event>();
    out->id = EventId{id};
    out->source = "admin";
    out->type = type;
    out->data = json::parse(data);
    return out;
  }
  Decision ask(decltype(Wake::because) because) {
    const Wake wake{"clerk", "web1", TimePoint{std::chrono::seconds{1000}}, Taint::trusted,
                    std::move(because)};
    auto out = guardian->decide(wake, memory);
    // Promise 6: the same wake and the same memory give the same decision.
    CHECK(to_json(guardian->decide(wake, memory)) == to_json(out));
    if (out.state) memory.state = *out.state;
    return out;
  }
  Decision ended(const std::string& title, bool ok, bool cancelled = false) {
    swarm::Report report;
    report.title = title;
    report.ok = ok;
    report.cancelled = cancelled;
    report.error = ok ? "" : "it broke";
    swarm::TaskOutcome task;
    task.name = "largest";
    task.state = ok ? swarm::TaskState::done : swarm::TaskState::failed;
    task.result = json::value("42 /var");
    report.tasks.push_back(task);
    return ask(SwarmEnded{report});
  }
};

inline std::string text_of(const Action& action) {
  return std::string(action.payload.at("text").as_string());
}

}  // namespace vigil::testing
