// What a kill, a full disk and a broken disk leave behind. Real processes, real files.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "place.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

namespace asio = boost::asio;

// In the child: commits without end and writes each id to the pipe once it was acknowledged.
asio::awaitable<void> commit_forever(Writer& writer, int pipe, int lane, int round) {
  for (int number = 0;; ++number) {
    auto event = some_event(fmt::format("{}-{}-{}", round, lane, number));
    event.data = fmt::format("{{\"pad\":\"{}\"}}", std::string(number * 37 % 3'000, 'p'));
    auto committing =
        writer.commit([event](Stores& stores) { return stores.journal.append(event).id.value; });
    Result<std::int64_t> id = co_await std::move(committing);
    if (!id || ::write(pipe, &*id, sizeof *id) != sizeof *id) ::_exit(3);
  }
}

[[noreturn]] void live_until_killed(const std::string& dir, int pipe, int round) {
  auto opened = Writer::open(WriterOptions{.state_dir = dir});
  if (!opened) {
    (void)!::write(2, opened.error().message.data(), opened.error().message.size());
    ::_exit(2);
  }
  asio::io_context loop(1);
  (*opened)->start(loop.get_executor(), [](const std::string&) { ::_exit(4); });
  for (int lane = 0; lane < 20; ++lane) {
    auto work = commit_forever(**opened, pipe, lane, round);
    asio::co_spawn(loop, std::move(work), [](std::exception_ptr) { ::_exit(5); });
  }
  loop.run();
  ::_exit(6);
}

TEST_CASE("a kill at any moment loses nothing that was acknowledged") {
  TempDir dir;
  constexpr int kills = 60;
  constexpr unsigned seed = 7;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::vector<std::int64_t> acknowledged;
  for (int round = 0; round < kills; ++round) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) live_until_killed(dir.path(), ends[1], round);
    ::close(ends[1]);
    // Killed after some number of answers: early, in the middle of a run, in checkpoints.
    const auto answers = random() % 400;
    std::int64_t id = 0;
    for (std::size_t seen = 0; seen < answers; ++seen) {
      if (::read(ends[0], &id, sizeof id) != sizeof id) break;
      acknowledged.push_back(id);
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &id, sizeof id) == sizeof id) acknowledged.push_back(id);
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE_MESSAGE(WIFSIGNALED(status), "the child ended by itself: " << WEXITSTATUS(status));
  }
  House house(dir.path());
  CHECK(house.writer->was_unclean());
  CHECK(acknowledged.size() > 5'000);
  auto reader = house.reader();
  std::size_t lost = 0;
  for (const auto id : acknowledged) lost += reader->journal.find(EventId{id}) ? 0 : 1;
  CHECK(lost == 0);
  const auto verified = verify(dir.file("vigil.db"));
  REQUIRE_MESSAGE(verified.has_value(), verified.error().message);
  CHECK(verified->events >= static_cast<std::int64_t>(acknowledged.size()));
}

// A file system of its own, small enough to fill.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path, const char* size) : path_(path) {
    std::filesystem::create_directories(path);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, size) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

NewEvent noisy_event(int number) {
  auto event = some_event(std::to_string(number));
  std::mt19937 random(static_cast<unsigned>(number));
  for (int at = 0; at < 1'000; ++at) event.data += fmt::format("{:08x}", random());
  return event;
}

TEST_CASE("a full disk refuses, keeps what it has, and goes on by itself once there is room") {
  TempDir dir;
  const auto state = dir.file("disk");
  SmallDisk disk(state, "size=12m");
  if (!disk.mounted()) {
    MESSAGE("skipped: a small disk can only be mounted as root");
    return;
  }
  const auto filler = state + "/filler";
  std::ofstream(filler) << std::string(4 << 20, 'f');
  House house(
      WriterOptions{.state_dir = state, .free_bytes_min = 512 << 10, .ballast_bytes = 1 << 20});
  CHECK(std::filesystem::exists(state + "/vigil.ballast"));
  std::vector<EventId> kept;
  std::optional<Error> refused;
  for (int number = 0; number < 5'000 && !refused; ++number) {
    auto answer = house.change([number](Stores& s) {
      const auto appended = s.journal.append(noisy_event(number));
      s.cursors.set("router", appended.id.value);
      return appended;
    });
    if (answer) {
      kept.push_back(answer->id);
    } else {
      refused = answer.error();
    }
  }
  REQUIRE(refused);
  CHECK(refused->code == ErrorCode::full);
  CHECK(kept.size() > 100);
  CHECK(house.writer->stats().full);
  CHECK_FALSE(house.writer->accepting());
  CHECK(house.broken.empty());
  CHECK_FALSE(std::filesystem::exists(state + "/vigil.ballast"));
  auto reader = house.reader();  // reading goes on
  for (const auto id : kept) CHECK(reader->journal.find(id));

  SUBCASE("somebody makes room") { std::filesystem::remove(filler); }
  SUBCASE("retention makes room, on what the ballast left") {
    const auto erased = house.await(house.writer->retain({.events_before = at(100)}));
    REQUIRE_MESSAGE(erased.has_value(), erased.error().message);
    CHECK(*erased >= static_cast<std::int64_t>(kept.size()));
  }
  // The disk is looked at once a second, when somebody asks.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!house.writer->accepting() && std::chrono::steady_clock::now() < until) continue;
  CHECK(house.writer->accepting());
  auto more = house.change([](Stores& s) { return s.journal.append(noisy_event(9'999)); });
  REQUIRE_MESSAGE(more.has_value(), more.error().message);
  CHECK_FALSE(house.writer->stats().full);
  CHECK(house.broken.empty());
  CHECK(verify(state + "/vigil.db").has_value());
}

// In the child: a limit on the size of files makes writes fail as a broken disk does.
[[noreturn]] void write_on_a_broken_disk(const std::string& dir) {
  auto opened = Writer::open(WriterOptions{.state_dir = dir, .ballast_bytes = 0});
  if (!opened) ::_exit(2);
  ::signal(SIGXFSZ, SIG_IGN);
  // Room beside what an empty database takes, which grows with its tables.
  std::uintmax_t largest = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    if (file.is_regular_file()) largest = std::max(largest, file.file_size());
  }
  const rlimit limit{largest + 400'000, largest + 400'000};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(3);
  asio::io_context loop(1);
  std::string broken;
  int told = 0;
  auto& writer = **opened;
  writer.start(loop.get_executor(), [&](const std::string& why) {
    broken = why;
    ++told;
  });
  int good = 0;
  std::optional<Error> refused;
  const auto commit_one = [&](int number) {
    auto work =
        writer.commit([number](Stores& s) { return s.journal.append(noisy_event(number)); });
    asio::co_spawn(loop, std::move(work), [&](std::exception_ptr, Result<Appended> result) {
      if (result) {
        ++good;
      } else {
        refused = result.error();
      }
    });
    loop.restart();
    loop.run();
  };
  for (int number = 0; number < 500 && !refused; ++number) commit_one(number);
  if (!refused || refused->code != ErrorCode::unavailable || good == 0) ::_exit(4);
  refused.reset();
  commit_one(1'000);
  if (!refused || refused->code != ErrorCode::unavailable) ::_exit(5);
  if (told != 1 || broken.empty() || writer.accepting()) ::_exit(6);
  writer.stop();
  ::_exit(good < 200 ? good : 200);
}

TEST_CASE("a disk that fails breaks the writer once, and the next start looks at the file") {
  TempDir dir;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) write_on_a_broken_disk(dir.path());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) > 10);  // what was acknowledged; less is a step that went wrong
  House house(dir.path());
  CHECK(house.writer->was_unclean());
  CHECK(house.reader()->journal.last().value >= WEXITSTATUS(status));
}

}  // namespace
}  // namespace vigil::storage
