#pragma once
// A comms guardian with a memory and a clock, as the runtime would drive it; and mails to tell it.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "entities/comms/comms.hpp"
#include "entities/library.hpp"

namespace vigil::testing {

using namespace std::chrono_literals;

// Facts are shared by the cases of an entity; each case has its own state and timers.
class CommsMemory final : public entities::Recollection, public entities::Library {
 public:
  CommsMemory(const std::map<std::string, json::value>& facts, json::object state)
      : facts_(facts), state_(std::move(state)) {}
  json::object case_state() const override { return state_; }
  std::optional<RememberedFact> fact(const std::string& key) const override {
    const auto found = facts_.find(key);
    if (found == facts_.end()) return std::nullopt;
    return RememberedFact{key, found->second, 1.0, {}};
  }
  std::vector<RememberedFact> facts(const std::string& prefix, int limit) const override {
    std::vector<RememberedFact> all;
    for (const auto& [key, value] : facts_) {
      if (key.starts_with(prefix) && static_cast<int>(all.size()) < limit) {
        all.push_back({key, value, 1.0, {}});
      }
    }
    return all;
  }
  std::vector<RememberedEpisode> episodes(int) const override { return {}; }
  std::vector<Found> search(const std::string& words, int) const override {
    if (words.find("budget") == std::string::npos) return {};
    return {{"doc", "Budget 2026", "the total is 12,000"}};
  }
  std::vector<Answer> answers(const std::string& question, int) const override {
    if (question.find("tank") == std::string::npos) return {};
    return {{"mail:9@b", "The tank", "line 1", "When is the tank checked?", 1.0},
            {"documents/handbook/heating.md", "Heating", "Upkeep, line 31",
             "The tank is checked every October.", 0.8}};
  }
  std::optional<json::value> preference(const std::string&) const override { return {}; }
  std::vector<RememberedFact> preferences(const std::string&, int) const override { return {}; }

 private:
  const std::map<std::string, json::value>& facts_;
  json::object state_;
};

struct OneMail {
  std::string id;
  std::string from = "bob@example.net";
  std::string to = "ada@example.org";
  std::string subject = "Plans";
  std::string answers = {};  // the root of its thread
  std::string kind = "person";
  std::vector<std::string> questions = {};
  json::object more = {};
};

inline json::array people(const std::string& address) {
  return {json::object{{"name", ""}, {"address", address}}};
}

inline json::object mail_data(const OneMail& mail, TimePoint now) {
  json::object data{{"account", "home"},
                    {"folder", "INBOX"},
                    {"message_id", mail.id},
                    {"from", people(mail.from)},
                    {"to", people(mail.to)},
                    {"subject", mail.subject},
                    {"kind", mail.kind},
                    {"date", to_rfc3339(now)},
                    {"raw_ref", {{"kind", "imap"}, {"uid", 7}}}};
  if (!mail.answers.empty()) {
    data["references"] = json::array{mail.answers};
    data["in_reply_to"] = mail.answers;
  }
  if (!mail.questions.empty()) {
    json::array asked;
    for (const auto& one : mail.questions) asked.emplace_back(one);
    data["questions"] = std::move(asked);
  }
  for (const auto& [name, value] : mail.more) data[name] = value;
  return data;
}

struct CommsStory {
  struct Case {
    json::object state;
    std::map<std::string, TimePoint> timers;
  };

  explicit CommsStory(config::Comms settings = {}, std::string name = "post") : entity(name) {
    if (settings.addresses.empty()) settings.addresses = {"ada@example.org"};
    if (settings.names.empty()) settings.names = {"Ada"};
    settings.mail_sink = "mailbox";
    settings.send_sink = "out";
    settings.report_sink = "chat";
    config::Entity of;
    of.name = name;
    of.kind = "comms";
    of.of = std::move(settings);
    auto made = entities::make_comms(of);
    REQUIRE(made.has_value());
    keeper = std::move(*made);
  }

  entities::Decision wake(const std::string& key, decltype(entities::Wake::because) because) {
    entities::Wake wake;
    wake.entity = entity;
    wake.case_key = key;
    wake.now = now;
    wake.because = std::move(because);
    auto& own = cases[key];
    const CommsMemory memory(facts, own.state);
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
    for (const auto& action : decision.actions) {  // whatever the autonomy says
      const bool harsh =
          action.kind == "send" || action.kind == "forward" || action.kind == "delete";
      CHECK(action.ask_first == harsh);
    }
    if (decision.close_case) own = {};
    return decision;
  }

  entities::Decision tell(std::string type, json::value data) {
    auto event = std::make_shared<Event>();
    event->type = std::move(type);
    event->source = "home";
    event->data = std::move(data);
    const auto interest = keeper->interest(*event);
    INFO(interest.why);
    REQUIRE(interest.relevant);
    last_case = interest.case_key;
    return wake(last_case, entities::EventsArrived{{event}});
  }
  entities::Decision mail(const OneMail& one) { return tell("mail.message", mail_data(one, now)); }

  // The next timer of the last case: the clock is moved to it.
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
  // What the desk tells when the digest is due.
  std::string digest() {
    const auto decision = wake("comms:desk", entities::TimerDue{"digest", now, {}});
    if (decision.actions.empty()) return {};
    return std::string(find_text(decision.actions.front().payload.at("text"), "").value_or(""));
  }

  std::string entity;
  std::unique_ptr<entities::Guardian> keeper;
  std::map<std::string, Case> cases;
  std::map<std::string, json::value> facts;
  TimePoint now = from_unix_us(1'790'000'000'000'000);  // a Monday, 14:13 UTC
  std::string last_case;
};

inline config::CommsRule rule_named(std::string name) {
  config::CommsRule rule;
  rule.name = std::move(name);
  return rule;
}

inline const entities::Action* action_of(const entities::Decision& decision,
                                         std::string_view kind) {
  for (const auto& action : decision.actions) {
    if (action.kind == kind) return &action;
  }
  return nullptr;
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace vigil::testing
