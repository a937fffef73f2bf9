// Power cuts at any moment of the real schema's commits and checkpoints. VIGIL_POWER_CUTS sets how
// many images are tried; the default ends in seconds.
#include <fmt/format.h>

#include <cstdlib>

#include "place.hpp"
#include "recording_disk.hpp"
#include "steps.hpp"

namespace vigil::storage {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

asio::awaitable<void> lane(Writer& writer, RecordingDisk& disk, int number, int steps) {
  for (int step = 0; step < steps; ++step) {
    const auto uid = fmt::format("{}-{}", number, step);
    auto committing = writer.commit([uid](Stores& s) { return one_step(s, uid); });
    Result<std::int64_t> done = co_await std::move(committing);
    if (done) disk.acknowledge(*done);
  }
}

// The writer with a log that is copied often, under four lanes of steps.
void work(const std::string& dir, RecordingDisk& disk, int steps) {
  auto opened = Writer::open({.state_dir = dir, .free_bytes_min = 0, .ballast_bytes = 400 << 10});
  if (!opened) return;  // the fault hit the opening
  asio::io_context loop(1);
  (*opened)->start(loop.get_executor(), [](const std::string&) {});
  for (int number = 0; number < 4; ++number) {
    auto stepping = lane(**opened, disk, number, steps);
    asio::co_spawn(loop, std::move(stepping), [](std::exception_ptr) {});
  }
  loop.run();
  (*opened)->stop();
}

TEST_CASE("a power cut loses no acknowledged step and leaves none in part") {
  const char* wanted = std::getenv("VIGIL_POWER_CUTS");
  const auto cuts = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 500;
  Images images;
  std::vector<DiskOp> ops;
  {
    RecordingDisk disk;
    work(images.empty(), disk, 40);
    ops = disk.ops();
  }
  constexpr unsigned seed = 11;
  std::mt19937 random(seed);
  std::vector<std::size_t> ends;
  for (std::size_t cut = 0; cut < cuts; ++cut) ends.push_back(random() % (ops.size() + 1));
  std::ranges::sort(ends);
  PowerCuts power(std::move(ops));
  std::size_t bad = 0;
  for (const auto end : ends) {
    power.advance_to(end);
    const auto dir = images.lay_out(power.image(random));
    const auto what = judge(dir, power.acknowledged());
    CHECK_MESSAGE(what.empty(), "seed " << seed << ", cut before operation " << end << " of "
                                        << power.count() << ": " << what);
    bad += what.empty() ? 0 : 1;
    std::error_code ignored;
    fs::remove_all(dir, ignored);
    if (bad > 5) break;
  }
  CHECK(power.acknowledged() > 0);
}

}  // namespace
}  // namespace vigil::storage
