#include "bench/logs.hpp"

#include <fmt/format.h>

#include <chrono>

#include "bench/attacks_truth.hpp"
#include "bench/figure.hpp"
#include "bench/logs_truth.hpp"

namespace vigil::bench {
namespace {

namespace fs = std::filesystem;

struct Sums {
  double ours = 0;
  double drain = 0;
  int sets = 0;
  std::size_t lines = 0;
  double seconds = 0;
};

void measure(const LogSet& set, const fs::path& folder, Sums& sums) {
  const auto log = read_log_set(folder, set.name);
  if (log.lines.empty() || log.events.size() != log.lines.size()) return;
  const auto begun = std::chrono::steady_clock::now();
  const auto groups = mined_groups(log.lines);
  const auto took = std::chrono::steady_clock::now() - begun;
  Figure figure;
  figure.bench = "logs";
  figure.metric = fmt::format("{}: lines grouped as they should be", set.name);
  figure.value = grouping_accuracy(groups, log.events);
  figure.unit = "of 1";
  figure.beside["drain"] = set.drain;
  figure.beside["lines"] = log.lines.size();
  print(figure);
  sums.ours += figure.value;
  sums.drain += set.drain;
  ++sums.sets;
  sums.lines += log.lines.size();
  sums.seconds += std::chrono::duration<double>(took).count();
}

void measure_grouping(const fs::path& folder) {
  Sums sums;
  for (const auto& set : log_sets) {
    if (fs::exists(folder / (std::string(set.name) + "_2k.log"))) measure(set, folder, sums);
  }
  if (sums.sets == 0) return;
  Figure figure;
  figure.bench = "logs";
  figure.metric = fmt::format("mean of {} logs, with the same settings for all", sums.sets);
  figure.value = sums.ours / sums.sets;
  figure.unit = "of 1";
  figure.beside["drain"] = sums.drain / sums.sets;
  figure.aim = "> 0.95";
  figure.met = figure.value > 0.95;
  print(figure);
  Figure speed;
  speed.bench = "logs";
  speed.metric = "lines read and grouped, while every kind is still new";
  speed.value = static_cast<double>(sums.lines) / sums.seconds;
  speed.unit = "lines/s";
  print(speed);
}

void print_share(const char* metric, std::size_t right, std::size_t all) {
  Figure figure;
  figure.bench = "logs";
  figure.metric = metric;
  figure.value = all == 0 ? 0 : static_cast<double>(right) / static_cast<double>(all);
  figure.unit = "of 1";
  figure.beside["right"] = right;
  figure.beside["of"] = all;
  figure.aim = ">= 0.95";
  figure.met = figure.value >= 0.95;
  print(figure);
}

Agreement sum_of(const std::map<std::string, Agreement>& by_file) {
  Agreement sum;
  for (const auto& [file, one] : by_file) {
    sum.lines += one.lines;
    sum.verdict += one.verdict;
    sum.attacks += one.attacks;
    sum.hosts += one.hosts;
    sum.timed += one.timed;
    sum.times += one.times;
  }
  return sum;
}

void measure_speed(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream log(file);
  for (std::string line; std::getline(log, line);) lines.push_back(line);
  if (lines.empty()) return;
  constexpr int times = 20;
  entities::logs::AttackFinder finder;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) {
    for (const auto& line : lines) (void)finder.observe(line, attacks_now);
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  Figure figure;
  figure.bench = "logs";
  figure.metric = "lines of sshd looked at for attacks";
  figure.value =
      times * static_cast<double>(lines.size()) / std::chrono::duration<double>(took).count();
  figure.unit = "lines/s";
  print(figure);
}

void measure_attacks(const fs::path& folder) {
  const auto lines = read_attack_lines(folder);
  const auto told = agreement_on(lines, Told::service);
  for (const auto& [file, one] : told) {
    Figure figure;
    figure.bench = "logs";
    figure.metric = fmt::format("{}: lines rightly called an attack or none", file);
    figure.value = static_cast<double>(one.verdict) / static_cast<double>(one.lines);
    figure.unit = "of 1";
    figure.beside["lines"] = one.lines;
    figure.beside["attacks"] = one.attacks;
    figure.beside["with_the_host"] = one.hosts;
    print(figure);
  }
  const auto sum = sum_of(told);
  print_share("lines of all services rightly called an attack or none", sum.verdict, sum.lines);
  print_share("attacks found with the right host", sum.hosts, sum.attacks);
  print_share("attacks found with the right time", sum.times, sum.timed);
  const auto alone = sum_of(agreement_on(lines, Told::nothing));
  print_share("the same lines, when nobody says of which service they are", alone.verdict,
              alone.lines);
}

}  // namespace

void run_logs(Pace, const std::string& directory) {
  const fs::path folder(directory);
  if (!fs::exists(folder / "loghub")) {
    fmt::print(stderr, "skipped: {} holds no loghub\n", directory);
    return;
  }
  measure_grouping(folder / "loghub");
  if (fs::exists(folder / "fail2ban/expected.tsv")) measure_attacks(folder / "fail2ban");
  measure_speed(folder / "loghub/OpenSSH_2k.log");
}

}  // namespace vigil::bench
