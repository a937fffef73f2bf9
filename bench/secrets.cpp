#include "bench/secrets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "bench/figure.hpp"
#include "core/json.hpp"
#include "entities/codebase/secret_vectors.hpp"
#include "entities/codebase/secrets.hpp"

namespace vigil::bench {
namespace {

using entities::codebase::Label;
using entities::codebase::Part;
using entities::codebase::SecretVector;

constexpr double least = 0.98;

struct Tally {
  int hits = 0;
  int misses = 0;
  int false_alarms = 0;
  int rightly_quiet = 0;

  void add(Label label, bool found) {
    if (label == Label::secret) {
      ++(found ? hits : misses);
    } else {
      ++(found ? false_alarms : rightly_quiet);
    }
  }
  double recall() const { return share(hits, hits + misses); }
  double precision() const { return share(hits, hits + false_alarms); }
  double false_alarm_rate() const { return share(false_alarms, false_alarms + rightly_quiet); }

 private:
  static double share(int part, int whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / whole;
  }
};

// What scanners without rules do: a long run of letters that is too mixed for words.
bool is_mixed(const std::string& line) {
  std::size_t start = 0;
  for (std::size_t at = 0; at <= line.size(); ++at) {
    const bool inside = at < line.size() &&
                        (std::isalnum(static_cast<unsigned char>(line[at])) || line[at] == '+' ||
                         line[at] == '/' || line[at] == '_' || line[at] == '-');
    if (inside) continue;
    const auto run = std::string_view(line).substr(start, at - start);
    start = at + 1;
    if (run.size() < 20) continue;
    const bool hex = run.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    if (entities::codebase::entropy_of(run) > (hex ? 3.0 : 4.5)) return true;
  }
  return false;
}

void tell(std::string metric, double value, double baseline, const Tally& counts, bool has_aim) {
  Figure figure;
  figure.bench = "secrets";
  figure.metric = std::move(metric);
  figure.value = value;
  figure.unit = "share";
  figure.beside = json::object{{"entropy_alone", baseline},
                               {"secrets", counts.hits + counts.misses},
                               {"look_alikes", counts.false_alarms + counts.rightly_quiet}};
  if (has_aim) {
    figure.aim = fmt::format("value >= {}", least);
    figure.met = value >= least;
  }
  print(figure);
}

void tell_by_kind(const std::map<std::string, Tally>& kinds) {
  for (const auto& [kind, counts] : kinds) {
    const bool secret = counts.hits + counts.misses > 0;
    Figure figure;
    figure.bench = "secrets";
    figure.metric = fmt::format("{}_of_{}", secret ? "recall" : "false_alarms", kind);
    figure.value = secret ? counts.recall() : counts.false_alarm_rate();
    figure.unit = "share";
    figure.beside = json::object{
        {"lines", counts.hits + counts.misses + counts.false_alarms + counts.rightly_quiet}};
    print(figure);
  }
}

void tell_speed(const std::vector<SecretVector>& vectors, Pace pace) {
  // Mostly lines without anything, as source is.
  std::vector<std::pair<std::string, std::string>> lines;
  for (std::size_t i = 0; i < 200; ++i) {
    const auto& one = vectors[i * 37 % vectors.size()];
    lines.emplace_back(one.line, one.path);
    for (int more = 0; more < 50; ++more) {
      lines.emplace_back(fmt::format("  const auto value{} = compute(index + {}, limit);", more, i),
                         "src/a.cpp");
    }
  }
  const auto until = pace == Pace::quick ? std::chrono::seconds{1} : std::chrono::seconds{5};
  const auto began = std::chrono::steady_clock::now();
  std::size_t bytes = 0;
  std::size_t found = 0;
  while (std::chrono::steady_clock::now() - began < until) {
    for (const auto& [line, path] : lines) {
      bytes += line.size() + 1;
      found += entities::codebase::secrets_in_line(line, path).size();
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  Figure figure;
  figure.bench = "secrets";
  figure.metric = "speed";
  figure.value = static_cast<double>(bytes) / 1e6 / took.count();
  figure.unit = "MB/s";
  figure.beside = json::object{{"findings", found}};
  print(figure);
}

}  // namespace

void run_secrets(Pace pace) {
  const auto vectors = entities::codebase::secret_vectors(2026, pace == Pace::quick ? 3 : 20);
  std::map<Part, Tally> ours;
  std::map<Part, Tally> entropy;
  std::map<std::string, Tally> kinds;
  for (const auto& one : vectors) {
    const bool found = !entities::codebase::secrets_in_line(one.line, one.path).empty();
    ours[one.part].add(one.label, found);
    entropy[one.part].add(one.label, is_mixed(one.line));
    kinds[one.kind].add(one.label, found);
  }
  tell_by_kind(kinds);
  for (const auto& [part, name] : {std::pair{Part::seen, "seen"}, {Part::held_out, "held_out"}}) {
    const auto& counts = ours[part];
    const auto& baseline = entropy[part];
    const bool judged = part == Part::held_out;
    tell(fmt::format("recall_{}", name), counts.recall(), baseline.recall(), counts, judged);
    tell(fmt::format("precision_{}", name), counts.precision(), baseline.precision(), counts,
         judged);
    tell(fmt::format("false_alarm_rate_{}", name), counts.false_alarm_rate(),
         baseline.false_alarm_rate(), counts, false);
  }
  tell_speed(vectors, pace);
}

}  // namespace vigil::bench
