#include "bench/nab.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>

#include "bench/figure.hpp"
#include "bench/nab_score.hpp"
#include "core/json.hpp"
#include "entities/series/detector.hpp"
#include "entities/series/rows.hpp"

namespace vigil::bench {
namespace {

namespace fs = std::filesystem;
using Windows = std::map<std::string, std::vector<std::pair<TimePoint, TimePoint>>>;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

// "2014-04-10 07:15:00.000000"
TimePoint time_of(std::string text) {
  text.resize(19, '0');
  text[10] = 'T';
  return parse_rfc3339(text + "Z").value();
}

Windows read_windows(const fs::path& path) {
  Windows out;
  const auto all = parse_json(text_of(path)).value();
  for (const auto& [name, list] : all.as_object()) {
    auto& windows = out[std::string(name)];
    for (const auto& one : list.as_array()) {
      windows.emplace_back(time_of(std::string(one.at(0).as_string())),
                           time_of(std::string(one.at(1).as_string())));
    }
  }
  return out;
}

std::vector<NabWindow> rows_of(const std::vector<std::pair<TimePoint, TimePoint>>& windows,
                               const std::vector<entities::series::Point>& points) {
  std::vector<NabWindow> out;
  for (const auto& [first, last] : windows) {
    NabWindow rows{points.size(), 0};
    for (std::size_t row = 0; row < points.size(); ++row) {
      if (points[row].at == first && rows.first == points.size()) rows.first = row;
      if (points[row].at == last) rows.second = row;
    }
    out.push_back(rows);
  }
  return out;
}

std::vector<std::string> fields_of(const std::string& line, char separator) {
  std::vector<std::string> out;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, separator);) out.push_back(field);
  return out;
}

double number_in(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::size_t> detections_in(const fs::path& results, double threshold) {
  std::ifstream file(results);
  std::string line;
  std::getline(file, line);
  std::vector<std::size_t> out;
  for (std::size_t row = 0; std::getline(file, line); ++row) {
    if (number_in(fields_of(line, ',').at(2)) >= threshold) out.push_back(row);
  }
  return out;
}

// Published detections must get their published scores.
void check_scorer(const fs::path& directory, const Windows& windows) {
  std::ifstream table(directory / "scoring-check/expected.tsv");
  std::string line;
  std::getline(table, line);
  int all = 0;
  int equal = 0;
  while (std::getline(table, line)) {
    const auto fields = fields_of(line, '\t');
    const auto series = entities::series::parse_rows(text_of(directory / "data" / fields.at(1)));
    const auto found =
        detections_in(directory / "scoring-check" / fields[0] / fields[1], number_in(fields.at(3)));
    for (const auto& profile : nab_profiles) {
      if (fields[2] != profile.name) continue;
      const auto raw =
          nab_raw_score(found, series->size(), rows_of(windows.at(fields[1]), *series), profile);
      ++all;
      equal += std::abs(raw - number_in(fields.at(4))) < 1e-6 ? 1 : 0;
    }
  }
  Figure figure;
  figure.bench = "nab";
  figure.metric = "raw scores of published detections that the scorer gives, too";
  figure.value = equal;
  figure.unit = "scores";
  figure.beside = {{"published", all}};
  figure.aim = "all";
  figure.met = all > 0 && equal == all;
  print(figure);
}

struct Sums {
  std::array<double, std::size(nab_profiles)> raw{};
  std::size_t windows = 0;
  std::size_t points = 0;
  std::size_t alarms = 0;
  double us = 0;
};

void add(Sums& sums, const std::vector<entities::series::Point>& points,
         const std::vector<NabWindow>& windows) {
  entities::series::Detector detector;
  std::vector<std::size_t> alarms;
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t row = 0; row < points.size(); ++row) {
    if (detector.observe(points[row].at, points[row].value).is_anomaly) alarms.push_back(row);
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  sums.us += std::chrono::duration<double, std::micro>(took).count();
  sums.points += points.size();
  sums.windows += windows.size();
  sums.alarms += alarms.size();
  for (std::size_t at = 0; at < std::size(nab_profiles); ++at) {
    sums.raw[at] += nab_raw_score(alarms, points.size(), windows, nab_profiles[at]);
  }
}

// The best three of the board of these files, and the one everybody knows.
json::object board_of(const fs::path& path, std::size_t profile) {
  std::ifstream table(path);
  std::string line;
  std::getline(table, line);
  json::object out;
  while (std::getline(table, line)) {
    const auto fields = fields_of(line, '\t');
    const bool is_known = fields.at(0) == "windowedGaussian";
    if (out.size() < 3 || is_known) out[fields[0]] = number_in(fields.at(1 + profile));
  }
  return out;
}

}  // namespace

void run_nab(Pace, const std::string& given) {
  const fs::path directory(given);
  if (!fs::exists(directory / "windows.json")) {
    fmt::print(stderr, "skipped: {} holds no windows.json\n", given);
    return;
  }
  const auto windows = read_windows(directory / "windows.json");
  check_scorer(directory, windows);
  Sums sums;
  for (const auto& [name, of_series] : windows) {
    const auto points = entities::series::parse_rows(text_of(directory / "data" / name));
    if (!points) throw std::runtime_error(name + ": " + points.error().message);
    add(sums, *points, rows_of(of_series, *points));
  }
  for (std::size_t at = 0; at < std::size(nab_profiles); ++at) {
    Figure figure;
    figure.bench = "nab";
    figure.metric = fmt::format("{} series, {} windows, profile {}", windows.size(), sums.windows,
                                nab_profiles[at].name);
    figure.value = nab_score(sums.raw[at], sums.windows, nab_profiles[at]);
    figure.unit = "of 100";
    figure.beside = board_of(directory / "scoreboard-of-this-part.tsv", at);
    figure.beside["alarms"] = sums.alarms;
    figure.beside["us_a_point"] = sums.us / static_cast<double>(sums.points);
    if (at == 0) {
      figure.aim = "> 70.4, < 20 us a point";
      figure.met = figure.value > 70.4 && sums.us / static_cast<double>(sums.points) < 20;
    }
    print(figure);
  }
}

}  // namespace vigil::bench
