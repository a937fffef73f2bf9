#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/json.hpp"
#include "entities/ops/metrics_text.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::ops;
namespace fs = std::filesystem;

namespace {

const fs::path data = fs::path(source_dir()) / "../shared/data/metrics";

bool absent() {
  if (fs::exists(data)) return false;
  MESSAGE("skipped: there is no " << data.string());
  return true;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

const Sample* sample_in(const std::vector<Family>& all, std::string_view name) {
  for (const auto& family : all) {
    for (const auto& sample : family.samples) {
      if (sample.name == name) return &sample;
    }
  }
  return nullptr;
}

bool reads(std::string_view text) { return parse_openmetrics(text).has_value(); }

}  // namespace

TEST_CASE("every OpenMetrics case is taken or refused as it should be") {
  if (absent()) return;
  std::ifstream file(data / "openmetrics-cases.jsonl");
  std::string line;
  int count = 0;
  while (std::getline(file, line)) {
    const auto one = parse_json(line);
    REQUIRE(one);
    const std::string name(find_text(*one, "name").value());
    CAPTURE(name);
    const auto read = parse_openmetrics(*find_text(*one, "text"));
    const bool should = find_bool(*one, "should_parse").value();
    CHECK_MESSAGE(read.has_value() == should, (read ? "taken" : read.error().message));
    ++count;
  }
  CHECK(count > 100);
}

TEST_CASE("every text of the older format is taken or refused as it should be") {
  if (absent()) return;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(data / "text-parse")) {
    const auto name = entry.path().filename().string();
    CAPTURE(name);
    const auto read = parse_prometheus_text(text_of(entry.path()));
    const bool should = name.find("error") == std::string::npos;
    CHECK_MESSAGE(read.has_value() == should, (read ? "taken" : read.error().message));
    ++count;
  }
  CHECK(count >= 10);
  const auto scrape = parse_metrics(text_of(data / "prometheus-scrape.txt"));
  REQUIRE_MESSAGE(scrape, scrape.error().message);
  REQUIRE(sample_in(*scrape, "go_goroutines") != nullptr);
  CHECK(sample_in(*scrape, "go_goroutines")->value == 33);
}

TEST_CASE("values, labels and times of the older format") {
  const auto read = parse_metrics(
      "# A comment.\n"
      "# TYPE name2 Gauge\n"
      "name2{a=\"v\\\\a\\nb\\\"\"\t, b   =   \"\"  ,\t} +Inf 54321\n"
      " name2 { } -1.5e3\n"
      "# TYPE lat histogram\n"
      "lat_bucket{le=\"+Inf\"} 7\nlat_count 7\nlat_sum 1\n"
      "other NaN\n");
  REQUIRE(read);
  REQUIRE(read->size() == 3);
  const auto& first = read->at(0).samples.at(0);
  CHECK(first.labels == Labels{{"a", "v\\a\nb\""}, {"b", ""}});
  CHECK(std::isinf(first.value));
  CHECK(first.at == 54.321);
  CHECK(read->at(0).type == "gauge");
  CHECK(read->at(0).samples.at(1).value == -1500);
  CHECK(read->at(1).samples.size() == 3);
  CHECK(std::isnan(sample_in(*read, "other")->value));
}

TEST_CASE("what is not quite the older format is refused, with its line") {
  for (const std::string text :
       {"metric{label=\"\\t\"} 3.14\n", "metric{__name__=\"bla\"} 3.14\n",
        "metric{label=bla} 3.14\n", "metric{label=\"bla\"} 3.14 2.72\n",
        "# HELP metric one\n# HELP metric two\n", "metric 4.12\n# TYPE metric counter\n",
        "@invalid{label=\"bla\"} 3.14 2\n", "# TYPE m histogram\nm_bucket{le=\"bla\"} 3.14\n",
        "m{l=\"\xbd\"} 3.14\n", "foo 1_2\n", "foo 0x1p-3\n", "foo 0x1P-3\n", "foo 0 1_2\n",
        "foo{a=\"1\",a=\"2\"} 1\n", "foo\n", "foo{\n", "foo 1"}) {
    CAPTURE(text);
    const auto read = parse_metrics(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message.find("line ") == 0);
  }
}

TEST_CASE("what is cut off is not taken for the whole") {
  const std::string text =
      "# TYPE a counter\n# UNIT a_s s\n# HELP a it\na_total{x=\"1\"} 1 5.5 # {id=\"7\"} 0.5 5\n";
  CHECK_FALSE(parse_openmetrics(text).has_value());
  const auto whole =
      std::string("# TYPE a counter\na_total{x=\"1\"} 1 5.5 # {id=\"7\"} 0.5 5\n# EOF\n");
  REQUIRE(reads(whole));
  for (std::size_t size = 1; size + 1 < whole.size(); ++size) {
    if (whole.substr(0, size).ends_with("# EOF")) continue;
    CHECK_FALSE(parse_openmetrics(whole.substr(0, size)).has_value());
  }
  CHECK_FALSE(reads("a 1\n# EOF\na 2\n# EOF\n"));
  CHECK_FALSE(
      reads("# TYPE a counter\na_total 1 # {a=\"" + std::string(130, 'x') + "\"} 1\n# EOF\n"));
  CHECK_FALSE(reads("a 1 \n# EOF\n"));
  CHECK_FALSE(reads("a 1 2 \n# EOF\n"));
  CHECK(reads("# TYPE a_total gauge\na_total -1\n# EOF\n"));  // a gauge may be called anything
}

TEST_CASE("any bytes are read without a fault") {
  const std::string seed =
      "# TYPE a histogram\na_bucket{le=\"1\",b=\"x\\n\"} 0 1 # {c=\"d\"} 1\n# EOF\n";
  std::uint32_t state = 7;
  for (int round = 0; round < 20000; ++round) {
    auto text = seed;
    for (int change = 0; change < 3; ++change) {
      state = state * 1664525U + 1013904223U;
      text[(state >> 8) % text.size()] = static_cast<char>(state >> 24);
    }
    (void)parse_openmetrics(text);
    (void)parse_prometheus_text(text);
  }
}
