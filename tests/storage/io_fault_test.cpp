// Every error that SQLite's disk can give, once at every place that asks it: the writer goes on, or
// says that it stopped, and nothing that was acknowledged is lost; nor by a power cut right after
// it. VIGIL_IO_FAULTS=all tries every single call instead of one for each place.
#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "place.hpp"
#include "recording_disk.hpp"
#include "steps.hpp"

namespace vigil::storage {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

WriterOptions options_of(const std::string& dir) {
  return {.state_dir = dir, .free_bytes_min = 0, .ballast_bytes = 400 << 10};
}

// What somebody outside saw of one life of the database.
struct Life {
  std::int64_t before = 0;  // steps of earlier lives
  bool opened = false;
  std::string refused;  // why it did not open
  std::vector<std::string> failed;
  std::string broken;  // what on_broken said
  bool last_step_done = false;
  std::int64_t acknowledged = 0;
};

// One step after the other, so that every life makes the same calls; questions, a copy and
// retention between them. `heal` is called before the last step.
asio::awaitable<void> live_steps(Writer& writer, RecordingDisk& disk, std::string dir, Life& life,
                                 std::function<void()> heal) {
  constexpr int steps = 10;
  for (int step = 0; step < steps; ++step) {
    if (step == steps - 1) heal();
    const auto uid = fmt::format("step-{}", life.before + step);
    auto committing = writer.commit([uid](Stores& s) { return one_step(s, uid); });
    Result<std::int64_t> done = co_await std::move(committing);
    if (done) {
      disk.acknowledge(*done);
      ++life.acknowledged;
    } else {
      life.failed.push_back(done.error().message);
    }
    life.last_step_done = done.has_value();
    if (step == 4) {
      auto copying = writer.backup(dir + "/copy.db");
      Result<void> copied = co_await std::move(copying);
      if (!copied) life.failed.push_back(copied.error().message);
    }
    if (step == 8) {
      auto retaining = writer.retain({.episodes_before = at(0)});
      Result<std::int64_t> retained = co_await std::move(retaining);
      if (!retained) life.failed.push_back(retained.error().message);
    }
    if (step % 5 != 2) continue;
    try {  // as a request of the admin API does
      if (auto reader = Stores::open_reader(dir)) {
        (void)(*reader)->journal.last();
        (void)(*reader)->memory.search("ops", "step", 5);
      } else {
        life.failed.push_back(reader.error().message);
      }
    } catch (const std::exception& error) {
      life.failed.emplace_back(error.what());
    }
  }
}

Life live(
    const std::string& dir, std::int64_t before, RecordingDisk& disk,
    std::function<void()> heal = [] {}) {
  Life life{.before = before};
  auto opened = Writer::open(options_of(dir));
  if (!opened) {
    life.refused = opened.error().message;
    return life;
  }
  life.opened = true;
  auto& writer = **opened;
  asio::io_context loop(1);
  writer.start(loop.get_executor(), [&life](const std::string& why) { life.broken = why; });
  auto living = live_steps(writer, disk, dir, life, std::move(heal));
  asio::co_spawn(loop, std::move(living), [&life](std::exception_ptr error) {
    if (error) life.failed.emplace_back("it threw");
  });
  loop.run();
  writer.stop();
  loop.restart();
  loop.run();
  return life;
}

// A database that was killed at work: its log holds what its file lacks.
Image interrupted() {
  Images images;
  RecordingDisk disk;
  live(images.empty(), 0, disk);
  PowerCuts power(disk.ops());
  power.advance_to(power.count() * 3 / 5);
  std::mt19937 random(1);
  auto image = power.image(random);
  std::erase_if(image, [](const auto& file) { return file.first.starts_with("copy"); });
  return image;
}

struct Trial {
  std::size_t call = 0;
  CallMade made;
  Fault fault = Fault::io_error;
  Lasting lasting = Lasting::once;
};

std::string_view name_of(Call call) {
  constexpr std::string_view names[] = {
      "open", "remove", "access", "full path", "read",         "write",      "truncate",
      "sync", "size",   "lock",   "release",   "look at lock", "map shared", "lock shared"};
  return names[static_cast<std::size_t>(call)];
}

// Empty when all is well. `before` is how many steps the image held.
std::string try_one(Images& images, const Image& image, std::int64_t before, const Trial& trial) {
  const auto dir = images.lay_out(image);
  Life life;
  std::vector<DiskOp> ops;
  {
    RecordingDisk disk;
    disk.fail_at(trial.call, trial.fault, trial.lasting);
    life = live(dir, before, disk, [&] {
      if (trial.lasting == Lasting::from_then_on) disk.mend();
    });
    if (!disk.has_failed()) return "";  // this life took another way
    ops = disk.ops();
  }
  if (!life.opened && life.refused.empty()) return "it did not open and does not say why";
  for (const auto& why : life.failed) {
    if (why.empty()) return "a refusal does not say why";
  }
  const bool full = trial.fault == Fault::full;
  if (life.opened && life.broken.empty() && !life.last_step_done && !full) {
    return fmt::format("it neither goes on nor says that it broke; failed: {}",
                       fmt::join(life.failed, "; "));
  }
  const auto promised = before + life.acknowledged;
  if (fs::exists(dir + "/copy.db")) {
    if (const auto copy = verify(dir + "/copy.db"); !copy) return copy.error().message;
  }
  if (const auto what = judge(dir, promised); !what.empty()) return what;
  std::error_code ignored;  // memory goes with the machine
  fs::remove_all(dir, ignored);
  if (trial.lasting != Lasting::once) return "";
  PowerCuts power(std::move(ops));
  power.start_from(image);
  power.advance_to(power.count());
  std::mt19937 random(static_cast<unsigned>(trial.call));
  const auto after_cut = images.lay_out(power.image(random));
  const auto what = judge(after_cut, promised);
  fs::remove_all(after_cut, ignored);
  return what.empty() ? "" : "after a power cut: " + what;
}

// One for each place that calls, or all.
std::vector<Trial> trials_of(const std::vector<CallMade>& calls) {
  const char* wanted = std::getenv("VIGIL_IO_FAULTS");
  const bool all = wanted != nullptr && std::string_view(wanted) == "all";
  std::set<std::tuple<Call, std::string, std::uint64_t>> seen;
  std::vector<Trial> out;
  for (std::size_t at = 0; at < calls.size(); ++at) {
    const auto& made = calls[at];
    if (!seen.emplace(made.call, made.file, made.place).second && !all) continue;
    out.push_back({at, made, Fault::io_error, Lasting::once});
    out.push_back({at, made, Fault::io_error, Lasting::from_then_on});
    if (made.call != Call::write) continue;
    out.push_back({at, made, Fault::full, Lasting::once});
    out.push_back({at, made, Fault::full, Lasting::from_then_on});
  }
  return out;
}

void try_all(const Image& image, std::int64_t before) {
  Images images;
  std::vector<CallMade> calls;
  {
    RecordingDisk disk;
    disk.keep_calls();
    const auto life = live(images.lay_out(image), before, disk);
    REQUIRE_MESSAGE(life.last_step_done, life.refused, life.broken);
    REQUIRE(life.failed.empty());
    calls = disk.calls();
  }
  const auto trials = trials_of(calls);
  std::size_t bad = 0;
  for (const auto& trial : trials) {
    const auto what = try_one(images, image, before, trial);
    CHECK_MESSAGE(what.empty(),
                  "call " << trial.call << " of " << calls.size() << ", "
                          << name_of(trial.made.call) << " of " << trial.made.file
                          << (trial.fault == Fault::full ? ", full" : ", error")
                          << (trial.lasting == Lasting::once ? " once: " : " for long: ") << what);
    bad += what.empty() ? 0 : 1;
    if (bad > 20) break;
  }
  MESSAGE(calls.size() << " calls, " << trials.size() << " faults tried, " << bad << " bad");
  CHECK(trials.size() > 300);
}

TEST_CASE("a database that is made survives every error of the disk, once and for long") {
  try_all({}, 0);
}

TEST_CASE("a database that is brought back after a crash survives every error of the disk") {
  const auto image = interrupted();
  Images images;
  const auto dir = images.lay_out(image);
  REQUIRE(judge(dir, 1) == "");
  auto reader = Stores::open_reader(dir);
  REQUIRE(reader);
  try_all(image, (*reader)->cursors.get("steps"));
}

}  // namespace
}  // namespace vigil::storage
