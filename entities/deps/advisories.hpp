#pragma once
// Security advisories in the OSV form: reading them, and the question which of them a version of a
// package falls under. Pure; any thread. Texts come from outside: everything read is bounded.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::deps {

using codebase::Severity;

enum class Ends { never, before, after };  // at no version; at the fix; at the last one affected

// Versions from `from` on ("0": from the first one) up to `to`.
struct Interval {
  std::string from;
  std::string to;
  Ends ends = Ends::never;
};

struct Affected {
  std::string ecosystem;  // npm, Debian:12
  std::string name;
  std::vector<Interval> intervals;
  std::vector<std::string> versions;  // listed one by one
};

constexpr std::size_t summary_bytes_max = 160;

struct Advisory {
  std::string id;
  std::vector<std::string> aliases;
  std::string summary;               // one line
  std::optional<Severity> severity;  // when the advisory says one
  bool withdrawn = false;
  std::vector<Affected> affected;
};

// One advisory; an error says what is missing. Ranges of commits are left out: lock files have
// none.
Result<Advisory> read_advisory(const json::value& value);
// One advisory, a list of them, or an object with `vulns`: each is given to `take`.
Result<void> read_advisories(const json::value& value, auto take);

// Whether the version lies in an interval. A text without any digit is no version: in none.
bool covers(std::string_view ecosystem, const Interval& interval, std::string_view version);
bool affects(const Affected& affected, std::string_view version);

// The base score of "CVSS:3.1/AV:N/..." (3.0 and 3.1), and its name. Others: nothing.
std::optional<double> cvss_score(std::string_view vector);
Severity severity_of_score(double score);

Result<void> read_advisories(const json::value& value, auto take) {
  const auto* list = value.if_array();
  if (list == nullptr) {
    const auto* object = value.if_object();
    const auto* vulns = object == nullptr ? nullptr : object->if_contains("vulns");
    list = vulns == nullptr ? nullptr : vulns->if_array();
  }
  if (list == nullptr) {
    auto one = read_advisory(value);
    if (!one) return std::unexpected(one.error());
    take(std::move(*one));
    return {};
  }
  for (const auto& item : *list) {
    auto one = read_advisory(item);
    if (!one) return std::unexpected(one.error());
    take(std::move(*one));
  }
  return {};
}

}  // namespace vigil::entities::deps
