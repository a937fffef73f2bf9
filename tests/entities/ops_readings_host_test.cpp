#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "entities/ops/host_facts.hpp"
#include "entities/ops/host_readings.hpp"
#include "entities/ops/reading.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::ops;

namespace {

struct Root {
  Root() {
    std::string pattern = (std::filesystem::temp_directory_path() / "host-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Root() {
    std::error_code ignored;  // what is left lies in the folder for temporary files
    std::filesystem::remove_all(path, ignored);
  }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << text;
  }
  Result<json::value> run(json::object input = {}) const {
    input["root"] = path.string();
    return run_host({"host", std::move(input), {}, {}});
  }
  std::filesystem::path path;
};

void fill(const Root& root) {
  root.write("proc/loadavg", "3.00 2.00 1.00 4/1200 31337\n");
  root.write("proc/stat", "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n");
  root.write("proc/meminfo",
             "MemTotal:        8000 kB\nMemFree:  100 kB\nMemAvailable:    2000 kB\n"
             "SwapTotal:       1000 kB\nSwapFree:         250 kB\n");
  root.write("proc/uptime", "123456.78 200000.00\n");
  root.write("proc/sys/fs/file-nr", "5000\t1000\t100000\n");
  root.write("proc/pressure/cpu", "some avg10=1.50 avg60=2.50 avg300=3.50 total=4500000\n");
  root.write("proc/pressure/memory",
             "some avg10=0.00 avg60=0.10 avg300=0.00 total=7\n"
             "full avg10=9.00 avg60=0.00 avg300=0.00 total=7\n");
  root.write("proc/1/mountinfo",
             "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
             "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
             "30 27 8:1 /var/lib /bind rw shared:1 - ext4 /dev/sda1 rw\n"
             "31 27 0:50 /sub /data\\040one rw - btrfs /dev/sdb rw\n"
             "32 27 0:51 /other /data\\040one/inner rw - btrfs /dev/sdb rw\n"
             "33 27 0:60 / /net rw - nfs4 server:/x rw\nbroken line\n");
  std::filesystem::create_directories(root.path / "data one");
}

}  // namespace

TEST_CASE("a machine below another root is measured by its own files") {
  const Root root;
  fill(root);
  const auto result = root.run();
  REQUIRE(result);
  const auto readings = Readings::from_json(*result);
  const auto value = [&](std::string_view name, const Labels& labels = {}) {
    const auto* found = readings.find(name, labels);
    REQUIRE_MESSAGE(found != nullptr, std::string(name));
    return found->value;
  };
  CHECK(value("load.per_cpu", {{"window", "1m"}}) == 1.5);
  CHECK(value("cpu.count") == 2);
  CHECK(value("memory.available") == 25);
  CHECK(value("memory.available_bytes") == 2000 * 1024);
  CHECK(value("swap.used") == 75);
  CHECK(value("uptime") == doctest::Approx(123456.78));
  CHECK(value("files.used") == 4);
  CHECK(value("pressure.some", {{"resource", "cpu"}, {"window", "1m"}}) == 2.5);
  CHECK(value("pressure.some.total", {{"resource", "cpu"}}) == 4.5);
  CHECK(value("pressure.full", {{"resource", "memory"}, {"window", "10s"}}) == 9);
  CHECK(value("disk.free", {{"mount", "/"}}) >= 0);
  CHECK(value("disk.total", {{"mount", "/data one"}}) > 0);
  CHECK(readings.find("disk.free", {{"mount", "/bind"}}) == nullptr);
  CHECK(readings.find("disk.free", {{"mount", "/data one/inner"}}) == nullptr);
  CHECK(readings.find("disk.free", {{"mount", "/net"}}) == nullptr);
  REQUIRE(readings.problems().size() == 1);
  CHECK(readings.problems()[0].find("/proc/pressure/io: no pressure is known") == 0);
}

TEST_CASE("only the mounts that were asked for are measured, and a missing one is a problem") {
  const Root root;
  fill(root);
  const auto result = root.run({{"mounts", {"/data one", "/gone"}}});
  REQUIRE(result);
  const auto readings = Readings::from_json(*result);
  CHECK(readings.find("disk.free", {{"mount", "/"}}) == nullptr);
  CHECK(readings.find("disk.free", {{"mount", "/data one"}, {"type", "btrfs"}}) != nullptr);
  CHECK(readings.problems().back().find("/gone: its size is not known") == 0);
}

TEST_CASE("a machine of which nothing can be read is an error that says what to do") {
  const Root root;
  const auto result = root.run();
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("read_paths") != std::string::npos);
  CHECK_FALSE(run_host({"host", json::object{{"root", "/no/such/folder"}}, {}, {}}));
  const auto unknown = root.run({{"mount", "/"}});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("it takes root, mounts, units") != std::string::npos);
}

TEST_CASE("files of the kernel that hold something else are problems, never a crash") {
  const std::string odd[] = {"",
                             "\n\n\n",
                             std::string(1000, '='),
                             "some avg10=nan",
                             "\xff\xfe 1 2 3",
                             "MemTotal: -1 kB",
                             "MemTotal: 1e999 kB",
                             std::string(70'000, ' ')};
  for (const auto& text : odd) {
    CHECK_FALSE(parse_pressure(text));
    CHECK_FALSE(parse_load(text));
    CHECK_FALSE(parse_memory(text));
    CHECK_FALSE(parse_open_files(text));
    CHECK(parse_mounts(text).empty());
    CHECK(parse_failed_units(text).empty());
  }
  const Root root;
  root.write("proc/loadavg", "1 1 1");
  root.write("proc/meminfo", std::string(3 * 1024 * 1024, 'x'));
  const auto result = root.run();
  REQUIRE(result);
  CHECK(Readings::from_json(*result).problems().size() > 3);
}

TEST_CASE("failed units are named, with or without their mark") {
  CHECK(parse_failed_units("nginx.service loaded failed failed Web server\n"
                           "\u25cf backup.timer loaded failed failed Backup\n") ==
        std::vector<std::string>{"nginx.service", "backup.timer"});
}

TEST_CASE("this machine can be measured") {
  const auto result = run_host({"host", json::object{{"units", false}}, {}, {}});
  REQUIRE(result);
  const auto readings = Readings::from_json(*result);
  REQUIRE(readings.find("memory.available") != nullptr);
  CHECK(readings.find("memory.available")->value > 0);
  CHECK(readings.find("memory.available")->value <= 100);
  CHECK(readings.find("uptime")->value > 0);
}
