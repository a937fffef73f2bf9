#pragma once
// Lines of services of which it is known whether they are an attack, by whom and when. Read by a
// bench and by tests.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "entities/logs/attack.hpp"

namespace vigil::bench {

struct LabelledLine {
  std::string file;
  std::size_t number = 0;
  std::string line;
  bool is_attack = false;
  std::string host;
  std::string time;  // of Zurich: 2005-02-25T14:34:10
};

inline std::vector<std::string> tab_fields(std::string_view line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == '\t') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

inline std::vector<LabelledLine> read_attack_lines(const std::filesystem::path& folder) {
  std::map<std::string, std::vector<std::string>> files;
  std::vector<LabelledLine> out;
  std::ifstream table(folder / "expected.tsv");
  std::string row;
  std::getline(table, row);
  while (std::getline(table, row)) {
    const auto fields = tab_fields(row);
    auto& lines = files[fields.at(0)];
    if (lines.empty()) {
      std::ifstream log(folder / fields[0]);
      for (std::string line; std::getline(log, line);) lines.push_back(line);
    }
    const auto number = static_cast<std::size_t>(std::stoul(fields.at(1)));
    out.push_back({fields[0], number, lines.at(number - 1), fields.at(2) == "attack", fields.at(3),
                   fields.at(4).substr(0, 19)});
  }
  // In the order of the files, since a session goes over lines.
  std::ranges::sort(out, [](const LabelledLine& a, const LabelledLine& b) {
    return a.file != b.file ? a.file < b.file : a.number < b.number;
  });
  return out;
}

// Lines without a year are of the year before this day, as in the tests they come from.
inline const TimePoint attacks_now = parse_rfc3339("2005-08-14T12:00:00Z").value();

// Summer time from the last Sunday of March to that of October, at one o'clock UTC.
inline TimePoint zurich_of(TimePoint utc) {
  using namespace std::chrono;
  const auto year = year_month_day(floor<days>(utc)).year();
  const auto begin = sys_days(year / March / Sunday[last]) + hours{1};
  const auto end = sys_days(year / October / Sunday[last]) + hours{1};
  return utc + (utc >= begin && utc < end ? hours{2} : hours{1});
}

inline std::string local_time_of(const entities::logs::LineTime& time) {
  const bool is_local = time.zone == entities::logs::ZoneIs::unknown;
  return to_rfc3339(is_local ? time.at : zurich_of(time.at)).substr(0, 19);
}

// The name our rules have for the service whose file it is.
inline std::string_view service_of(std::string_view file) {
  constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"courier-auth.log", "courier"},      {"domino-smtp.log", "domino"},
      {"drupal-auth.log", "drupal"},        {"ejabberd-auth.log", "ejabberd"},
      {"haproxy-http-auth.log", "haproxy"}, {"mongodb-auth.log", "mongodb"},
      {"mssql-auth.log", "mssql"},          {"mysqld-auth.log", "mysqld"},
      {"named-refused.log", "named"},       {"recidive.log", "fail2ban"},
      {"roundcube-auth.log", "roundcube"},  {"selinux-ssh.log", "selinux"},
      {"sendmail-auth.log", "sendmail"},    {"sendmail-reject.log", "sendmail"},
      {"uwimap-auth.log", "uwimap"}};
  for (const auto& [name, service] : names) {
    if (file == name) return service;
  }
  return file.substr(0, file.size() - 4);
}

enum class Told { service, nothing };  // what the finder is told of a file

struct Agreement {
  std::size_t lines = 0;
  std::size_t verdict = 0;  // as many are called an attack or none, rightly
  std::size_t attacks = 0;  // found, of those there are
  std::size_t hosts = 0;    // and of them, with the right host
  std::size_t times = 0;    // and of them, with the right time
  std::size_t timed = 0;    // of which the time is known
  std::size_t wrong_hosts = 0;
  std::size_t false_alarms = 0;
  std::vector<std::string> differences;
};

inline std::map<std::string, Agreement> agreement_on(const std::vector<LabelledLine>& all,
                                                     Told told) {
  std::map<std::string, Agreement> out;
  std::map<std::string, entities::logs::AttackFinder> finders;
  for (const auto& one : all) {
    auto& finder = finders
                       .try_emplace(one.file, told == Told::service ? service_of(one.file)
                                                                    : std::string_view())
                       .first->second;
    auto& sum = out[one.file];
    const auto found = finder.observe(one.line, attacks_now);
    ++sum.lines;
    const bool is_right = found.has_value() == one.is_attack;
    sum.verdict += is_right ? 1 : 0;
    sum.false_alarms += found && !one.is_attack ? 1 : 0;
    const auto host = found ? found->host : std::string();
    const bool is_host_right = found && host == one.host;
    if (!is_right || (found && !is_host_right)) {
      sum.differences.push_back((one.is_attack ? "attack " : "none ") + one.host + " | ours " +
                                (found ? host : "none") + " | " + one.line.substr(0, 200));
    }
    if (!found || !one.is_attack) continue;
    ++sum.attacks;
    sum.hosts += is_host_right ? 1 : 0;
    sum.wrong_hosts += is_host_right ? 0 : 1;
    if (one.time.empty()) continue;
    ++sum.timed;
    sum.times += found->time && local_time_of(*found->time) == one.time ? 1 : 0;
    if (!found->time || local_time_of(*found->time) != one.time) {
      sum.differences.push_back("time " + one.time + " | ours " +
                                (found->time ? local_time_of(*found->time) : "none") + " | " +
                                one.line.substr(0, 100));
    }
  }
  return out;
}

}  // namespace vigil::bench
