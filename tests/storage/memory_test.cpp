#include "storage/memory.hpp"

#include "place.hpp"

namespace vigil::storage {
namespace {

Document doc(const std::string& entity, const std::string& key, const std::string& title,
             const std::string& body) {
  return {entity, key, title, body, Taint::untrusted, at(1)};
}

TEST_CASE("facts are known by key and by prefix, and null forgets") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    const auto put = [&](const std::string& key, json::value value) {
      s.memory.put(Fact{"ops", key, std::move(value), 0.75, "event 3", Taint::trusted, at(2)});
    };
    put("host/a", 1);
    put("host/b", json::object{{"up", true}});
    put("hostile", "x");
    put("host/ä", "umlaut");
    const auto fact = s.memory.fact("ops", "host/b");
    REQUIRE(fact);
    CHECK(fact->value == json::value{{"up", true}});
    CHECK(fact->confidence == 0.75);
    CHECK(fact->provenance == "event 3");
    CHECK(fact->taint == Taint::trusted);
    CHECK(fact->updated == at(2));
    CHECK(s.memory.facts("ops", "host/", 10).size() == 3);
    CHECK(s.memory.facts("ops", "", 10).size() == 4);
    CHECK(s.memory.facts("ops", "host/", 2).size() == 2);
    CHECK(s.memory.facts("other", "", 10).empty());
    put("host/a", 2);
    CHECK(s.memory.fact("ops", "host/a")->value == json::value(2));
    put("host/a", nullptr);
    CHECK_FALSE(s.memory.fact("ops", "host/a"));
  });
}

TEST_CASE("preferences are kept with their reason") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    s.memory.put(Preference{"ops", "mute/x", true, "noise twice", at(3)});
    CHECK(s.memory.preference("ops", "mute/x")->why == "noise twice");
    CHECK(s.memory.preferences("ops", "mute/", 5).size() == 1);
    CHECK(s.memory.preference("ops", "mute/x")->taint == Taint::untrusted);  // unless it is said
    s.memory.put(Preference{"ops", "mute/x", true, "noise twice", at(3), Taint::trusted});
    CHECK(s.memory.preference("ops", "mute/x")->taint == Taint::trusted);
    s.memory.put(Preference{"ops", "mute/x", true, "a page said so", at(3), Taint::untrusted});
    CHECK(s.memory.preferences("ops", "mute/", 5).front().taint == Taint::untrusted);
    s.memory.put(Preference{"ops", "mute/x", nullptr, "", at(4)});
    CHECK_FALSE(s.memory.preference("ops", "mute/x"));
  });
}

TEST_CASE("episodes are listed newest first, of a case or of all") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (int n = 1; n <= 5; ++n) {
      s.memory.add(Episode{0, "ops", CaseId{n % 2}, at(n), "incident",
                           "number " + std::to_string(n), json::object{{"n", n}},
                           Taint::untrusted});
    }
    const auto all = s.memory.episodes("ops", {}, 10);
    REQUIRE(all.size() == 5);
    CHECK(all.front().text == "number 5");
    CHECK(all.front().data == json::value{{"n", 5}});
    CHECK(all.front().case_id == CaseId{1});
    CHECK(s.memory.episodes("ops", CaseId{1}, 10).size() == 3);
    CHECK(s.memory.episodes("ops", CaseId{1}, 1).front().text == "number 5");
    CHECK(s.memory.episodes("codebase", {}, 10).empty());
  });
}

TEST_CASE("search finds words in any order, in documents and episodes, without accents") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    s.memory.put(
        doc("ops", "runbook", "Café outage", "Restart the database before the café opens"));
    s.memory.put(doc("ops", "notes", "Notes", "nothing of interest"));
    s.memory.put(doc("code-base", "readme", "Readme", "the database layer"));
    s.memory.add(Episode{0,
                         "ops",
                         {},
                         at(1),
                         "incident",
                         "The database was slow after a restart",
                         nullptr,
                         Taint::untrusted});
    auto found = s.memory.search("ops", "restart DATABASE", 10);
    REQUIRE(found.size() == 2);
    found = s.memory.search("ops", "cafe", 10);
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == "document");
    CHECK(found[0].key == "runbook");
    CHECK(found[0].title == "Café outage");
    CHECK(found[0].excerpt.find("[") != std::string::npos);
    CHECK(s.memory.search("", "database", 10).size() == 3);
    CHECK(s.memory.search("code-base", "database", 10).size() == 1);
    CHECK(s.memory.search("code", "database", 10).empty());  // another entity than code-base
    CHECK(s.memory.search("ops", "database", 1).size() == 1);
    CHECK(s.memory.search("ops", "ops", 10).empty());  // the entity's name is no text
    // No document has all of these: those with any are better than none.
    CHECK(s.memory.search("ops", "restart submarine", 10).size() == 2);
  });
}

TEST_CASE("no text is a syntax error of search") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    s.memory.put(doc("ops", "a", "Quotes", "say \"hello\" AND goodbye (NEAR) title:x * ^ -"));
    for (const std::string words :
         {"\"", "\"\"\"", "AND", "NOT OR", "NEAR(", "a*", "title:", "^x", "-", "(", ")", "{}",
          "col : x", "'; DROP TABLE event; --", "\xff\xfe", "", "   ", "+", "hello\" OR \"x"}) {
      INFO(words);
      CHECK_NOTHROW(s.memory.search("ops", words, 5));
    }
    CHECK_NOTHROW(s.memory.search("ops", std::string("a\0b", 3), 5));
    CHECK_NOTHROW(s.memory.search("ops", std::string(100'000, 'x'), 5));
    CHECK(s.memory.search("ops", "\"hello\"", 5).size() == 1);
    CHECK(s.memory.search("", "", 5).empty());
  });
}

TEST_CASE("a changed or forgotten document is found by its new words alone") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    s.memory.put(doc("ops", "a", "Old", "alpha"));
    s.memory.put(doc("ops", "a", "New", "beta"));
    CHECK(s.memory.search("ops", "alpha", 5).empty());
    CHECK(s.memory.search("ops", "beta", 5).size() == 1);
    CHECK(s.memory.document("ops", "a")->title == "New");
    s.memory.put(doc("ops", "a", "", ""));
    CHECK(s.memory.search("ops", "beta", 5).empty());
    CHECK_FALSE(s.memory.document("ops", "a"));
  });
}

TEST_CASE("forgetting takes facts, preferences and documents of one entity by prefix") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (const std::string entity : {"ops", "other"}) {
      s.memory.put(Fact{entity, "p/1", 1, 1.0, "", Taint::trusted, at(1)});
      s.memory.put(Preference{entity, "p/2", 1, "", at(1)});
      s.memory.put(doc(entity, "p/3", "T", "gamma"));
      s.memory.put(doc(entity, "q", "T", "gamma"));
    }
    CHECK(s.memory.forget("ops", "p/") == 3);
    CHECK(s.memory.search("", "gamma", 9).size() == 3);
    CHECK(s.memory.facts("other", "", 9).size() == 1);
  });
}

}  // namespace
}  // namespace vigil::storage
