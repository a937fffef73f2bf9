#include "storage/proposals.hpp"

#include "place.hpp"

namespace vigil::storage {
namespace {

ActionId proposed(Stores& stores, const std::string& key, const std::string& alike) {
  Action action;
  action.key = key;
  action.entity = "guard";
  action.kind = "comment";
  action.sink = "github";
  action.state = "proposed";
  const auto id = stores.outbox.add(action);
  stores.proposals.add({id, "guard", alike, "autonomy", "", ""});
  return id;
}

TEST_CASE("answers to alike proposals are read newest first, those without one left out") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto first = proposed(s, "1", "a");
    const auto other = proposed(s, "2", "b");
    const auto second = proposed(s, "3", "a");
    proposed(s, "4", "a");
    CHECK(s.proposals.find(first)->answer.empty());
    CHECK(s.proposals.answer(first, "approved", "uid 7", at(1)));
    CHECK(s.proposals.answer(second, "denied", "link", at(2)));
    CHECK(s.proposals.answer(other, "approved", "uid 7", at(2)));
    CHECK_FALSE(s.proposals.answer(ActionId{99}, "approved", "uid 7", at(2)));
    CHECK(s.proposals.answers("guard", "a", 5) == std::vector<std::string>{"denied", "approved"});
    CHECK(s.proposals.answers("guard", "a", 1) == std::vector<std::string>{"denied"});
    CHECK(s.proposals.answers("clerk", "a", 5).empty());
    const auto row = s.proposals.find(first);
    CHECK(row->by == "uid 7");
    CHECK(row->held == "autonomy");
  });
}

}  // namespace
}  // namespace vigil::storage
