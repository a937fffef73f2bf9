#include "bench/deps.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

#include "bench/figure.hpp"
#include "entities/analyser.hpp"
#include "entities/deps/advisory_sources.hpp"
#include "entities/deps/lockfile.hpp"

namespace vigil::bench {
namespace {

namespace fs = std::filesystem;
namespace deps = entities::deps;
using Steady = std::chrono::steady_clock;

constexpr std::uint32_t seed = 20261123;
constexpr int advisories_wanted = 100'000;
constexpr int packages_wanted = 5'000;
constexpr double scan_ms_aim = 200;

double ms_since(Steady::time_point begun) {
  return std::chrono::duration<double, std::milli>(Steady::now() - begun).count();
}

class Scratch {
 public:
  Scratch() {
    auto name = (fs::current_path() / "vigil-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder can be made here");
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

constexpr std::string_view built_in =
    R"({"id":"GHSA-0000","aliases":["CVE-2026-0"],"summary":"a flaw","details":"It is flawed.",)"
    R"("affected":[{"package":{"ecosystem":"npm","name":"left"},"ranges":[{"type":"SEMVER",)"
    R"("events":[{"introduced":"0"},{"fixed":"1.2.3"}]}]}]})";

// The advisories as they are written, as texts of JSON.
std::vector<json::value> real_ones(const std::string& data) {
  std::vector<json::value> all;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(data, ignored)) {
    if (entry.path().extension() != ".jsonl" && entry.path().filename() != "vulns.json") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    for (std::string line; std::getline(file, line);) {
      auto value = parse_json(line);
      if (!value) continue;
      const auto* list = find_path(*value, "vulns");
      if (list == nullptr || !list->is_array()) {
        all.push_back(std::move(*value));
        continue;
      }
      for (const auto& one : list->get_array()) all.push_back(one);
    }
  }
  if (all.empty()) all.push_back(parse_json(built_in).value());
  return all;
}

// Its last number goes up or down a little, so that ranges differ.
std::string varied_version(std::string version, std::mt19937& random) {
  if (version == "0" || version.empty()) return version;
  auto& last = version.back();
  if (last >= '0' && last <= '9') last = static_cast<char>('0' + random() % 10);
  return version;
}

// Each name stands for many packages: about one in four of them has a further advisory.
std::string varied_name(std::string_view name, std::mt19937& random) {
  return fmt::format("{}-{}", name, random() % 400);
}

json::value varied(json::value one, int number, std::mt19937& random) {
  auto& object = one.as_object();
  object["id"] = fmt::format("VARY-{}", number);
  object["aliases"] = json::array{json::value(fmt::format("CVE-VARY-{}", number))};
  if (auto* list = object.if_contains("affected"); list != nullptr && list->is_array()) {
    for (auto& affected : list->get_array()) {
      auto* package = affected.as_object().if_contains("package");
      if (package == nullptr || !package->is_object()) continue;
      const auto name = std::string(find_text(*package, "name").value_or("x"));
      package->get_object()["name"] = varied_name(name, random);
      auto* ranges = affected.as_object().if_contains("ranges");
      if (ranges == nullptr || !ranges->is_array()) continue;
      for (auto& range : ranges->get_array()) {
        auto* events = range.as_object().if_contains("events");
        if (events == nullptr || !events->is_array()) continue;
        for (auto& event : events->get_array()) {
          for (auto& [key, version] : event.as_object()) {
            version = varied_version(std::string(version.as_string()), random);
          }
        }
      }
    }
  }
  return one;
}

struct Named {
  std::string ecosystem;
  std::string name;
};

std::vector<Named> write_advisories(const std::vector<json::value>& real, const fs::path& path) {
  std::mt19937 random(seed);
  std::ofstream file(path, std::ios::binary);
  std::vector<Named> names;
  for (int i = 0; i < advisories_wanted; ++i) {
    const auto one = varied(real[random() % real.size()], i, random);
    file << to_text(one) << '\n';
    const auto ecosystem = find_text(one, "affected.0.package.ecosystem");
    const auto name = find_text(one, "affected.0.package.name");
    if (ecosystem && name) names.push_back({std::string(*ecosystem), std::string(*name)});
  }
  return names;
}

// Three lock files; a third of the packages are ones that advisories know.
json::array write_lock_files(const std::vector<Named>& names, const fs::path& folder) {
  std::mt19937 random(seed + 1);
  std::string npm = R"({"lockfileVersion":3,"packages":{"":{})";
  std::string pip;
  std::string go = "module bench\n\nrequire (\n";
  for (int i = 0; i < packages_wanted; ++i) {
    const auto& known = names[random() % names.size()];
    const bool unknown = i % 3 != 0;
    const auto name = unknown ? fmt::format("calm-{}", i) : known.name;
    const auto version = fmt::format("{}.{}.{}", random() % 6, random() % 20, random() % 10);
    if (known.ecosystem == "PyPI") {
      pip += fmt::format("{}=={}\n", name, version);
    } else if (known.ecosystem == "Go") {
      go += fmt::format("\t{} v{}\n", name, version);
    } else {
      npm += fmt::format(",\n\"node_modules/a{}/node_modules/{}\":{{\"version\":\"{}\"}}", i, name,
                         version);
    }
  }
  json::array files;
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
    files.emplace_back((folder / name).string());
  };
  write("package-lock.json", npm + "}}");
  write("requirements.txt", pip);
  write("go.mod", go + ")\n");
  return files;
}

// What this process had of the processor: tells a busy machine from a slow scan.
double processor_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Timed {
  double ms = 0;
  double processor = 0;
  json::value result;
};

Timed scan_once(const json::object& input) {
  const auto* analyser = entities::find_any_analyser("deps.scan");
  const auto processor_begun = processor_ms();
  const auto begun = Steady::now();
  auto result = analyser->run({"bench", input, {}, std::nullopt});
  const auto ms = ms_since(begun);
  const auto processor = processor_ms() - processor_begun;
  if (!result) throw std::runtime_error(result.error().message);
  return {ms, processor, std::move(*result)};
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return percentile(values, 0.5);
}

// What the questions alone cost, without opening, reading files and writing findings.
double match_ms(const fs::path& index_path, const json::array& files) {
  const auto index = deps::AdvisoryIndex::open(index_path);
  if (!index) throw std::runtime_error(index.error().message);
  std::vector<deps::Locked> packages;
  for (const auto& path : files) {
    const auto file = deps::read_lockfile_at(std::string(std::string_view(path.as_string())));
    if (!file) throw std::runtime_error(file.error().message);
    packages.insert(packages.end(), file->packages.begin(), file->packages.end());
  }
  std::vector<double> times;
  std::size_t found = 0;
  for (int round = 0; round < 9; ++round) {
    const auto begun = Steady::now();
    for (const auto& one : packages) {
      found += index->match(one.ecosystem, one.name, one.version).size();
    }
    times.push_back(ms_since(begun));
  }
  if (found == 0) throw std::runtime_error("the lock files have nothing in common with advisories");
  return median_of(std::move(times));
}

}  // namespace

void run_deps(Pace pace, const std::string& data) {
  const Scratch scratch;
  const auto sources = scratch.path() / "advisories.jsonl";
  const auto index = scratch.path() / "index";
  const auto real = real_ones(data);
  const auto names = write_advisories(real, sources);
  const auto files = write_lock_files(names, scratch.path());
  const auto megabytes = [](std::uintmax_t bytes) { return static_cast<double>(bytes) / 1e6; };
  json::object input{{"advisories", sources.string()}, {"index", index.string()}, {"files", files}};

  const auto begun = Steady::now();
  const auto opened = deps::open_advisories(sources, index);
  if (!opened) throw std::runtime_error(opened.error().message);
  const auto built_ms = ms_since(begun);
  print({"deps",
         "making the index",
         built_ms / 1000,
         "s",
         {{"advisories", opened->index.advisories()},
          {"packages", opened->index.packages()},
          {"varied from", real.size()},
          {"sources MB", megabytes(fs::file_size(sources))}},
         std::nullopt,
         "",
         std::nullopt});
  print({"deps",
         "size of the index",
         megabytes(fs::file_size(index)),
         "MB",
         {},
         std::nullopt,
         "",
         std::nullopt});

  std::vector<double> times;
  std::vector<double> processor;
  json::value last;
  for (int round = 0; round < (pace == Pace::quick ? 7 : 25); ++round) {
    auto timed = scan_once(input);
    times.push_back(timed.ms);
    processor.push_back(timed.processor);
    last = std::move(timed.result);
  }
  const auto questions = match_ms(index, files);
  const auto ms = median_of(times);
  print({"deps",
         "scan with the index kept",
         ms,
         "ms",
         {{"of the processor", median_of(processor)},
          {"questions alone", questions},
          {"slowest", *std::ranges::max_element(times)},
          {"packages", find_integer(last, "packages").value_or(0)},
          {"affected", find_integer(last, "affected").value_or(0)}},
         std::nullopt,
         fmt::format("< {:.0f} ms", scan_ms_aim),
         ms < scan_ms_aim});
}

}  // namespace vigil::bench
