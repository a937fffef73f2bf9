#pragma once
// A database with one guardian of rules, to which events come and for which decisions are
// committed.
#include <doctest/doctest.h>

#include <boost/json/object.hpp>

#include "config/load.hpp"
#include "daemon/runtime/commit.hpp"
#include "tests/support/store_world.hpp"

namespace vigil::testing {

using namespace vigil::runtime;

inline const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

inline config::Settings settings_of(const std::string& extra) {
  const std::string text = R"(
[source.github]
kind = "webhook"
scheme = "none"
[sink.out]
kind = "log"
[sink.web]
kind = "http"
url = "https://example.org/hook"
[entity.guard]
kind = "rules"
autonomy = "act"
case_key = "{{event.subject}}"
[[entity.guard.on]]
source = "github"
[[entity.guard.rule]]
name = "any"
remember = "seen"
)" + extra;
  auto loaded = config::load_text(text, "test.toml");
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    throw std::runtime_error(mistakes->front().to_text());
  }
  return std::get<config::Loaded>(loaded).settings;
}

struct CommitWorld : StoreWorld {
  explicit CommitWorld(const std::string& extra = "")
      : inhabitants(
            Inhabitants::compile(std::make_shared<config::Settings>(settings_of(extra))).value()) {}

  EventPtr event(const std::string& uid, const std::string& subject) {
    return event_of("github", "github.push", uid, subject, "{}");
  }

  EventPtr event_of(const std::string& source, const std::string& type, const std::string& uid,
                    const std::string& subject, const std::string& data) {
    storage::NewEvent row;
    row.uid = uid;
    row.source = source;
    row.type = type;
    row.subject = subject;
    row.received_at = noon;
    row.data = data;
    const auto id = commit([&](storage::Stores& stores) { return stores.journal.append(row).id; });
    return reader()->journal.find(id);
  }

  RoutedBatch arrive(const EventPtr& what, TimePoint now) {
    Arrival arrival;
    arrival.inhabitants = inhabitants;
    arrival.event = what;
    arrival.routed = inhabitants->route(*what, arrival.missed);
    return commit([&](storage::Stores& stores) { return commit_arrivals(stores, {arrival}, now); });
  }

  Decided decided(const Waiting& waiting) {
    Decided out;
    out.inhabitants = inhabitants;
    out.entity = &inhabitants->find("guard")->settings;
    out.wake = waiting.id;
    out.case_id = waiting.case_id;
    out.wake_kind = "event";
    for (const auto& one : waiting.events) out.events.push_back(one->id);
    out.now = noon;
    out.decision.verdict = entities::Verdict::noted;
    out.decision.why = "because";
    return out;
  }

  Committed settle(const Decided& what) {
    return commit([&](storage::Stores& stores) { return commit_decision(stores, what); });
  }

  std::shared_ptr<const Inhabitants> inhabitants;
};

inline entities::Action action_to(const std::string& sink) {
  entities::Action action;
  action.sink = sink;
  action.payload["text"] = "hello";
  return action;
}

}  // namespace vigil::testing
