// Power cuts at any moment of the real schema's commits and checkpoints, and a failure of any write
// or sync. VIGIL_POWER_CUTS sets how many images are tried; the default ends in seconds.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "place.hpp"
#include "recording_disk.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

// A directory in memory where there is one: images are many and need no real disk.
class Images {
 public:
  Images() {
    const fs::path memory = "/dev/shm";
    auto base = fs::is_directory(memory) ? memory : fs::temp_directory_path();
    auto pattern = (base / "vigil-cut-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Images() {
    std::error_code ignored;  // memory goes with the machine
    fs::remove_all(path_, ignored);
  }
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;
  std::string lay_out(const Image& image) {
    const auto dir = fmt::format("{}/{}", path_, ++count_);
    fs::create_directories(dir);
    for (const auto& [name, bytes] : image) {
      std::ofstream(dir + "/" + name, std::ios::binary) << bytes;
    }
    return dir;
  }
  std::string empty() { return lay_out({}); }

 private:
  std::string path_;
  int count_ = 0;
};

// One step as a decision makes it: rows of several tables that only make sense together.
std::int64_t one_step(Stores& s, const std::string& uid) {
  auto event = some_event(uid);
  std::mt19937 random(static_cast<unsigned>(std::hash<std::string>{}(uid)));
  const auto words = random() % 400;
  for (unsigned word = 0; word < words; ++word) event.data += fmt::format("{:x}", random());
  const auto id = s.journal.append(event).id;
  const auto of = s.cases.open("ops", std::to_string(id.value % 5), at(1));
  Wake wake;
  wake.case_id = of.id;
  wake.kind = "event";
  wake.events = {id};
  Entry entry;
  entry.entity = "ops";
  entry.case_id = of.id;
  entry.wake = s.wakes.add(wake);
  entry.wake_kind = "event";
  entry.events = {id};
  s.wakes.erase(entry.wake);
  Action action;
  action.key = uid;
  action.decision = s.ledger.append(entry);
  action.sink = "chat";
  action.state = "approved";
  s.outbox.add(action);
  s.memory.put(Document{"ops", "last", "Last", "step " + uid, Taint::trusted, at(1)});
  s.cursors.set("steps", s.cursors.get("steps") + 1);
  return s.cursors.get("steps");
}

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

// Empty when all is well.
std::string judge(const std::string& dir, std::int64_t acknowledged) {
  {
    auto opened = Writer::open({.state_dir = dir, .free_bytes_min = 0, .ballast_bytes = 0});
    if (!opened) return "it does not open: " + opened.error().message;
    auto reader = Stores::open_reader(dir);
    if (!reader) return reader.error().message;
    const auto steps = (*reader)->cursors.get("steps");
    auto& database = (*reader)->database();
    if (steps < acknowledged) {
      return fmt::format("{} steps of {} acknowledged ones", steps, acknowledged);
    }
    if (database.number("SELECT count(*) FROM event") != steps ||
        database.number("SELECT count(*) FROM decision") != steps ||
        database.number("SELECT count(*) FROM action") != steps ||
        database.number("SELECT count(*) FROM wake") != 0) {
      return "a step is there in part";
    }
    if (steps > 0 && (*reader)->memory.search("ops", "step", 5).size() != 1) {
      return "the full-text index is not of the same moment";
    }
  }
  const auto verified = verify(dir + "/vigil.db");
  return verified ? "" : verified.error().message;
}

TEST_CASE("a power cut loses no acknowledged step and leaves none in part") {
  const char* wanted = std::getenv("VIGIL_POWER_CUTS");
  const auto cuts = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 400;
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

TEST_CASE("whichever write or sync fails, what was acknowledged is there afterwards") {
  Images images;
  std::size_t all = 0;
  {
    RecordingDisk disk;
    work(images.empty(), disk, 10);
    all = disk.count();
  }
  constexpr unsigned seed = 5;
  std::mt19937 random(seed);
  for (int round = 0; round < 60; ++round) {
    const auto fault = round % 2 == 0 ? Fault::io_error : Fault::full;
    const auto at = random() % all;
    const auto dir = images.empty();
    std::int64_t acknowledged = 0;
    {
      RecordingDisk disk;
      disk.fail_at(at, fault);
      work(dir, disk, 10);
      PowerCuts power(disk.ops());
      power.advance_to(power.count());
      acknowledged = power.acknowledged();
    }
    const auto what = judge(dir, acknowledged);
    CHECK_MESSAGE(what.empty(), "seed " << seed << ", fault " << round % 2 << " at operation " << at
                                        << " of " << all << ": " << what);
  }
}

}  // namespace
}  // namespace vigil::storage
