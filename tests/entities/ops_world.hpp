#pragma once
// An ops guardian with a memory and a clock, as the runtime would drive it.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "entities/ops/ops.hpp"

namespace vigil::testing {

using namespace std::chrono_literals;

// Facts are shared by the cases of an entity; each case has its own state and timers.
class OpsMemory final : public entities::Recollection {
 public:
  OpsMemory(const std::map<std::string, json::value>& facts, json::object state)
      : facts_(facts), state_(std::move(state)) {}
  json::object case_state() const override { return state_; }
  std::optional<RememberedFact> fact(const std::string& key) const override {
    const auto found = facts_.find(key);
    if (found == facts_.end()) return std::nullopt;
    return RememberedFact{key, found->second, 1.0, {}};
  }
  std::vector<RememberedFact> facts(const std::string& prefix, int) const override {
    std::vector<RememberedFact> all;
    for (const auto& [key, value] : facts_) {
      if (key.starts_with(prefix)) all.push_back({key, value, 1.0, {}});
    }
    return all;
  }
  std::vector<RememberedEpisode> episodes(int) const override { return {}; }
  std::vector<Found> search(const std::string&, int) const override { return {}; }
  std::optional<json::value> preference(const std::string&) const override { return {}; }
  std::vector<RememberedFact> preferences(const std::string&, int) const override { return {}; }

 private:
  const std::map<std::string, json::value>& facts_;
  json::object state_;
};

struct OpsStory {
  struct Case {
    json::object state;
    std::map<std::string, TimePoint> timers;
  };

  explicit OpsStory(config::Ops settings = {}) {
    if (settings.report_sink.empty()) settings.report_sink = "chat";
    config::Entity entity;
    entity.name = "ops";
    entity.kind = "ops";
    entity.of = std::move(settings);
    auto made = entities::make_ops(entity);
    REQUIRE(made.has_value());
    keeper = std::move(*made);
  }

  entities::Decision wake(const std::string& key, decltype(entities::Wake::because) because) {
    entities::Wake wake;
    wake.entity = "ops";
    wake.case_key = key;
    wake.now = now;
    wake.because = std::move(because);
    auto& own = cases[key];
    const OpsMemory memory(facts, own.state);
    auto decision = keeper->decide(wake, memory);
    CHECK(to_json(decision) == to_json(keeper->decide(wake, memory)));  // promise 6
    CHECK_FALSE(decision.why.empty());
    CHECK_FALSE(decision.rule.empty());
    if (decision.state) own.state = *decision.state;
    for (const auto& fact : decision.facts) {
      if (fact.value.is_null()) {
        facts.erase(fact.key);
      } else {
        facts[fact.key] = fact.value;
      }
    }
    for (const auto& timer : decision.timers) {
      if (timer.due) {
        own.timers[timer.name] = *timer.due;
      } else {
        own.timers.erase(timer.name);
      }
    }
    for (const auto& plan : decision.plans) CHECK(swarm::validate(plan).has_value());
    if (decision.close_case) own = {};
    return decision;
  }

  static EventPtr event(std::string type, json::value data, Taint taint = Taint::untrusted) {
    auto out = std::make_shared<Event>();
    out->type = std::move(type);
    out->source = "monitor";
    out->taint = taint;
    out->data = std::move(data);
    return out;
  }

  // Into the case it belongs to, which must be one.
  entities::Decision tell(const EventPtr& what) {
    const auto interest = keeper->interest(*what);
    INFO(interest.why);
    REQUIRE(interest.relevant);
    last_case = interest.case_key;
    return wake(interest.case_key, entities::EventsArrived{{what}});
  }
  entities::Decision command(const std::string& text) {
    json::object data{{"text", text}, {"case", last_case}, {"by", "sam"}};
    const auto kept = last_case;
    auto decision = tell(event("ops.command", std::move(data), Taint::trusted));
    last_case = kept;
    return decision;
  }

  // The next timer of a case: the clock is moved to it.
  entities::Decision next_timer(const std::string& name) {
    auto& timers = cases[last_case].timers;
    const auto found = timers.find(name);
    INFO("timer ", name);
    REQUIRE(found != timers.end());
    const auto due = found->second;
    now = std::max(now, due);
    timers.erase(found);
    return wake(last_case, entities::TimerDue{name, due, {}});
  }
  bool waits(const std::string& name) { return cases[last_case].timers.contains(name); }

  std::unique_ptr<entities::Guardian> keeper;
  std::map<std::string, Case> cases;
  std::map<std::string, json::value> facts;
  TimePoint now = from_unix_us(1'790'000'000'000'000);
  std::string last_case;
};

struct OneAlert {
  std::string fingerprint;
  std::string status = "firing";
  std::string severity = "critical";
  std::string starts = "2026-09-21T10:00:00Z";
  json::object labels = {};
};

inline EventPtr group(std::vector<OneAlert> alerts, const std::string& name = "Disk") {
  json::array list;
  bool fires = false;
  for (auto& alert : alerts) {
    fires = fires || alert.status == "firing";
    alert.labels["alertname"] = name;
    alert.labels["severity"] = alert.severity;
    list.push_back(json::object{{"status", alert.status},
                                {"labels", alert.labels},
                                {"fingerprint", alert.fingerprint},
                                {"startsAt", alert.starts},
                                {"endsAt", "0001-01-01T00:00:00Z"}});
  }
  return OpsStory::event("alertmanager.firing",
                         json::object{{"version", "4"},
                                      {"groupKey", "{}:" + name},
                                      {"groupLabels", {{"alertname", name}}},
                                      {"status", fires ? "firing" : "resolved"},
                                      {"alerts", std::move(list)}});
}

inline const entities::Action* action_of(const entities::Decision& decision,
                                         std::string_view kind) {
  for (const auto& action : decision.actions) {
    if (action.kind == kind) return &action;
  }
  return nullptr;
}

inline std::string text_in(const entities::Action* action, std::string_view key) {
  REQUIRE(action != nullptr);
  return std::string(find_text(json::value(action->payload), key).value_or(""));
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace vigil::testing
