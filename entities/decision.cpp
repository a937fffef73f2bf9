#include "entities/decision.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "entities/reader.hpp"

namespace vigil::entities {
namespace {

json::object base_of(const Wake& wake) {
  json::object out;
  out["entity"] = wake.entity;
  out["case"] = wake.case_key;
  out["now"] = to_rfc3339(wake.now);
  out["taint"] = wake.taint == Taint::trusted ? "trusted" : "untrusted";
  out["kind"] = kind_of(wake);
  return out;
}

void put(json::object& out, const EventsArrived& because) {
  json::array events;
  for (const auto& event : because.events) events.push_back(to_json(*event));
  out["events"] = std::move(events);
}

void put(json::object& out, const SwarmEnded& because) {
  out["report"] = swarm::to_json(because.report);
}

void put(json::object& out, const TimerDue& because) {
  out["timer"] = {{"name", because.name}, {"due", to_rfc3339(because.due)}, {"note", because.note}};
}

void put(json::object& out, const ActionSettled& because) {
  out["action"] = {{"id", because.action.value},
                   {"kind", because.kind},
                   {"outcome", because.outcome},
                   {"result", because.result},
                   {"error", because.error}};
  if (!because.sticky_key.empty()) out["action"].as_object()["sticky_key"] = because.sticky_key;
}

void put(json::object& out, const FeedbackGiven& because) {
  out["feedback"] = {{"action", because.action.value},
                     {"verdict", because.verdict},
                     {"note", because.note},
                     {"about", because.about}};
}

template <class Item, class Write>
void put_list(json::object& out, std::string_view name, const std::vector<Item>& items,
              Write write) {
  if (items.empty()) return;
  json::array list;
  for (const auto& item : items) list.push_back(write(item));
  out[name] = std::move(list);
}

json::object write_action(const Action& action) {
  json::object out{{"kind", action.kind}, {"sink", action.sink}, {"payload", action.payload}};
  if (!action.sticky_key.empty()) out["sticky_key"] = action.sticky_key;
  if (action.expires) out["expires"] = to_rfc3339(*action.expires);
  if (action.ask_first) out["ask_first"] = true;
  return out;
}

json::object write_timer(const TimerSet& timer) {
  json::object out{{"name", timer.name}, {"note", timer.note}};
  if (timer.due) out["due"] = to_rfc3339(*timer.due);
  return out;
}

// ---- reading ------------------------------------------------------------------------------------

std::optional<Verdict> verdict_from(std::string_view text) {
  if (text == "acted") return Verdict::acted;
  if (text == "noted") return Verdict::noted;
  if (text == "ignored") return Verdict::ignored;
  return std::nullopt;
}

std::optional<TimePoint> read_time(Reader& reader, std::string_view name) {
  const auto text = reader.text_or(name, "");
  if (text.empty()) return std::nullopt;
  const auto at = parse_rfc3339(text);
  if (!at) {
    reader.fail_at(name, "expected a time like 2026-11-23T10:15:00Z");
    return std::nullopt;
  }
  return *at;
}

Episode read_episode(Reader& reader) {
  return {reader.text_or("kind", "note"), reader.text("text"), reader.value("data")};
}
Fact read_fact(Reader& reader) {
  Fact out{reader.text("key"), reader.value("value"), reader.number_or("confidence", 1.0),
           reader.text_or("provenance", "")};
  if (out.confidence < 0 || out.confidence > 1) {
    reader.fail_at("confidence", "expected a number from 0 to 1");
  }
  return out;
}
Preference read_preference(Reader& reader) {
  return {reader.text("key"), reader.value("value"), reader.text_or("why", "")};
}
Document read_document(Reader& reader) {
  return {reader.text("key"), reader.text_or("title", ""), reader.text_or("body", "")};
}
TimerSet read_timer(Reader& reader) {
  return {reader.text("name"), read_time(reader, "due"), reader.value("note")};
}
Action read_action(Reader& reader) {
  Action out;
  out.kind = reader.text_or("kind", "notify");
  out.sink = reader.text("sink");
  out.payload = reader.object_or_empty("payload");
  out.sticky_key = reader.text_or("sticky_key", "");
  out.expires = read_time(reader, "expires");
  out.ask_first = reader.flag_or("ask_first", false);
  return out;
}

}  // namespace

std::string_view kind_of(const Wake& wake) {
  static constexpr std::string_view kinds[] = {"event", "swarm", "timer", "action", "feedback"};
  return kinds[wake.because.index()];
}

json::object to_json(const Wake& wake) {
  auto out = base_of(wake);
  std::visit([&](const auto& because) { put(out, because); }, wake.because);
  return out;
}

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::acted:
      return "acted";
    case Verdict::noted:
      return "noted";
    case Verdict::ignored:
      return "ignored";
  }
  return "ignored";
}

json::object to_json(const Decision& decision) {
  json::object out;
  out["verdict"] = to_text(decision.verdict);
  out["why"] = decision.why;
  if (!decision.rule.empty()) out["rule"] = decision.rule;
  if (decision.state) out["state"] = *decision.state;
  if (decision.close_case) out["close_case"] = true;
  put_list(out, "episodes", decision.episodes, [](const Episode& one) {
    return json::object{{"kind", one.kind}, {"text", one.text}, {"data", one.data}};
  });
  put_list(out, "facts", decision.facts, [](const Fact& one) {
    return json::object{{"key", one.key},
                        {"value", one.value},
                        {"confidence", one.confidence},
                        {"provenance", one.provenance}};
  });
  put_list(out, "preferences", decision.preferences, [](const Preference& one) {
    return json::object{{"key", one.key}, {"value", one.value}, {"why", one.why}};
  });
  put_list(out, "documents", decision.documents, [](const Document& one) {
    return json::object{{"key", one.key}, {"title", one.title}, {"body", one.body}};
  });
  put_list(out, "plans", decision.plans,
           [](const swarm::Plan& one) { return swarm::to_json(one); });
  put_list(out, "timers", decision.timers, write_timer);
  put_list(out, "actions", decision.actions, write_action);
  return out;
}

Result<Decision> decision_from_json(const json::value& value) {
  Reader reader(value);
  Decision out;
  const auto verdict = verdict_from(reader.text_or("verdict", "noted"));
  if (!verdict) reader.fail_at("verdict", "expected acted, noted or ignored");
  out.verdict = verdict.value_or(Verdict::noted);
  out.why = reader.text("why");
  if (out.why.find_first_not_of(" \t\r\n") == std::string::npos)
    reader.fail_at("why", "expected one sentence: every decision says why");
  out.rule = reader.text_or("rule", "");
  if (reader.has("state")) out.state = reader.object_or_empty("state");
  out.close_case = reader.flag_or("close_case", false);
  out.episodes = reader.list("episodes", read_episode);
  out.facts = reader.list("facts", read_fact);
  out.preferences = reader.list("preferences", read_preference);
  out.documents = reader.list("documents", read_document);
  out.timers = reader.list("timers", read_timer);
  out.actions = reader.list("actions", read_action);
  out.plans = reader.list("plans", [](Reader& one) {
    auto plan = swarm::plan_from_json(one.whole());
    if (!plan) one.fail_at("", plan.error().message);
    return plan ? std::move(*plan) : swarm::Plan{};
  });
  if (auto error = reader.error()) return fail(ErrorCode::invalid_input, *error);
  return out;
}

}  // namespace vigil::entities
