#pragma once
// What a Surveyor is made of; for its own sources.
#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "entities/logs/miner.hpp"
#include "entities/logs/survey.hpp"

namespace vigil::entities::logs {

constexpr std::size_t stretches_max = 500;

// Of each message, since the first one.
using Seconds = std::vector<std::int32_t>;
// By stretch, the latest first.
using Counts = std::vector<std::uint32_t>;

struct Told {
  std::string example;
  Severity severity = Severity::other;
  Seconds seconds;
  Counts kept;            // by an earlier run
  bool is_known = false;  // to an earlier run
};

struct Surveyor::State {
  void finish();  // once all lines are taken: what stretches there are
  void note_time(const Record& record);
  void note_kind(const Record& record, std::int32_t second);
  // By stretch, the latest first: of the log, and before it of what was kept.
  Counts counts_of(const Seconds& seconds, const Counts& kept) const;
  Kind kind_of(const Template& of, const Told& told) const;

  Duration stretch;
  TimePoint now;
  Miner miner = Miner();
  std::unordered_map<std::uint64_t, Told> told = {};  // by template
  std::array<Seconds, severities> by_severity = {};
  std::optional<TimePoint> origin = {};
  TimePoint last = {};  // a line without a time is of the time of the one before
  Survey out = {};
  // What an earlier run knew: its stretches, the latest of which is `kept_shift` before ours.
  std::optional<TimePoint> kept_end = {};
  std::size_t kept_stretches = 0;
  std::size_t kept_shift = 0;
  std::array<Counts, severities> kept_by_severity = {};
  std::size_t own_stretches = 0;  // whole ones of the log itself
};

// Adds by stretch; the result is as long as the longer.
inline void add_counts(std::vector<std::uint32_t>& to, const std::vector<std::uint32_t>& more) {
  to.resize(std::max(to.size(), more.size()));
  for (std::size_t at = 0; at < more.size(); ++at) to[at] += more[at];
}

}  // namespace vigil::entities::logs
