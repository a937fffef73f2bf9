#include "entities/consolidation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json/object.hpp>

namespace vigil::entities {
namespace {

struct Past {
  std::vector<storage::Episode> episodes;

  void add(std::int64_t id, const std::string& kind, const std::string& text, json::value data = {},
           Taint taint = Taint::trusted, std::int64_t of_case = 1) {
    episodes.push_back({id, "ops", CaseId{of_case}, from_unix_us(id * 1'000'000), kind, text,
                        std::move(data), taint});
  }
};

const Gathered* find(const std::vector<Gathered>& all, std::string_view prefix) {
  const auto found =
      std::ranges::find_if(all, [&](const Gathered& one) { return one.key.starts_with(prefix); });
  return found == all.end() ? nullptr : &*found;
}

TEST_CASE("what was said again and again is quoted as it was said last, with its episodes") {
  Past past;
  past.add(4, "incident", "Disk of db-1 is 91 % full.", {}, Taint::trusted, 1);
  past.add(6, "incident", "The mail queue is long.", {}, Taint::trusted, 2);
  past.add(7, "incident", "Disk of db-1 is 95 % full.", {}, Taint::untrusted, 3);
  past.add(9, "incident", "Disk of db-1 is 97 % full.", {}, Taint::trusted, 3);
  const auto all = gather(past.episodes);
  REQUIRE(all.size() == 2);

  const auto* kind = find(all, "seen:kind:incident");
  REQUIRE(kind != nullptr);
  CHECK(kind->value == json::value{{"count", 4},
                                   {"cases", 3},
                                   {"first", "1970-01-01T00:00:04.000Z"},
                                   {"last", "1970-01-01T00:00:09.000Z"}});
  CHECK(kind->provenance == "4 of 4 episodes: 4 6 7 9");

  const auto* text = find(all, "seen:text:incident:");
  REQUIRE(text != nullptr);
  CHECK(text->key.size() == std::string("seen:text:incident:").size() + 16);
  CHECK(find_text(text->value, "text") == "Disk of db-1 is 97 % full.");
  CHECK(find_integer(text->value, "count") == 3);
  CHECK(find_integer(text->value, "cases") == 2);
  CHECK(text->provenance == "3 of 4 episodes: 4 7 9");
  CHECK(text->confidence == doctest::Approx(0.75));
  CHECK(text->taint == Taint::untrusted);
  CHECK(text->newest == 9);
  CHECK_FALSE(text->is_preference);
}

TEST_CASE("twice is no habit, and no episode says nothing") {
  Past past;
  CHECK(gather(past.episodes).empty());
  past.add(1, "note", "the same");
  past.add(2, "note", "the same");
  CHECK(gather(past.episodes).empty());
  past.add(3, "other", "the same");  // of another kind
  CHECK(gather(past.episodes).empty());
}

TEST_CASE("a value that most episodes of a kind have is the usual one") {
  Past past;
  past.add(1, "cause", "a", json::object{{"by", "deploy"}, {"round", 1}, {"sure", true}});
  past.add(2, "cause", "b", json::object{{"by", "deploy"}, {"round", 2}, {"sure", false}});
  past.add(3, "cause", "c", json::object{{"by", "disk"}, {"round", 3}, {"sure", true}});
  past.add(4, "cause", "d", json::object{{"by", "deploy"}, {"round", 4}, {"sure", false}});
  const auto all = gather(past.episodes);
  const auto* by = find(all, "seen:usual:cause:by");
  REQUIRE(by != nullptr);
  CHECK(find_text(by->value, "value") == "deploy");
  CHECK(find_integer(by->value, "count") == 3);
  CHECK(find_integer(by->value, "of") == 4);
  CHECK(by->confidence == doctest::Approx(0.75 * 0.75));
  CHECK(by->provenance == "3 of 4 episodes: 1 2 4");
  CHECK(find(all, "seen:usual:cause:round") == nullptr);  // each has its own
  CHECK(find(all, "seen:usual:cause:sure") == nullptr);   // half is not most
}

TEST_CASE("what a person wanted becomes a preference") {
  Past past;
  for (std::int64_t id = 1; id <= 3; ++id) {
    past.add(id, "learned", "moved", json::object{{"class", "later"}});
  }
  const auto all = gather(past.episodes);
  const auto* usual = find(all, "seen:usual:learned:class");
  REQUIRE(usual != nullptr);
  CHECK(usual->is_preference);
  CHECK(find_text(usual->value, "value") == "later");
}

TEST_CASE("of many episodes the last twenty are named, and of many facts the most frequent stay") {
  Past past;
  for (std::int64_t id = 1; id <= 23; ++id) past.add(id, "tick", "tock");
  const auto few = gather(past.episodes);
  CHECK(find(few, "seen:kind:tick")->provenance ==
        "23 of 23 episodes: 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 and 3 before");
  for (std::int64_t id = 100; id < 100 + 3 * 300; ++id) {
    past.add(id,
             "kind" + std::string(1 + static_cast<std::size_t>(id % 300), 'x').substr(0, 50) +
                 std::to_string(id % 300),
             "");
  }
  const auto all = gather(past.episodes);
  CHECK(all.size() == gathered_max);
  CHECK(find(all, "seen:kind:tick") != nullptr);
  CHECK(std::ranges::is_sorted(all, {}, &Gathered::key));
}

TEST_CASE("a long text is cut between characters, and its quotation still stands in the episode") {
  Past past;
  std::string text;
  while (text.size() < 400) text += "größe ";
  for (std::int64_t id = 1; id <= 3; ++id) past.add(id, "note", text);
  const auto all = gather(past.episodes);
  const auto quote = find_text(find(all, "seen:text:")->value, "text").value();
  CHECK(quote.size() >= 297);
  CHECK(quote.size() <= 300);
  CHECK(text.starts_with(quote));
  CHECK(is_valid_utf8(quote));
}

}  // namespace
}  // namespace vigil::entities
