#include "storage/planned.hpp"

#include <boost/json/object.hpp>

#include "place.hpp"
#include "storage/database.hpp"

namespace vigil::storage {
namespace {

SwarmId add_swarm(Stores& s, const std::string& entity) {
  Swarm swarm;
  swarm.entity = entity;
  swarm.state = "running";
  return s.swarms.add(swarm);
}

void end(Stores& s, SwarmId swarm, const std::string& task, int second) {
  put_planned(s.database(), swarm, task, json::object{{"n", second}});
  end_planned(s.database(), {swarm, task, true, at(second), json::object{{"ended", second}}});
}

TEST_CASE("plans that ended are found by planner, newest first; one that is made anew is open") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto one = add_swarm(s, "ops");
    const auto two = add_swarm(s, "ops");
    const auto other = add_swarm(s, "desk");
    end(s, one, "plan", 1);
    end(s, two, "plan", 2);
    end(s, two, "other", 2);
    end(s, other, "plan", 3);
    put_planned(s.database(), SwarmId{99}, "plan", nullptr);  // nobody's
  });
  auto reader = house.reader();
  auto found = ended_plans(reader->database(), "ops", "plan", 10);
  REQUIRE(found.size() == 2);
  CHECK(found[0].swarm.value == 2);
  CHECK(find_integer(found[0].note, "ended") == 2);
  CHECK(found[1].at == at(1));
  CHECK(ended_plans(reader->database(), "ops", "plan", 1).size() == 1);
  CHECK(planned_in(reader->database(), SwarmId{2}).size() == 2);
  CHECK(planned_in(reader->database(), SwarmId{99}).empty());

  house.must(
      [](Stores& s) { put_planned(s.database(), SwarmId{2}, "plan", json::object{{"n", 9}}); });
  reader = house.reader();
  CHECK(ended_plans(reader->database(), "ops", "plan", 10).size() == 1);
  found = planned_in(reader->database(), SwarmId{2});
  CHECK(found[0].task == "other");
  CHECK_FALSE(found[1].ended);
  CHECK(find_integer(found[1].note, "n") == 9);
}

TEST_CASE("they go with the numbers of their swarms") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (int second = 1; second <= 2; ++second) {
      const auto swarm = add_swarm(s, "ops");
      end(s, swarm, "plan", second);
      SwarmNumbers numbers;
      numbers.swarm = swarm;
      numbers.entity = "ops";
      numbers.ended = at(second);
      s.swarms.note(numbers);
    }
  });
  const auto erased = house.await(house.writer->retain({.ledger_before = at(2)}));
  REQUIRE(erased.has_value());
  CHECK(*erased == 1);
  const auto reader = house.reader();
  const auto left = ended_plans(reader->database(), "ops", "plan", 10);
  REQUIRE(left.size() == 1);
  CHECK(left[0].swarm.value == 2);
}

}  // namespace
}  // namespace vigil::storage
