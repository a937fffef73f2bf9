#include "entities/ops/incident.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

// Two senders of one pair may overtake each other by about this much.
constexpr Duration out_of_order = 1min;
constexpr std::size_t labels_kept = 10;
constexpr std::size_t notes_max = 10;

json::array times_json(const std::vector<TimePoint>& times) {
  json::array out;
  for (const auto time : times) out.emplace_back(to_unix_us(time));
  return out;
}

json::object labels_json(const Labels& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

json::object known_json(const Known& known) {
  json::object out{{"status", to_text(known.status)},
                   {"severity", to_text(known.severity)},
                   {"name", known.name},
                   {"labels", labels_json(known.labels)},
                   {"since", to_unix_us(known.since)}};
  if (!known.summary.empty()) out["summary"] = known.summary;
  if (!known.link.empty()) out["link"] = known.link;
  if (!known.value.empty()) out["value"] = known.value;
  if (known.starts) out["starts"] = to_unix_us(*known.starts);
  return out;
}

std::string text_in(const json::value& from, std::string_view path) {
  return std::string(find_text(from, path).value_or(""));
}

std::optional<TimePoint> time_in(const json::value& from, std::string_view path) {
  const auto us = find_integer(from, path);
  return us ? std::optional(from_unix_us(*us)) : std::nullopt;
}

std::vector<TimePoint> times_in(const json::value& from, std::string_view path) {
  std::vector<TimePoint> out;
  const auto* list = find_path(from, path);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& entry : list->get_array()) {
    if (entry.is_int64()) out.push_back(from_unix_us(entry.get_int64()));
  }
  return out;
}

std::vector<std::string> lines_in(const json::value& from, std::string_view path) {
  std::vector<std::string> out;
  const auto* list = find_path(from, path);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& line : list->get_array()) {
    if (line.is_string()) out.emplace_back(line.get_string());
  }
  return out;
}

Labels labels_in(const json::value& from, std::string_view path) {
  Labels out;
  const auto* found = find_path(from, path);
  if (found == nullptr || !found->is_object()) return out;
  for (const auto& [name, value] : found->get_object()) {
    if (value.is_string()) out[name] = value.get_string();
  }
  return out;
}

Known known_from(const json::value& from) {
  Known out;
  const auto status = text_in(from, "status");
  out.status = status == "resolved" ? Status::resolved : Status::firing;
  out.severity = severity_from(text_in(from, "severity"));
  out.name = text_in(from, "name");
  out.summary = text_in(from, "summary");
  out.link = text_in(from, "link");
  out.value = text_in(from, "value");
  out.labels = labels_in(from, "labels");
  out.starts = time_in(from, "starts");
  out.since = time_in(from, "since").value_or(TimePoint{});
  return out;
}

// Room for one more: what has resolved goes first.
bool make_room(Incident& incident) {
  if (incident.alerts.size() < known_max) return true;
  const auto gone = std::ranges::find_if(
      incident.alerts, [](const auto& entry) { return entry.second.status == Status::resolved; });
  if (gone == incident.alerts.end()) return false;
  incident.alerts.erase(gone);
  return true;
}

void describe(Known& known, const Alert& alert) {
  known.severity = alert.severity;
  known.name = alert.name;
  known.summary = alert.summary;
  known.value = alert.value;
  known.link = alert.links.empty() ? "" : alert.links.front();
  known.labels.clear();
  for (const auto& label : alert.labels) {
    if (known.labels.size() < labels_kept) known.labels.insert(label);
  }
}

}  // namespace

std::string_view to_text(Phase phase) {
  switch (phase) {
    case Phase::none:
      return "none";
    case Phase::firing:
      return "firing";
    case Phase::resolved:
      return "resolved";
    case Phase::closed:
      return "closed";
  }
  return "none";
}

std::size_t Incident::firing() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      alerts, [](const auto& entry) { return entry.second.status == Status::firing; }));
}

Severity Incident::severity() const {
  const bool any = firing() > 0;
  Severity worst = Severity::info;
  for (const auto& [fingerprint, known] : alerts) {
    if (any && known.status != Status::firing) continue;
    worst = std::max(worst, known.severity);
  }
  return worst;
}

std::string Incident::name(const std::string& case_key) const {
  return plain(title.empty() ? case_key : title, 200);
}

void Incident::note(TimePoint at, std::string text) {
  if (timeline.size() >= timeline_max) {  // how it began stays
    timeline.erase(timeline.begin() + timeline_max / 4);
    ++moments_dropped;
  }
  timeline.push_back({at, plain(text, 400)});
}

void Incident::acknowledge(std::string who, TimePoint at) {
  if (first_acked_by.empty()) {
    first_acked_by = who;
    first_acked = at;
  }
  acked_by = std::move(who);
}

void Incident::hear(const std::string& who, const std::string& said) {
  if (said.empty()) return;
  if (notes.size() >= notes_max) notes.erase(notes.begin());
  notes.push_back(plain(who + ": " + said, 300));
}

json::object to_json(const Incident& incident) {
  json::object alerts;
  json::array notes;
  for (const auto& note : incident.notes) notes.emplace_back(note);
  for (const auto& [fingerprint, known] : incident.alerts) alerts[fingerprint] = known_json(known);
  json::array evidence;
  for (const auto& line : incident.evidence) evidence.emplace_back(line);
  json::array timeline;
  for (const auto& moment : incident.timeline) {
    timeline.push_back(json::object{{"at", to_unix_us(moment.at)}, {"text", moment.text}});
  }
  json::object out{{"number", incident.number},
                   {"phase", to_text(incident.phase)},
                   {"title", incident.title},
                   {"nature", incident.nature},
                   {"shared", labels_json(incident.shared)},
                   {"alerts", std::move(alerts)},
                   {"truncated", incident.truncated},
                   {"dropped", incident.dropped},
                   {"opened", to_unix_us(incident.opened)},
                   {"acked_by", incident.acked_by},
                   {"first_acked_by", incident.first_acked_by},
                   {"notes", std::move(notes)},
                   {"flips", times_json(incident.flips)},
                   {"flapping", incident.flapping},
                   {"told", incident.told},
                   {"escalations", incident.escalations},
                   {"waits_for_somebody", incident.waits_for_somebody},
                   {"last_digest", incident.last_digest},
                   {"evidence", std::move(evidence)},
                   {"runbook", incident.runbook},
                   {"runbook_step", incident.runbook_step},
                   {"runs", times_json(incident.runs)},
                   {"ended_by", incident.ended_by},
                   {"timeline", std::move(timeline)},
                   {"moments_dropped", incident.moments_dropped}};
  if (incident.resolved) out["resolved"] = to_unix_us(*incident.resolved);
  if (incident.first_acked) out["first_acked"] = to_unix_us(*incident.first_acked);
  return out;
}

Incident incident_from_json(const json::object& state) {
  const json::value from(state);
  Incident out;
  const auto count = [&](std::string_view path) {
    return static_cast<std::size_t>(
        std::max<std::int64_t>(0, find_integer(from, path).value_or(0)));
  };
  out.number = static_cast<int>(count("number"));
  const auto phase = text_in(from, "phase");
  for (const auto one : {Phase::firing, Phase::resolved, Phase::closed}) {
    if (phase == to_text(one)) out.phase = one;
  }
  out.title = text_in(from, "title");
  out.nature = text_in(from, "nature");
  out.shared = labels_in(from, "shared");
  if (const auto* alerts = state.if_contains("alerts"); alerts != nullptr && alerts->is_object()) {
    for (const auto& [key, value] : alerts->get_object()) out.alerts[key] = known_from(value);
  }
  out.truncated = count("truncated");
  out.dropped = count("dropped");
  out.opened = time_in(from, "opened").value_or(TimePoint{});
  out.resolved = time_in(from, "resolved");
  out.acked_by = text_in(from, "acked_by");
  out.first_acked_by = text_in(from, "first_acked_by");
  out.first_acked = time_in(from, "first_acked");
  out.notes = lines_in(from, "notes");
  out.flips = times_in(from, "flips");
  out.flapping = find_bool(from, "flapping").value_or(false);
  out.told = find_bool(from, "told").value_or(false);
  out.escalations = static_cast<int>(count("escalations"));
  out.waits_for_somebody = find_bool(from, "waits_for_somebody").value_or(false);
  out.last_digest = text_in(from, "last_digest");
  out.evidence = lines_in(from, "evidence");
  out.runbook = text_in(from, "runbook");
  out.runbook_step = text_in(from, "runbook_step");
  out.runs = times_in(from, "runs");
  out.ended_by = text_in(from, "ended_by");
  if (const auto* list = find_path(from, "timeline"); list != nullptr && list->is_array()) {
    for (const auto& entry : list->get_array()) {
      out.timeline.push_back({time_in(entry, "at").value_or(TimePoint{}), text_in(entry, "text")});
    }
  }
  out.moments_dropped = count("moments_dropped");
  return out;
}

Change take(Incident& incident, const Alert& alert, TimePoint now) {
  auto found = incident.alerts.find(alert.fingerprint);
  const bool fires = alert.status != Status::resolved;
  if (found == incident.alerts.end()) {
    if (!make_room(incident)) {
      ++incident.dropped;
      return Change::nothing;
    }
    Known known;
    known.status = fires ? Status::firing : Status::resolved;
    known.starts = alert.starts;
    known.since = now;
    describe(known, alert);
    incident.alerts.emplace(alert.fingerprint, std::move(known));
    if (alert.status == Status::acknowledged) return Change::acknowledged;
    // One that resolved before we heard of it is kept, so that a late word of its firing is known.
    return fires ? Change::fired : Change::nothing;
  }
  auto& known = found->second;
  const bool fired = known.status == Status::firing;
  if (fires && !fired) {
    const auto waited = now > known.since ? now - known.since : known.since - now;
    if (alert.starts && alert.starts == known.starts && waited < out_of_order) return Change::late;
  }
  describe(known, alert);
  if (alert.starts) known.starts = alert.starts;
  if (fires == fired) {
    return alert.status == Status::acknowledged ? Change::acknowledged : Change::nothing;
  }
  known.status = fires ? Status::firing : Status::resolved;
  known.since = now;
  if (alert.status == Status::acknowledged) return Change::acknowledged;
  return fires ? Change::fired : Change::resolved;
}

}  // namespace vigil::entities::ops
