#pragma once
// Logs whose every line is known to be of some event, and how well a grouping of them agrees: a
// line counts when its group holds exactly the lines of its event. Read by a bench and by tests.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "entities/logs/line.hpp"
#include "entities/logs/miner.hpp"
#include "entities/logs/record.hpp"

namespace vigil::bench {

struct LogSet {
  std::string_view name;
  double drain;  // its published grouping accuracy
};
constexpr LogSet log_sets[] = {
    {"HDFS", .998},    {"Hadoop", .948},    {"Spark", .920},     {"Zookeeper", .967},
    {"BGL", .963},     {"HPC", .887},       {"OpenStack", .733}, {"Thunderbird", .955},
    {"Windows", .997}, {"Linux", .690},     {"Mac", .787},       {"Android", .911},
    {"OpenSSH", .788}, {"HealthApp", .780}, {"Apache", 1.0},     {"Proxifier", .527}};

inline std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> out(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && is_quoted && i + 1 < line.size() && line[i + 1] == '"') {
      out.back() += line[++i];
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      out.emplace_back();
    } else if (c != '\r') {
      out.back() += c;
    }
  }
  return out;
}

inline std::string one_blank(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// "Accepted <*> from <*>"
inline bool fits_template(std::string_view pattern, std::string_view text) {
  auto hole = pattern.find("<*>");
  if (!text.starts_with(pattern.substr(0, hole))) return false;
  if (hole == std::string_view::npos) return pattern.size() == text.size();
  text.remove_prefix(hole);
  while (true) {
    pattern.remove_prefix(hole + 3);
    hole = pattern.find("<*>");
    const auto part = pattern.substr(0, hole);
    if (hole == std::string_view::npos) return text.ends_with(part);
    const auto found = text.find(part);
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + part.size());
    pattern.remove_prefix(hole);
    hole = 0;
  }
}

struct LabelledLog {
  std::vector<std::string> lines;
  std::vector<std::string> events;  // of each line
};

// The event of each line where the set says it, else that of the fullest template which fits.
inline LabelledLog read_log_set(const std::filesystem::path& folder, std::string_view name) {
  const auto path = [&](std::string_view end) {
    return folder / (std::string(name) + "_2k." + std::string(end));
  };
  LabelledLog out;
  std::string line;
  for (std::ifstream file(path("log")); std::getline(file, line);) out.lines.push_back(line);
  std::ifstream labelled(path("structured.csv"));
  if (std::getline(labelled, line)) {
    const auto head = csv_fields(line);
    const auto event =
        static_cast<std::size_t>(std::find(head.begin(), head.end(), "EventId") - head.begin());
    while (std::getline(labelled, line)) out.events.push_back(csv_fields(line).at(event));
    return out;
  }
  std::vector<std::string> patterns;
  std::ifstream file(path("templates.csv"));
  std::getline(file, line);
  while (std::getline(file, line)) patterns.push_back(one_blank(csv_fields(line).at(1)));
  for (const auto& one : out.lines) {
    const auto text = one_blank(entities::logs::read_line(one, TimePoint{}).content);
    std::string best = "? " + text;
    std::ptrdiff_t fullest = -1;
    for (const auto& pattern : patterns) {
      std::ptrdiff_t full = std::ssize(pattern) + 1;
      for (auto at = pattern.find("<*>"); at != std::string::npos;
           at = pattern.find("<*>", at + 3)) {
        full -= 3;
      }
      if (full <= fullest || !fits_template(pattern, text)) continue;
      fullest = full;
      best = pattern;
    }
    out.events.push_back(best);
  }
  return out;
}

// What the miner made of the records, as ops.logs reads them, in one pass: the template of each at
// the end.
inline std::vector<std::uint64_t> mined_groups(const std::vector<std::string>& lines) {
  entities::logs::Miner miner;
  std::unordered_map<std::uint64_t, std::uint64_t> now;
  std::vector<std::uint64_t> out;
  for (const auto& line : lines) {
    const auto record = entities::logs::read_record(line, TimePoint{});
    const auto seen = miner.observe(record ? record->message : line);
    for (const auto id : seen.absorbed) now[id] = seen.id;
    out.push_back(seen.id);
  }
  for (auto& id : out) {
    for (auto found = now.find(id); found != now.end(); found = now.find(id)) id = found->second;
  }
  return out;
}

inline double grouping_accuracy(const std::vector<std::uint64_t>& groups,
                                const std::vector<std::string>& events) {
  std::map<std::string, std::vector<std::size_t>> lines_of_event;
  std::map<std::uint64_t, std::vector<std::size_t>> lines_of_group;
  for (std::size_t i = 0; i < events.size(); ++i) {
    lines_of_event[events[i]].push_back(i);
    lines_of_group[groups.at(i)].push_back(i);
  }
  std::size_t right = 0;
  for (const auto& [group, lines] : lines_of_group) {
    if (lines_of_event.at(events[lines.front()]) == lines) right += lines.size();
  }
  return events.empty() ? 0 : static_cast<double>(right) / static_cast<double>(events.size());
}

}  // namespace vigil::bench
