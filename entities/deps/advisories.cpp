#include "entities/deps/advisories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/deps/lockfile.hpp"
#include "entities/deps/version.hpp"

namespace vigil::entities::deps {
namespace {

enum class Kind { introduced, last_affected, fixed };

struct Event {
  std::string_view version;
  Kind kind;
};

std::string_view text_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr || !value->is_string() ? std::string_view()
                                                 : std::string_view(value->get_string());
}

const json::array* list_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

std::vector<std::string> texts_in(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  if (const auto* list = list_in(object, key)) {
    for (const auto& item : *list) {
      if (item.is_string()) texts.emplace_back(std::string_view(item.get_string()));
    }
  }
  return texts;
}

std::vector<Event> events_of(const json::object& range) {
  std::vector<Event> events;
  const auto* list = list_in(range, "events");
  if (list == nullptr) return events;
  for (const auto& item : *list) {
    const auto* event = item.if_object();
    if (event == nullptr) continue;
    const auto add = [&](std::string_view key, Kind kind) {
      const auto version = text_in(*event, key);
      if (!version.empty()) events.push_back({version, kind});
    };
    add("introduced", Kind::introduced);
    add("fixed", Kind::fixed);
    add("limit", Kind::fixed);
    add("last_affected", Kind::last_affected);
  }
  return events;
}

// In the order of versions each introduction opens an interval, and the next end closes it.
void add_intervals(std::string_view ecosystem, std::vector<Event> events,
                   std::vector<Interval>& intervals) {
  const auto scheme = scheme_of(ecosystem);
  const auto before = [&](const Event& a, const Event& b) {
    const bool first_a = a.version == "0";
    const bool first_b = b.version == "0";
    if (first_a || first_b) return first_a && !first_b;
    const auto order = compare_versions(scheme, a.version, b.version);
    return order < 0 || (order == 0 && a.kind < b.kind);
  };
  sort_versions(events, before);
  bool open = false;
  std::string_view again;  // introduced where the interval before it ends
  for (const auto& [version, kind] : events) {
    if (kind == Kind::introduced) {
      again = open ? version : std::string_view();
      if (!open) intervals.push_back({std::string(version), {}, Ends::never});
      open = true;
    } else if (open) {
      intervals.back().to = version;
      intervals.back().ends = kind == Kind::fixed ? Ends::before : Ends::after;
      open = !again.empty() && compare_versions(scheme, again, version) == 0;
      if (open) intervals.push_back({std::string(again), {}, Ends::never});
      again = {};
    }
  }
}

std::optional<Affected> read_affected(const json::value& value) {
  const auto* object = value.if_object();
  const auto* package = object == nullptr ? nullptr : object->if_contains("package");
  if (package == nullptr || !package->is_object()) return std::nullopt;  // commits alone
  Affected affected;
  affected.ecosystem = text_in(package->get_object(), "ecosystem");
  affected.name = normal_name(affected.ecosystem, text_in(package->get_object(), "name"));
  if (affected.ecosystem.empty() || affected.name.empty()) return std::nullopt;
  if (const auto* ranges = list_in(*object, "ranges")) {
    for (const auto& item : *ranges) {
      const auto* range = item.if_object();
      if (range == nullptr || text_in(*range, "type") == "GIT") continue;
      add_intervals(affected.ecosystem, events_of(*range), affected.intervals);
    }
  }
  affected.versions = texts_in(*object, "versions");
  return affected;
}

std::optional<Severity> severity_by_score(const json::object& object) {
  std::optional<Severity> worst;
  if (const auto* list = list_in(object, "severity")) {
    for (const auto& item : *list) {
      const auto* entry = item.if_object();
      if (entry == nullptr) continue;
      const auto score = cvss_score(text_in(*entry, "score"));
      if (score && (!worst || severity_of_score(*score) > *worst)) {
        worst = severity_of_score(*score);
      }
    }
  }
  return worst;
}

std::optional<Severity> severity_by_word(const json::object& object) {
  const auto* specific = object.if_contains("database_specific");
  if (specific == nullptr || !specific->is_object()) return std::nullopt;
  const auto word = text_in(specific->get_object(), "severity");
  if (word == "CRITICAL") return Severity::critical;
  if (word == "HIGH") return Severity::high;
  if (word == "MODERATE" || word == "MEDIUM") return Severity::medium;
  if (word == "LOW") return Severity::low;
  return std::nullopt;
}

}  // namespace

Result<Advisory> read_advisory(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return fail(ErrorCode::invalid_input, "an advisory is no JSON object");
  Advisory advisory;
  advisory.id = codebase::one_line(text_in(*object, "id"));
  if (advisory.id.empty()) {
    return fail(ErrorCode::invalid_input, "an advisory without an id: expected the OSV form");
  }
  advisory.withdrawn = !text_in(*object, "withdrawn").empty();
  advisory.aliases = texts_in(*object, "aliases");
  auto summary = text_in(*object, "summary");
  if (summary.empty()) summary = text_in(*object, "details");
  advisory.summary = codebase::one_line(summary, summary_bytes_max);
  advisory.severity = severity_by_word(*object);
  if (!advisory.severity) advisory.severity = severity_by_score(*object);
  const auto* affected = list_in(*object, "affected");
  if (affected == nullptr) return advisory;
  for (const auto& item : *affected) {
    if (auto one = read_affected(item)) advisory.affected.push_back(std::move(*one));
    if (!advisory.severity && item.is_object()) {
      advisory.severity = severity_by_score(item.get_object());
    }
  }
  return advisory;
}

bool covers(std::string_view ecosystem, const Interval& interval, std::string_view version) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (std::ranges::none_of(version, is_digit)) return false;
  const auto scheme = scheme_of(ecosystem);
  if (interval.from != "0" && compare_versions(scheme, version, interval.from) < 0) return false;
  if (interval.ends == Ends::never) return true;
  const auto order = compare_versions(scheme, version, interval.to);
  return interval.ends == Ends::before ? order < 0 : order <= 0;
}

bool affects(const Affected& affected, std::string_view version) {
  const auto scheme = scheme_of(affected.ecosystem);
  const auto is_it = [&](const std::string& listed) {
    return listed == version || compare_versions(scheme, listed, version) == 0;
  };
  return std::ranges::any_of(affected.intervals,
                             [&](const Interval& interval) {
                               return covers(affected.ecosystem, interval, version);
                             }) ||
         std::ranges::any_of(affected.versions, is_it);
}

}  // namespace vigil::entities::deps
