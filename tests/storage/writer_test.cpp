#include "storage/writer.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "place.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

// Holds the writer's thread inside a change until the test lets it go.
class Gate {
 public:
  void pass() {
    std::unique_lock guard(lock_);
    reached_ = true;
    moved_.notify_all();
    moved_.wait(guard, [this] { return open_; });
  }
  void wait_reached() {
    std::unique_lock guard(lock_);
    moved_.wait(guard, [this] { return reached_; });
  }
  void open() {
    const std::lock_guard guard(lock_);
    open_ = true;
    moved_.notify_all();
  }

 private:
  std::mutex lock_;
  std::condition_variable moved_;
  bool reached_ = false;
  bool open_ = false;
};

TEST_CASE("a change returns what it returned once it is on disk, and readers see it") {
  TempDir dir;
  House house(dir.path());
  const auto appended =
      house.must([](Stores& stores) { return stores.journal.append(some_event("a")); });
  CHECK(appended.id.value == 1);
  CHECK_FALSE(appended.duplicate);
  CHECK(house.reader()->journal.find(appended.id)->uid == "a");
  CHECK(house.writer->stats().changes == 1);
  CHECK(house.writer->stats().commits == 1);
  CHECK(house.writer->queued() == 0);
}

TEST_CASE("a failed change does not poison its neighbours") {
  TempDir dir;
  House house(dir.path());
  Gate gate;
  auto first = house.begin([&](Stores&) { gate.pass(); });
  house.loop.poll();
  gate.wait_reached();
  auto good = house.begin([](Stores& s) { return s.journal.append(some_event("good")); });
  auto bad = house.begin([](Stores& s) {
    s.journal.append(some_event("bad"));
    throw std::runtime_error("I changed my mind");
    return Appended{};
  });
  auto refused = house.begin([](Stores& s) {
    s.journal.append(some_event("refused"));
    Wake wake;
    wake.case_id = CaseId{4711};  // there is no such case
    return s.wakes.add(wake);
  });
  auto last = house.begin([](Stores& s) { return s.journal.append(some_event("last")); });
  house.loop.poll();
  gate.open();
  house.run();
  CHECK((*good)->has_value());
  REQUIRE_FALSE((*bad)->has_value());
  CHECK((*bad)->error().code == ErrorCode::internal);
  CHECK((*bad)->error().message == "I changed my mind");
  REQUIRE_FALSE((*refused)->has_value());
  CHECK((*refused)->error().message.find("FOREIGN KEY") != std::string::npos);
  CHECK((*last)->has_value());
  auto reader = house.reader();
  std::vector<std::string> uids;
  for (const auto& event : reader->journal.read_after({}, 10)) uids.push_back(event->uid);
  CHECK(uids == std::vector<std::string>{"good", "last"});
  CHECK(house.writer->stats().failed == 2);
  CHECK(house.broken.empty());
}

TEST_CASE("what comes during a commit shares the next one, and answers keep their order") {
  TempDir dir;
  House house(dir.path());
  Gate gate;
  auto first = house.begin([&](Stores&) { gate.pass(); });
  house.loop.poll();
  gate.wait_reached();
  std::vector<int> order;
  for (int number = 0; number < 50; ++number) {
    auto work = house.writer->commit([number](Stores& s) {
      s.cursors.set("n", number);
      return number;
    });
    boost::asio::co_spawn(house.loop, std::move(work),
                          [&order](std::exception_ptr, Result<int> n) { order.push_back(*n); });
  }
  house.loop.poll();
  CHECK(house.writer->queued() == 51);
  gate.open();
  house.run();
  std::vector<int> expected(50);
  for (int number = 0; number < 50; ++number) expected[number] = number;
  CHECK(order == expected);
  CHECK(house.writer->stats().changes == 51);
  CHECK(house.writer->stats().commits == 2);
  CHECK(house.reader()->cursors.get("n") == 49);
}

TEST_CASE("the loop runs until the answer is there") {
  TempDir dir;
  House house(dir.path());
  bool answered = false;
  auto work = house.writer->commit([](Stores&) {});
  boost::asio::co_spawn(house.loop, std::move(work),
                        [&](std::exception_ptr, Result<void>) { answered = true; });
  house.loop.run();  // nothing but the change keeps it
  CHECK(answered);
}

TEST_CASE("a full queue refuses and says so") {
  TempDir dir;
  House house(WriterOptions{.state_dir = dir.path(), .queue_max = 3});
  Gate gate;
  auto first = house.begin([&](Stores&) { gate.pass(); });
  house.loop.poll();
  gate.wait_reached();
  CHECK(house.writer->accepting());
  auto second = house.begin([](Stores&) {});
  auto third = house.begin([](Stores&) {});
  house.loop.poll();
  CHECK_FALSE(house.writer->accepting());
  auto over = house.begin([](Stores&) {});
  house.loop.poll();
  gate.open();
  house.run();
  CHECK((*third)->has_value());
  REQUIRE_FALSE((*over)->has_value());
  CHECK((*over)->error().code == ErrorCode::busy);
  CHECK(house.writer->accepting());
}

TEST_CASE("stop runs what is queued; later changes are refused") {
  TempDir dir;
  House house(dir.path());
  std::vector<std::shared_ptr<std::optional<Result<Appended>>>> answers;
  for (int number = 0; number < 1'500; ++number) {  // more than one group holds
    answers.push_back(house.begin(
        [number](Stores& s) { return s.journal.append(some_event(std::to_string(number))); }));
  }
  house.loop.poll();
  house.writer->stop();
  auto late = house.begin([](Stores&) {});
  house.run();
  for (const auto& answer : answers) CHECK((*answer)->has_value());
  REQUIRE_FALSE((*late)->has_value());
  CHECK((*late)->error().code == ErrorCode::unavailable);
  CHECK_FALSE(house.writer->accepting());
  CHECK(house.reader()->journal.last().value == 1'500);
}

TEST_CASE("a snapshot reads one moment while the writer goes on") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) { s.cursors.set("n", 1); });
  auto reader = house.reader();
  reader->snapshot();
  CHECK(reader->cursors.get("n") == 1);
  house.must([](Stores& s) { s.cursors.set("n", 2); });
  CHECK(reader->cursors.get("n") == 1);
  reader->release();
  CHECK(reader->cursors.get("n") == 2);
}

TEST_CASE("a reader cannot write") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores&) {});
  auto reader = house.reader();
  CHECK_THROWS_AS(reader->cursors.set("n", 1), DatabaseError);
}

TEST_CASE("the log is copied into the database while work goes on") {
  TempDir dir;
  House house(dir.path());
  for (int round = 0; round < 150; ++round) {
    house.must([round](Stores& s) {
      for (int number = 0; number < 100; ++number) {
        auto event = some_event(fmt::format("{}-{}", round, number));
        event.data.clear();
        for (int word = 0; word < 200; ++word) event.data += fmt::format("{:x} ", word * number);
        s.journal.append(event);
      }
    });
  }
  CHECK(house.writer->stats().checkpoints >= 1);
  CHECK(std::filesystem::file_size(dir.file("vigil.db-wal")) < 40U << 20);
}

}  // namespace
}  // namespace vigil::storage
