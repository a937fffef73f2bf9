#include "storage/journal.hpp"

#include <fmt/format.h>

#include "place.hpp"

namespace vigil::storage {
namespace {

TEST_CASE("an event comes back as it went in") {
  TempDir dir;
  House house(dir.path());
  auto sent = some_event("uid-1");
  sent.taint = Taint::trusted;
  sent.data = R"({"text": "line\nbreak", "list": [1, 2.5, null, true]})";
  const auto id = house.must([sent](Stores& s) { return s.journal.append(sent); }).id;
  const auto event = house.reader()->journal.find(id);
  REQUIRE(event);
  CHECK(event->id == id);
  CHECK(event->uid == "uid-1");
  CHECK(event->source == "hooks");
  CHECK(event->type == "test.happened");
  CHECK(event->subject == "octo/repo#12");
  CHECK(event->time == at(0));
  CHECK(event->received_at == at(1));
  CHECK(event->content_type == "application/json");
  CHECK(event->headers == sent.headers);
  CHECK(event->taint == Taint::trusted);
  CHECK(event->data == *parse_json(sent.data));
}

TEST_CASE("an event without payload has none, and one that is no JSON keeps its text") {
  TempDir dir;
  House house(dir.path());
  auto empty = some_event("empty");
  empty.data.clear();
  empty.headers.clear();
  auto odd = some_event("odd");
  odd.data = "plain words";
  house.must([=](Stores& s) {
    s.journal.append(empty);
    s.journal.append(odd);
  });
  auto reader = house.reader();
  CHECK(reader->journal.find(EventId{1})->data.is_null());
  CHECK(reader->journal.find(EventId{1})->headers.empty());
  CHECK(reader->journal.find(EventId{2})->data == json::value("plain words"));
  CHECK(reader->journal.find(EventId{3}) == nullptr);
}

TEST_CASE("a second delivery gets the first one's id") {
  TempDir dir;
  House house(dir.path());
  const auto send = [&](const NewEvent& event) {
    return house.must([event](Stores& s) { return s.journal.append(event); });
  };
  const auto first = send(some_event("a"));
  const auto again = send(some_event("a"));
  CHECK(again.duplicate);
  CHECK(again.id == first.id);
  const auto elsewhere = send(some_event("a", "other"));
  CHECK_FALSE(elsewhere.duplicate);
  CHECK(elsewhere.id != first.id);
}

TEST_CASE("a replayed body under another delivery id is a duplicate of its source") {
  TempDir dir;
  House house(dir.path());
  const auto send = [&](const std::string& uid, const std::string& hash,
                        const std::string& source) {
    auto event = some_event(uid, source);
    event.dedup_hash = hash;
    return house.must([event](Stores& s) { return s.journal.append(event); });
  };
  const auto first = send("a", "h1", "hooks");
  CHECK(send("b", "h1", "hooks").duplicate);
  CHECK(send("b", "h1", "hooks").id == first.id);
  CHECK_FALSE(send("b", "h1", "other").duplicate);
  CHECK_FALSE(send("c", "h2", "hooks").duplicate);
  CHECK_FALSE(send("d", "", "hooks").duplicate);
  CHECK_FALSE(send("e", "", "hooks").duplicate);
}

TEST_CASE("a state that comes back after another one of its subject is told again, once") {
  TempDir dir;
  House house(dir.path());
  const auto tell = [&](const std::string& state, const std::string& subject) {
    auto event = some_event(state);
    event.subject = subject;
    event.names = Names::state;
    return house.must([event](Stores& s) { return s.journal.append(event); });
  };
  const auto fires = tell("fires", "g");
  CHECK_FALSE(fires.duplicate);
  CHECK(fires.uid.empty());  // the one that was given
  CHECK(tell("fires", "g").duplicate);
  CHECK_FALSE(tell("other", "h").duplicate);
  CHECK(tell("fires", "g").id == fires.id);  // what another subject says does not count
  CHECK_FALSE(tell("resolved", "g").duplicate);
  const auto back = tell("fires", "g");
  CHECK_FALSE(back.duplicate);
  CHECK(house.reader()->journal.find(back.id)->uid == back.uid);
  const auto repeated = tell("fires", "g");
  CHECK(repeated.duplicate);
  CHECK(repeated.id == back.id);
  const auto over = tell("resolved", "g");
  CHECK_FALSE(over.duplicate);
  CHECK_FALSE(tell("fires", "g").duplicate);
  CHECK(house.reader()->journal.count_after(EventId{0}) == 6);
}

TEST_CASE("events are read in order from a cursor, within a limit and a size") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (int number = 1; number <= 20; ++number)
      s.journal.append(some_event(std::to_string(number)));
    for (int number = 21; number <= 26; ++number) {
      auto big = some_event(std::to_string(number));
      big.data = to_text(json::value(json::string(3 << 20, 'x')));
      s.journal.append(big);
    }
  });
  auto reader = house.reader();
  const auto some = reader->journal.read_after(EventId{5}, 10);
  REQUIRE(some.size() == 10);
  CHECK(some.front()->id.value == 6);
  CHECK(some.back()->id.value == 15);
  CHECK(reader->journal.read_after(EventId{20}, 10).size() == 3);  // 9 MB of 18
  CHECK(reader->journal.read_after(EventId{26}, 10).empty());
  CHECK(reader->journal.last().value == 26);
  CHECK(reader->journal.count_after(EventId{20}) == 6);
}

TEST_CASE("lists are newest first, by source and by pattern of type") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const char* types[] = {"github.push", "github.pull_request.opened", "alert.firing"};
    for (int number = 0; number < 30; ++number) {
      auto event = some_event(std::to_string(number), number % 2 == 0 ? "even" : "odd");
      event.type = types[number % 3];
      s.journal.append(event);
    }
  });
  auto reader = house.reader();
  const auto ids = [&](const EventFilter& filter) {
    std::vector<std::int64_t> out;
    for (const auto& event : reader->journal.list(filter)) out.push_back(event->id.value);
    return out;
  };
  CHECK(ids({.limit = 3}) == std::vector<std::int64_t>{30, 29, 28});
  CHECK(ids({.before = EventId{4}, .limit = 9}) == std::vector<std::int64_t>{3, 2, 1});
  CHECK(ids({.source = "even", .limit = 3}) == std::vector<std::int64_t>{29, 27, 25});
  CHECK(ids({.type_like = "github.*", .limit = 4}) == std::vector<std::int64_t>{29, 28, 26, 25});
  CHECK(ids({.type_like = "*.opened", .limit = 2}) == std::vector<std::int64_t>{29, 26});
  CHECK(ids({.source = "odd", .type_like = "alert.firing", .before = EventId{20}, .limit = 2}) ==
        std::vector<std::int64_t>{18, 12});
  CHECK(ids({.source = "nobody"}).empty());
  CHECK(ids({.type_like = "github.push.*"}).empty());
}

}  // namespace
}  // namespace vigil::storage
