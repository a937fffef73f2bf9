#include "entities/ops/recall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

constexpr int facts_max = 200;
constexpr std::size_t related_max = 8;
constexpr std::size_t changes_max = 6;
constexpr Duration changes_of = 24h;
constexpr std::size_t line_bytes_max = 300;

std::string text_of(const json::value& from, std::string_view name) {
  return std::string(find_text(from, name).value_or(""));
}

std::string before(TimePoint at, TimePoint now) {
  const auto ago = std::chrono::floor<std::chrono::seconds>(now - at);
  return ago < 1s ? "just before" : vigil::to_text(ago) + " before";
}

void add_alike(std::vector<std::string>& out, const Incident& incident,
               const Recollection& memory) {
  const auto like = memory.fact("like:" + incident.nature);
  if (!like) return;
  const auto& of = like->value;
  auto line = fmt::format("last one like it: {} at {}, ended by {} after {}", text_of(of, "title"),
                          text_of(of, "at"), text_of(of, "ended_by"), text_of(of, "lasted"));
  if (const auto times = find_integer(of, "times").value_or(1); times > 1) {
    line += fmt::format("; it was number {}", times);
  }
  if (const auto helped = text_of(of, "helped"); !helped.empty()) line += "; helped: " + helped;
  if (const auto key = text_of(of, "document"); !key.empty()) line += " (" + key + ")";
  out.push_back(std::move(line));
}

void add_open(std::vector<std::string>& out, const std::string& case_key,
              const Recollection& memory) {
  std::size_t more = 0;
  std::size_t told = 0;
  for (const auto& fact : memory.facts(std::string(open_prefix), facts_max)) {
    if (fact.key == std::string(open_prefix) + case_key) continue;
    if (told >= related_max) {
      ++more;
      continue;
    }
    ++told;
    out.push_back(fmt::format("also open: {} [{}] since {}", text_of(fact.value, "title"),
                              text_of(fact.value, "severity"), text_of(fact.value, "since")));
  }
  if (more > 0) out.push_back(fmt::format("also open: {} more", more));
}

struct Change {
  TimePoint at;
  bool here = false;  // of the same service
  std::string text;
};

// A label's value that is a word of the change: what was deployed is what is down.
bool concerns(const Incident& incident, const json::value& change) {
  const auto about = text_of(change, "about");
  if (about.empty()) return false;
  return std::ranges::any_of(incident.shared, [&](const auto& label) {
    const auto& [name, value] = label;
    const bool names_it = name == "service" || name == "job" || name == "app" || name == "unit" ||
                          name == "namespace" || name == "project" || name == "deployment";
    return names_it &&
           (value == about || about.ends_with("/" + value) || value == about + ".service");
  });
}

void add_changes(std::vector<std::string>& out, const Incident& incident,
                 const Recollection& memory, TimePoint now) {
  std::vector<Change> changes;
  for (const auto& fact : memory.facts(std::string(change_prefix), facts_max)) {
    const auto at = parse_rfc3339(text_of(fact.value, "at"));
    if (!at || *at < now - changes_of || *at > now + 1min) continue;
    changes.push_back({*at, concerns(incident, fact.value), text_of(fact.value, "text")});
  }
  std::ranges::sort(changes, [](const auto& a, const auto& b) {
    return a.here != b.here ? a.here : a.at > b.at;
  });
  for (std::size_t i = 0; i < changes.size() && i < changes_max; ++i) {
    const auto& one = changes[i];
    out.push_back(
        fmt::format("changed{}: {}, {}", one.here ? " here" : "", one.text, before(one.at, now)));
  }
}

}  // namespace

std::vector<std::string> recalled(const Incident& incident, const std::string& case_key,
                                  const Recollection& memory, TimePoint now) {
  std::vector<std::string> out;
  add_alike(out, incident, memory);
  add_changes(out, incident, memory, now);
  add_open(out, case_key, memory);
  for (auto& line : out) line = plain(line, line_bytes_max);
  return out;
}

std::string what_ended(const Incident& incident) {
  return incident.ended_by.empty() ? "itself" : incident.ended_by;
}

Fact like_fact(const Incident& incident, const std::string& case_key, const Recollection& memory,
               const std::string& document) {
  const auto key = "like:" + incident.nature;
  const auto last = memory.fact(key);
  const auto times = last ? find_integer(last->value, "times").value_or(1) + 1 : 1;
  const auto end = incident.resolved.value_or(incident.opened);
  json::object value{{"title", incident.title},
                     {"case", case_key},
                     {"at", to_rfc3339(incident.opened)},
                     {"lasted", vigil::to_text(std::max(Duration{0}, end - incident.opened))},
                     {"ended_by", what_ended(incident)},
                     {"times", times},
                     {"document", document}};
  // What helped last time is worth more than that this one went away by itself.
  auto helped = incident.notes.empty() ? std::string() : incident.notes.back();
  if (incident.ended_by.starts_with("runbook ")) helped = incident.ended_by;
  if (helped.empty() && last) helped = text_of(last->value, "helped");
  if (!helped.empty()) value["helped"] = helped;
  return {key, std::move(value), 1.0, case_key};
}

}  // namespace vigil::entities::ops
