#pragma once
// A codebase guardian with its memory, told one thing after the other as the runtime would.
#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>

#include "entities/codebase/codebase.hpp"
#include "entities/codebase/review.hpp"
#include "tests/entities/codebase_memory.hpp"
#include "tests/support/places.hpp"

namespace vigil::testing {

using namespace entities;
using namespace entities::codebase;

inline const std::string head_one(40, '1');
inline const std::string head_two(40, '2');

inline config::Entity entity_with(config::Codebase settings) {
  config::Entity entity;
  entity.name = "keeper";
  entity.kind = "codebase";
  if (settings.repository.empty()) settings.repository = source_dir();
  entity.of = std::move(settings);
  return entity;
}

inline std::unique_ptr<Guardian> guardian(config::Codebase settings = {.report_sink = "out",
                                                                       .status_sink = "out"}) {
  auto made = make_codebase(entity_with(std::move(settings)));
  REQUIRE(made.has_value());
  return std::move(*made);
}

inline EventPtr pull_request(const std::string& action, const std::string& head) {
  return make_event("github.pull_request." + action,
                    json::object{{"action", action},
                                 {"repository", {{"full_name", "octo/repo"}}},
                                 {"pull_request",
                                  {{"number", 12},
                                   {"title", "a title"},
                                   {"merged", action == "closed"},
                                   {"head", {{"sha", head}, {"ref", "topic"}}},
                                   {"base", {{"sha", std::string(40, 'b')}, {"ref", "main"}}}}}});
}

inline Wake event_wake(std::vector<EventPtr> events) {
  return wake_for(EventsArrived{std::move(events)});
}

inline Finding finding(std::string key, Severity severity) {
  Finding out;
  out.key = std::move(key);
  out.analyser = "secrets";
  out.severity = severity;
  out.path = "a.c";
  out.line = 3;
  out.title = "title of it";
  return out;
}

inline Wake report_wake(const std::string& asked, std::vector<Finding> findings,
                        bool as_asked = true) {
  Review review;
  review.head = as_asked ? asked : std::string(40, '9');
  review.asked_head = asked;
  review.as_asked = as_asked;
  review.why = "the commits were looked at";
  review.findings = std::move(findings);
  swarm::Report report;
  report.ok = true;
  report.swarm = SwarmId{7};
  report.wall = std::chrono::seconds{2};
  report.result = to_json(review);
  return wake_for(SwarmEnded{std::move(report)});
}

inline const Action* action_of(const Decision& decision, std::string_view kind) {
  for (const auto& action : decision.actions) {
    if (action.kind == kind) return &action;
  }
  return nullptr;
}

inline std::string text_in(const Action* action, std::string_view key) {
  REQUIRE(action != nullptr);
  return std::string(find_text(json::value(action->payload), key).value_or(""));
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

inline std::string asked_head_of(const swarm::Report& report) {
  if (const auto head = find_text(report.result, "asked_head")) return std::string(*head);
  for (const auto& task : report.tasks) {
    if (const auto head = find_text(task.result, "asked_head")) return std::string(*head);
  }
  return head_one;
}

// A guardian with its memory, as the runtime would drive it.
struct Story {
  std::unique_ptr<Guardian> keeper = guardian();
  FakeMemory memory;
  std::map<std::string, std::string> titles;  // of the swarms asked for, by commit
  Decision tell(Wake wake) {
    if (auto* ended = std::get_if<SwarmEnded>(&wake.because);
        ended && ended->report.title.empty()) {
      ended->report.title = titles[asked_head_of(ended->report)];
    }
    auto decision = keeper->decide(wake, memory);
    for (const auto& plan : decision.plans) {
      const auto head = find_text(plan.tasks.front().input, "head").value_or("");
      titles[std::string(head)] = plan.title;
    }
    CHECK_FALSE(decision.why.empty());
    CHECK_FALSE(decision.rule.empty());
    memory.keep(decision);
    return decision;
  }
};

}  // namespace vigil::testing
