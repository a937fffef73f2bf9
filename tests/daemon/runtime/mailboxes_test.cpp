#include "daemon/runtime/mailboxes.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace vigil;
using namespace vigil::runtime;
using namespace std::chrono_literals;

namespace {

const TimePoint start{1'000s};

Waiting wake(std::int64_t id, std::int64_t of_case, TimePoint not_before = start) {
  Waiting out;
  out.id = WakeId{id};
  out.case_id = CaseId{of_case};
  out.entity = "guard";
  out.source = "github";
  out.not_before = not_before;
  return out;
}

}  // namespace

TEST_CASE("a case is decided one wake at a time, in order; others go on beside it") {
  Mailboxes boxes;
  boxes.put(wake(2, 1), start);
  boxes.put(wake(1, 1), start);  // recovered later, older all the same
  boxes.put(wake(3, 9), start);
  CHECK(boxes.ready() == 3);
  const auto first = boxes.take();
  REQUIRE(first.has_value());
  CHECK(first->id == WakeId{1});
  const auto other = boxes.take();
  CHECK(other->id == WakeId{3});
  CHECK_FALSE(boxes.take().has_value());
  boxes.release(CaseId{1});
  CHECK(boxes.take()->id == WakeId{2});
}

TEST_CASE("a wake waits for its time, and the earliest is known") {
  Mailboxes boxes;
  boxes.put(wake(1, 1, start + 10s), start);
  boxes.put(wake(2, 2, start + 5s), start);
  CHECK_FALSE(boxes.take().has_value());
  CHECK(boxes.next_due() == start + 5s);
  CHECK(boxes.take_due(start + 4s).empty());
  auto due = boxes.take_due(start + 5s);
  REQUIRE(due.size() == 1);
  CHECK(due.front().id == WakeId{2});
  boxes.put(due.front(), start + 5s);
  CHECK(boxes.take()->id == WakeId{2});
}

TEST_CASE("a gathering wake takes more events and a new time") {
  Mailboxes boxes;
  auto first = wake(1, 1, start + 5s);
  first.gathering = true;
  first.events = {std::make_shared<Event>()};
  boxes.put(first, start);
  auto more = first;
  more.not_before = start + 8s;
  boxes.put(more, start);
  CHECK(boxes.waiting() == 1);
  CHECK(boxes.next_due() == start + 8s);
  const auto due = boxes.take_due(start + 8s);
  REQUIRE(due.size() == 1);
  CHECK(due.front().events.size() == 2);
}

TEST_CASE("a failed decision holds its case until it is tried again") {
  Mailboxes boxes;
  boxes.put(wake(1, 1), start);
  boxes.put(wake(2, 1), start);
  auto failed = boxes.take();
  failed->not_before = start + 1s;
  failed->holds_case = true;
  boxes.release(CaseId{1});
  boxes.put(*failed, start);
  CHECK_FALSE(boxes.take().has_value());
  for (auto& due : boxes.take_due(start + 1s)) boxes.put(std::move(due), start + 1s);
  CHECK(boxes.take()->id == WakeId{1});
}

TEST_CASE("wakes of a held entity wait, as long as anything holds it") {
  Mailboxes boxes;
  boxes.hold("guard");
  boxes.hold("guard");
  boxes.put(wake(1, 1), start);
  CHECK_FALSE(boxes.take().has_value());
  boxes.resume("guard");
  CHECK_FALSE(boxes.take().has_value());
  boxes.resume("guard");
  CHECK(boxes.take().has_value());
}

TEST_CASE("a source is busy from the wake until its decision is over") {
  Mailboxes boxes;
  CHECK_FALSE(boxes.busy_with("github"));
  boxes.put(wake(1, 1), start);
  CHECK(boxes.busy_with("github"));
  (void)boxes.take();
  CHECK(boxes.busy_with("github"));
  CHECK_FALSE(boxes.busy_with("gitlab"));
  boxes.release(CaseId{1});
  CHECK_FALSE(boxes.busy_with("github"));
}

TEST_CASE("whatever the order of calls, no case is decided twice at once and none is forgotten") {
  std::mt19937 random(20261123);
  for (int round = 0; round < 50; ++round) {
    Mailboxes boxes;
    std::map<std::int64_t, int> deciding;
    std::vector<Waiting> taken;
    TimePoint now = start;
    std::int64_t next_id = 0;
    int decided = 0;
    const auto release_one = [&] {
      const auto which = random() % taken.size();
      --deciding[taken[which].case_id.value];
      boxes.release(taken[which].case_id);
      taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(which));
      ++decided;
    };
    const auto take_all = [&] {
      for (auto& due : boxes.take_due(now)) boxes.put(std::move(due), now);
      while (auto one = boxes.take()) {
        CHECK(++deciding[one->case_id.value] == 1);
        taken.push_back(std::move(*one));
      }
    };
    for (int step = 0; step < 200; ++step) {
      const auto dice = random() % 10;
      if (dice < 5) {
        const auto delay = random() % 3 == 0 ? Duration{random() % 5'000'000} : Duration{0};
        boxes.put(wake(++next_id, static_cast<std::int64_t>(random() % 7), now + delay), now);
      } else if (dice < 7) {
        take_all();
      } else if (dice < 9 && !taken.empty()) {
        release_one();
      } else {
        now += 500ms;
      }
    }
    now += 10s;
    while (decided < next_id) {
      take_all();
      REQUIRE_FALSE(taken.empty());
      release_one();
    }
    CHECK(boxes.ready() == 0);
    CHECK(boxes.waiting() == 0);
  }
}
