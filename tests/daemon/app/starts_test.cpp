// What is on disk of starts and of configurations, for the start that goes wrong.
#include "daemon/starts.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/digest.hpp"
#include "daemon/last_good.hpp"

using namespace vigil;
using namespace std::chrono_literals;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

struct Folder {
  std::string path =
      (std::filesystem::temp_directory_path() / ("vigild-" + random_hex(8))).string();
  ~Folder() { std::filesystem::remove_all(path); }
};

config::Settings settings_of(const std::string& text) {
  auto loaded = config::load_text(text, "test.toml");
  REQUIRE(std::holds_alternative<config::Loaded>(loaded));
  return std::get<config::Loaded>(loaded).settings;
}

}  // namespace

TEST_CASE("so many crashes lately are why a start is in safe mode") {
  const std::vector<TimePoint> three{noon - 3min, noon - 2min, noon - 1min};
  CHECK_FALSE(why_safe_mode({}, noon, 3, 5min));
  CHECK_FALSE(why_safe_mode(three, noon, 4, 5min));
  CHECK_FALSE(why_safe_mode(three, noon + 1h, 3, 5min));  // long ago
  CHECK_FALSE(why_safe_mode(three, noon, 0, 5min));       // never
  const auto why = why_safe_mode(three, noon, 3, 5min);
  REQUIRE(why);
  CHECK(why->contains("3 starts within 5m ended in a crash"));
  CHECK(why->contains("2026-11-23T11:59:00"));
  CHECK(why_safe_mode(three, noon - 90s, 3, 5min));  // the clock was set back meanwhile
}

TEST_CASE("a start counts until it has ended well, and is forgiven when a person says so") {
  const Folder folder;
  for (int crash = 0; crash < 3; ++crash) {
    Starts starts(folder.path);
    CHECK(starts.unfinished().size() == static_cast<std::size_t>(crash));
    REQUIRE(starts.begin(noon + crash * 1s));
  }
  {
    Starts good(folder.path);
    REQUIRE(good.begin(noon + 10s));
    CHECK(Starts(folder.path).unfinished().size() == 4);
    good.end();
  }
  CHECK(Starts(folder.path).unfinished().size() == 3);
  {
    Starts left(folder.path);
    REQUIRE(left.begin(noon + 20s));
    left.forgive();
    CHECK(Starts(folder.path).unfinished() == std::vector{noon + 20s});  // it runs
    left.end();
  }
  CHECK(Starts(folder.path).unfinished().empty());
  std::ofstream(folder.path + "/vigil.starts") << "not a time\n2026-11-23T12:00:00Z\n\0\n";
  CHECK(Starts(folder.path).unfinished().size() == 1);
}

TEST_CASE("a configuration that could be used is kept whole, and comes back as it was") {
  const Folder folder;
  std::filesystem::create_directory(folder.path);
  CHECK(read_last_good(folder.path).error().code == ErrorCode::not_found);
  const auto settings = settings_of(
      "[daemon]\nstate_dir = \"" + folder.path +
      "\"\n[sink.out]\nkind = \"log\"\n[source.a]\nkind = \"schedule\"\nevery = \"1h\"\n");
  REQUIRE(keep_last_good(folder.path, settings, noon));
  const auto path = folder.path + "/last-good.toml";
  struct stat about{};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  auto last = read_last_good(folder.path);
  REQUIRE(last);
  CHECK(last->kept == noon);
  CHECK(config::to_toml(last->settings) == config::to_toml(settings));
  REQUIRE(keep_last_good(folder.path, settings, noon + 1h));
  CHECK(read_last_good(folder.path)->kept == noon);  // the same one is not written again
  std::ofstream(path, std::ios::app) << "[sink.more]\nkind = \"log\"\n";
  CHECK(read_last_good(folder.path).error().message.contains("was changed"));
}
