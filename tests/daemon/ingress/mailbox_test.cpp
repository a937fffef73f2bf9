// From one look at a mailbox to the next: what is new, moved, flagged, gone.
#include "daemon/ingress/mailbox.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>

namespace vigil::ingress {
namespace {

using Kind = MailChange::Kind;

Held held(const std::string& key, std::vector<std::string> flags = {}, bool missing = false) {
  return {key, key + "@example.org", std::move(flags), missing};
}

std::string told(const std::vector<MailChange>& changes) {
  constexpr std::array names{"message", "moved", "flagged", "gone", "copied", "missing"};
  std::string out;
  for (const auto& one : changes) {
    out += std::string(names.at(static_cast<std::size_t>(one.kind))) + " " + one.held.key + " ";
    if (!one.from_folder.empty()) out += one.from_folder + ">";
    out += one.folder + ";";
  }
  return out;
}

TEST_CASE("what a look comes to") {
  const HeldMailbox one{{"A", {{"1", held("x")}}}, {"B", {}}};
  struct Case {
    const char* what;
    HeldMailbox before;
    HeldMailbox now;
    const char* told;
  };
  const std::vector<Case> cases{
      {"nothing", one, one, ""},
      {"a new message", one, {{"A", {{"1", held("x")}, {"2", held("y")}}}}, "message y A;"},
      {"a move", one, {{"A", {}}, {"B", {{"7", held("x")}}}}, "moved x A>B;"},
      {"a move that is half done",
       one,
       {{"A", {{"1", held("x")}}}, {"B", {{"7", held("x")}}}},
       "copied x B;"},
      {"its other half",
       {{"A", {{"1", held("x")}}}, {"B", {{"7", held("x")}}}},
       {{"A", {}}},
       "moved x A>B;"},
      {"a flag", one, {{"A", {{"1", held("x", {"\\Seen"})}}}}, "flagged x A;"},
      {"perhaps gone", one, {{"A", {}}, {"B", {}}}, "missing x A;"},
      {"gone", {{"A", {{"1", held("x", {}, true)}}}}, {{"A", {}}}, "gone x A;"},
      {"found again where it was",
       {{"A", {{"1", held("x", {}, true)}}}},
       {{"A", {{"1", held("x")}}}},
       "copied x A;"},
      {"found again elsewhere",
       {{"A", {{"1", held("x", {}, true)}}}},
       {{"A", {}}, {"B", {{"3", held("x")}}}},
       "moved x A>B;"},
      {"the same twice at once",
       one,
       {{"A", {{"1", held("x")}, {"2", held("y")}}}, {"B", {{"1", held("y")}}}},
       "message y A;copied y B;"},
      {"two that are alike, both moved",
       {{"A", {{"1", held("x")}, {"2", held("x")}}}},
       {{"A", {}}, {"B", {{"1", held("x")}, {"2", held("x")}}}},
       "moved x A>B;moved x A>B;"},
      {"a new place in the same folder", one, {{"A", {{"9", held("x")}}}}, "copied x A>A;"},
      {"a folder that was not looked at",
       {{"A", {{"1", held("x")}}}, {"B", {{"2", held("y")}}}},
       {{"A", {{"1", held("x")}}}},
       ""},
  };
  for (const auto& one_case : cases) {
    INFO(one_case.what);
    CHECK(told(changes_between(one_case.before, one_case.now)) == one_case.told);
  }
}

TEST_CASE("flags that came and went are told apart") {
  const HeldMailbox before{{"A", {{"1", held("x", {"\\Flagged", "\\Seen"})}}}};
  const HeldMailbox now{{"A", {{"1", held("x", {"$Junk", "\\Seen"})}}}};
  const auto changes = changes_between(before, now);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].added == std::vector<std::string>{"$Junk"});
  CHECK(changes[0].removed == std::vector<std::string>{"\\Flagged"});
}

// What is remembered after the changes are stored is what was seen: however a mailbox changes, and
// wherever a crash cuts between two steps, each message is told once.
TEST_CASE("nothing is told twice and nothing is lost, wherever it is cut") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    HeldMailbox real{{"A", {}}, {"B", {}}, {"C", {}}};
    std::map<std::string, SeenMessage> stored;
    std::map<std::string, int> messages;
    int next = 0;
    const auto look = [&](bool cut) {
      HeldMailbox before;
      for (const auto& [item, message] : stored)
        before[message.folder][message.place] = message.held;
      const auto changes = changes_between(before, real);
      const auto whole = cut ? random() % (changes.size() + 1) : changes.size();
      for (std::size_t i = 0; i < whole; ++i) {
        if (changes[i].kind == Kind::message) ++messages[changes[i].held.key];
        for (const auto& [item, value] : to_seen(changes[i])) {
          if (value.empty()) stored.erase(item);
          if (value.empty()) continue;
          auto message = message_from_seen(item, value);
          REQUIRE(message);
          stored[item] = std::move(*message);
        }
      }
    };
    for (int turn = 0; turn < 25; ++turn) {
      auto& folder = std::next(real.begin(), static_cast<int>(random() % 3))->second;
      auto& other = std::next(real.begin(), static_cast<int>(random() % 3))->second;
      if (folder.empty() || random() % 2 == 0) {
        const auto key = std::to_string(++next);
        folder[place_of_uid(static_cast<std::uint64_t>(next))] = held(key);
      } else if (&folder != &other) {
        const auto moved = folder.begin();
        other[place_of_uid(static_cast<std::uint64_t>(1000 + ++next))] = moved->second;
        folder.erase(moved);
      }
      look(random() % 2 == 0);
    }
    look(false);
    look(false);
    std::size_t there = 0;
    for (const auto& [name, folder] : real) {
      for (const auto& [place, one] : folder) {
        ++there;
        CHECK(messages[one.key] == 1);
      }
    }
    CHECK(stored.size() == there);
  }
}

TEST_CASE("a message is known by its headers, folded or not") {
  const auto one = identity_of("From: a\r\nMessage-ID: <x@y>\r\nDate: Mon\r\n\r\nbody");
  const auto two = identity_of("date: Mon\r\nmessage-id:\r\n <x@y>\r\nSubject: s\r\nfrom: a\r\n");
  CHECK(one.message_id == "x@y");
  CHECK(one.key == two.key);
  CHECK(identity_of("From: b\r\nMessage-ID: <x@y>\r\nDate: Mon\r\n").key != one.key);
  CHECK(identity_of("From: a\r\nDate: Mon\r\nSubject: 1\r\n").key !=
        identity_of("From: a\r\nDate: Mon\r\nSubject: 2\r\n").key);
  CHECK(identity_of("Message-ID: <x@y>\r\nReferences: <1@y>\r\n <2@y>\r\nIn-Reply-To: <2@y>\r\n")
            .thread == "1@y");
  CHECK(identity_of("Message-ID: <x@y>\r\nIn-Reply-To: <2@y>\r\n").thread == "2@y");
  CHECK(identity_of("Message-ID: <x@y>\r\nIn-Reply-To: your letter of Monday\r\n").thread.empty());
  CHECK(one.thread.empty());
  CHECK(identity_of("").key.empty());
  CHECK(identity_of("\r\n").key.empty());
}

}  // namespace
}  // namespace vigil::ingress
