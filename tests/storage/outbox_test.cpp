#include "storage/outbox.hpp"

#include <map>
#include <random>
#include <set>

#include "place.hpp"
#include "storage/settling.hpp"

namespace vigil::storage {
namespace {

Action some_action(const std::string& key, const std::string& state = "approved") {
  Action action;
  action.key = key;
  action.decision = DecisionId{1};
  action.entity = "ops";
  action.kind = "notify";
  action.sink = "chat";
  action.payload = {{"text", "hello"}};
  action.state = state;
  action.created = at(1);
  action.not_before = at(2);
  return action;
}

TEST_CASE("an action comes back as it went in; its key is unique") {
  TempDir dir;
  House house(dir.path());
  const auto id = house.must([](Stores& s) {
    auto action = some_action("v1:1:1", "proposed");
    action.case_id = s.cases.open("ops", "alert:7", at(0)).id;
    action.expires = at(99);
    action.sticky_key = "sticky";
    return s.outbox.add(action);
  });
  const auto action = house.reader()->outbox.find(id);
  REQUIRE(action);
  CHECK(action->key == "v1:1:1");
  CHECK(action->decision == DecisionId{1});
  CHECK(action->case_key == "alert:7");
  CHECK(action->payload == json::object{{"text", "hello"}});
  CHECK(action->state == "proposed");
  CHECK(action->expires == at(99));
  CHECK(action->sticky_key == "sticky");
  CHECK(action->created == at(1));
  CHECK(action->not_before == at(2));
  CHECK_FALSE(house.change([](Stores& s) { s.outbox.add(some_action("v1:1:1")); }).has_value());
  CHECK_FALSE(house.change([](Stores& s) { s.outbox.add(some_action("x", "sent")); }).has_value());
}

TEST_CASE("what is due is approved and past its time, oldest first") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    CHECK_FALSE(s.outbox.earliest());
    auto late = some_action("late");
    late.not_before = at(50);
    const auto late_id = s.outbox.add(late);
    const auto now_id = s.outbox.add(some_action("now"));
    auto proposed = some_action("proposed", "proposed");
    proposed.expires = at(1);
    const auto proposed_id = s.outbox.add(proposed);
    CHECK(*s.outbox.earliest() == at(1));
    REQUIRE(s.outbox.due(at(10), 9).size() == 1);
    CHECK(s.outbox.due(at(10), 9).front().id == now_id);
    CHECK(s.outbox.due(at(60), 9).back().id == late_id);
    REQUIRE(s.outbox.expired(at(10), 9).size() == 1);
    CHECK(s.outbox.settle(proposed_id, "expired", nullptr, "", at(10)));
    CHECK(*s.outbox.earliest() == at(2));
  });
}

TEST_CASE("a delivery is begun once, retried, and settled once") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto id = s.outbox.add(some_action("a"));
    CHECK(s.outbox.begin(id));
    CHECK_FALSE(s.outbox.begin(id));
    s.outbox.retry(id, at(30), "502");
    CHECK(s.outbox.find(id)->state == "approved");
    CHECK(s.outbox.find(id)->attempts == 1);
    CHECK(s.outbox.find(id)->error == "502");
    CHECK(s.outbox.begin(id));
    const json::value answer = json::object{{"ts", "17"}};
    CHECK(s.outbox.settle(id, "delivered", answer, "", at(31)));
    CHECK_FALSE(s.outbox.settle(id, "failed", nullptr, "late", at(32)));
    CHECK_FALSE(s.outbox.approve(id, at(33)));
    const auto action = s.outbox.find(id);
    CHECK(action->state == "delivered");
    CHECK(action->result == answer);
    CHECK(action->settled == at(31));
    CHECK(action->attempts == 2);
  });
}

TEST_CASE("an end and the wake that tells of it are one") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    auto action = some_action("a");
    action.case_id = s.cases.open("ops", "alert:7", at(0)).id;
    const auto id = s.outbox.add(action);
    CHECK_FALSE(settle_and_wake(s, id, "delivered", nullptr, "", at(3)));  // it was not begun
    CHECK(s.wakes.count_open() == 0);
    CHECK(s.outbox.begin(id));
    const auto settled = settle_and_wake(s, id, "failed", nullptr, "410", at(4));
    REQUIRE(settled);
    CHECK(settled->action == id);
    const auto wake = s.wakes.find(settled->wake);
    REQUIRE(wake);
    CHECK(wake->kind == "action");
    CHECK(wake->entity == "ops");
    CHECK(wake->case_key == "alert:7");
    CHECK(wake->not_before == at(4));
    CHECK(find_integer(wake->payload, "action") == id.value);
    CHECK_FALSE(settle_and_wake(s, id, "delivered", nullptr, "", at(5)));
    CHECK(s.wakes.count_open() == 1);
  });
}

TEST_CASE("a person may approve what failed or is unknown, never what was denied") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto id = s.outbox.add(some_action("a", "proposed"));
    CHECK(s.outbox.approve(id, at(5)));
    CHECK(s.outbox.find(id)->not_before == at(5));
    CHECK(s.outbox.begin(id));
    CHECK(s.outbox.settle(id, "unknown", nullptr, "no answer", at(6)));
    CHECK(s.outbox.in_state("unknown", 9).size() == 1);
    CHECK(s.outbox.approve(id, at(7)));
    const auto other = s.outbox.add(some_action("b", "proposed"));
    CHECK(s.outbox.settle(other, "denied", nullptr, "no", at(8)));
    CHECK_FALSE(s.outbox.approve(other, at(9)));
  });
}

TEST_CASE("actions in a state are counted, and listed page by page, of one entity or of all") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    std::vector<ActionId> of_other;
    for (int number = 0; number < 9; ++number) {
      auto action = some_action(std::to_string(number), number % 3 == 0 ? "approved" : "proposed");
      if (number % 2 == 1) action.entity = "other";
      const auto id = s.outbox.add(action);
      if (number % 2 == 1 && action.state == "proposed") of_other.push_back(id);
    }
    CHECK(s.outbox.count_in_state("proposed") == 6);
    CHECK(s.outbox.count_in_state("approved") == 3);
    CHECK(s.outbox.count_in_state("sending") == 0);
    CHECK(s.outbox.list("", "", ActionId{}, 20).size() == 9);
    std::vector<ActionId> seen;
    ActionId before;
    for (auto page = s.outbox.list("", "proposed", before, 4); !page.empty();
         page = s.outbox.list("", "proposed", before, 4)) {
      for (const auto& row : page) {
        CHECK(row.state == "proposed");
        seen.push_back(row.id);
      }
      before = page.back().id;
    }
    CHECK(seen.size() == 6);
    CHECK(std::ranges::is_sorted(seen, std::greater<>{}));
    REQUIRE(of_other.size() == 3);
    CHECK(s.outbox.list("other", "proposed", ActionId{}, 1).front().id == of_other[2]);
    CHECK(s.outbox.list("other", "proposed", of_other[2], 1).front().id == of_other[1]);
    CHECK(s.outbox.list("other", "proposed", of_other[0], 5).empty());
  });
}

TEST_CASE("a newer action with its sticky key supersedes what was not sent yet") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto add = [&](const std::string& key, CaseId of, const std::string& sink) {
      auto action = some_action(key, key == "p" ? "proposed" : "approved");
      action.case_id = of;
      action.sink = sink;
      action.sticky_key = "review";
      return s.outbox.add(action);
    };
    const auto a = s.cases.open("ops", "a", at(0)).id;
    const auto b = s.cases.open("ops", "b", at(0)).id;
    const auto proposed = add("p", a, "chat");
    const auto of_b = add("of b", b, "chat");
    const auto mail = add("mail", a, "mail");
    const auto sending = add("sending", a, "chat");
    CHECK(s.outbox.find(proposed)->state == "superseded");
    CHECK(s.outbox.begin(sending));
    const auto newest = add("newest", a, "chat");
    CHECK(s.outbox.find(sending)->state == "sending");  // its answer is still to come
    CHECK(s.outbox.find(of_b)->state == "approved");
    CHECK(s.outbox.find(mail)->state == "approved");
    CHECK(s.outbox.settle(sending, "delivered", json::value("first"), "", at(3)));
    CHECK(*s.outbox.last_result("ops", a, "chat", "review") == json::value("first"));
    CHECK(s.outbox.begin(newest));
    CHECK(s.outbox.settle(newest, "delivered", json::value("second"), "", at(4)));
    CHECK(*s.outbox.last_result("ops", a, "chat", "review") == json::value("second"));
    CHECK_FALSE(s.outbox.last_result("ops", b, "chat", "review"));
    CHECK_FALSE(s.outbox.last_result("ops", a, "chat", ""));
    add("no case 1", {}, "chat");
    const auto first = s.outbox.list("", {}, 1).front().id;
    add("no case 2", {}, "chat");
    CHECK(s.outbox.find(first)->state == "superseded");
    CHECK(s.outbox.list("ops", {}, 50).size() == 7);
    CHECK(s.outbox.list("ops", first, 50).size() == 5);
  });
}

// Whatever is called in whatever order: a final state is only left the way a person asks for.
TEST_CASE("random calls never take an action out of a final state") {
  TempDir dir;
  House house(dir.path());
  const std::map<std::string, std::set<std::string>> legal = {
      {"proposed", {"approved", "denied", "expired", "superseded"}},
      {"approved", {"sending", "failed", "denied", "expired", "superseded"}},
      {"sending", {"approved", "delivered", "failed", "unknown"}},
      {"failed", {"approved"}},
      {"unknown", {"approved"}},
      {"delivered", {}},
      {"denied", {}},
      {"expired", {}},
      {"superseded", {}},
  };
  const std::vector<std::string> finals = {"delivered", "failed",  "unknown",
                                           "denied",    "expired", "superseded"};
  constexpr unsigned seed = 20'261'123;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](std::size_t count) { return random() % count; };
  std::set<std::string> seen;
  house.must([&](Stores& s) {
    for (int round = 0; round < 400; ++round) {
      auto action = some_action(std::to_string(round), below(2) == 0 ? "proposed" : "approved");
      action.sticky_key = below(3) == 0 ? "sticky" : "";
      const auto id = s.outbox.add(action);
      auto state = action.state;
      for (int call = 0; call < 12; ++call) {
        const auto which = below(6);
        if (which == 0) s.outbox.begin(id);
        if (which == 1) s.outbox.retry(id, at(1), "again");
        if (which == 2) s.outbox.approve(id, at(1));
        if (which >= 4) s.outbox.settle(id, finals[below(finals.size())], nullptr, "", at(2));
        if (which == 3) {
          auto newer = some_action(std::to_string(round) + "-" + std::to_string(call));
          newer.sticky_key = "sticky";
          s.outbox.add(newer);
        }
        const auto next = s.outbox.find(id)->state;
        if (next == state) continue;
        INFO(state << " -> " << next);
        CHECK(legal.at(state).contains(next));
        seen.insert(state + next);
        state = next;
      }
    }
  });
  CHECK(seen.size() == 15);  // every legal step was taken
}

}  // namespace
}  // namespace vigil::storage
