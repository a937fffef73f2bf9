// Documents in passages: how words are compared, where texts are cut, what is found.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/json.hpp"
#include "storage/database.hpp"
#include "storage/passages.hpp"
#include "tests/storage/place.hpp"
#include "tests/support/places.hpp"

namespace vigil::storage {
namespace {

namespace fs = std::filesystem;

TimePoint at(int second) { return TimePoint{} + std::chrono::seconds(second); }

Document doc(const std::string& key, const std::string& title, const std::string& body) {
  return {"ops", key, title, body, Taint::untrusted, at(1)};
}

std::string keys(const std::vector<Hit>& hits) {
  std::string out;
  for (const auto& hit : hits) out += (out.empty() ? "" : " ") + hit.key;
  return out;
}

TEST_CASE("words are folded and stemmed in their language") {
  CHECK(fold("Größe ÀÉÎ Łódź ŒUVRE") == "grosse aei lodz oeuvre");
  CHECK(fold("ΑΒΓ Привет") == "αβγ привет");
  CHECK(guess_language("the gate is open and it was not closed") == Language::english);
  CHECK(guess_language("das Tor ist offen und wurde nicht geschlossen") == Language::german);
  CHECK(guess_language("Tesla 1856") == Language::other);
  Terms terms;
  CHECK(terms.stem("databases", Language::english) == terms.stem("database", Language::english));
  CHECK(terms.stem("haeuser", Language::german) == terms.stem("hauser", Language::german));
  CHECK(terms.stem("neue", Language::german) == terms.stem("neuen", Language::german));
  const auto words = terms.words("Der Preis: 1.234,50 Euro", Language::german, 10);
  REQUIRE(words.size() == 4);
  CHECK(words[0].term.empty());
  CHECK(words[2].term == "123450");
}

TEST_CASE("a compound is taken apart by words that are known") {
  Terms terms;
  const IsKnown known = [&](const std::string& term) {
    for (const std::string word : {"nation", "versammlung", "wartung", "vertrag", "heizung"}) {
      if (terms.stem(word, Language::german) == term) return true;
    }
    return false;
  };
  const auto parts = [&](const std::string& word) {
    return terms.words(word, Language::german, 5, known).at(0).parts;
  };
  CHECK(parts("Wartungsvertrag").size() == 2);
  CHECK(parts("Heizungswartungsvertrag").size() == 3);
  CHECK(parts("Nationalversammlung") ==
        std::vector<std::string>{terms.stem("versammlung", Language::german)});
  CHECK(parts("Vertrag").empty());
  CHECK(parts("Xylophonkonzert").empty());
  CHECK(parts(std::string(5'000, 'x')).empty());
}

TEST_CASE("a text is cut into passages with their headings and places") {
  const std::string body =
      "Intro here.\n\n# Install\n\n## Debian\nRun apt.\nThen start it.\n\nshort\n\n# Use\nAsk.\n";
  const auto pieces = split_passages(body);
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].heading.empty());
  CHECK(pieces[0].place == "line 1");
  CHECK(pieces[1].heading == "Install › Debian");
  CHECK(pieces[1].place == "line 6");
  CHECK(body.substr(pieces[1].at, pieces[1].bytes) == "Run apt.\nThen start it.\n\nshort");
  CHECK(pieces[2].heading == "Use");
  const auto pages = split_passages("First page.\n\fSecond page.\n\fThird.");
  REQUIRE(pages.size() == 3);
  CHECK(pages[2].place == "page 3");
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "A sentence über alles. ";
  std::size_t covered = 0;
  for (const auto& piece : split_passages(text)) {
    CHECK(piece.bytes <= 1'600);
    CHECK(is_valid_utf8(text.substr(piece.at, piece.bytes)));
    covered += piece.bytes;
  }
  CHECK(covered == text.size());
  for (const std::string odd : {"", "\n\n\n", "#", "# ", "######", "\f\f", "\xff\xfe# x"}) {
    CHECK(split_passages(odd).size() >= 1);
  }
  std::string endless;
  for (int i = 0; i < 5'000; ++i) endless += "\xc3\xbc";
  for (const auto& piece : split_passages(endless)) {
    CHECK(is_valid_utf8(endless.substr(piece.at, piece.bytes)));
  }
}

TEST_CASE("forms of a word, parts of compounds and near words are found, with their sentence") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    s.memory.put(doc("a", "Heizung",
                     "# Wartung\n\nDer Tank wird im Oktober geprüft. Die Anlage ist alt und wurde "
                     "nicht erneuert.\n\n# Kosten\n\nDer Vertrag mit der Firma kostet 300 Euro."));
    s.memory.put(doc("b", "Verträge", "Die Wartungsverträge liegen im Schrank bei der Tür."));
    s.memory.put(doc("c", "Backups", "The databases were restored after the outage in May."));
    auto hits = s.memory.passages.find("", "Wann wird der Tank geprüft?", 5);
    REQUIRE_FALSE(hits.empty());
    CHECK(hits[0].key == "a");
    CHECK(hits[0].heading == "Wartung");
    CHECK(hits[0].quote == "Der Tank wird im Oktober geprüft.");
    CHECK(hits[0].marked == "Der [Tank] wird im Oktober [geprüft].");
    CHECK(hits[0].every_word);
    CHECK(keys(s.memory.passages.find("", "Welcher Vertrag liegt im Schrank?", 1)) == "b");
    CHECK(keys(s.memory.passages.find("", "restoring a database", 1)) == "c");
    CHECK(keys(s.memory.passages.find("", "restoratoin database", 1)) == "c");
    CHECK(s.memory.passages.find("other", "database", 5).empty());
    CHECK(s.memory.passages.find("", "", 5).empty());
    CHECK(s.memory.passages.find("", "the of and", 5).empty());
    CHECK(s.memory.search("ops", "Vertraege", 5).size() == 2);
  });
}

TEST_CASE("an entity finds its own among many of others, also by words that are everywhere") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (int i = 0; i < 300; ++i) {
      auto other = doc(fmt::format("o{}", i), "Pumps", "The pump was checked in the cellar.");
      other.entity = "plant";
      s.memory.put(other);
    }
    s.memory.put(doc("a", "Rooms", "A long text of the house, where once a pump was seen."));
    s.memory.put(doc("b", "Rooms", "The roof is new."));
    CHECK(keys(s.memory.passages.find("ops", "Where is the pump?", 5)) == "a");
    CHECK(keys(s.memory.passages.find("ops", "the new pump of the roof", 5)) == "b a");
    CHECK(s.memory.passages.find("plant", "pump cellar", 5).size() == 5);
    CHECK(s.memory.passages.find("plant", "roof", 5).empty());
  });
}

TEST_CASE("what holds more of the question comes first, and a heading helps") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (int i = 0; i < 100; ++i) {
      s.memory.put(doc(fmt::format("o{}", i), "Notes", "A valve was opened and closed again."));
    }
    s.memory.put(doc("text", "Notes", "The valve of the boiler was opened by the plumber."));
    s.memory.put(doc("head", "Boiler", "A valve was opened and closed again."));
    CHECK(keys(s.memory.passages.find("", "boiler valve plumber", 2)) == "text head");
    const auto hit = s.memory.passages.find("", "boiler valve plumber", 1).at(0);
    CHECK(hit.marked == "The [valve] of the [boiler] was opened by the [plumber].");
  });
}

TEST_CASE("what is taken out leaves nothing behind") {
  TempDir dir;
  House house(dir.path());
  house.must([](Stores& s) {
    for (int round = 0; round < 3; ++round) {
      s.memory.put(doc("a", "One", "alpha beta gamma"));
      s.memory.put(doc("b", "Two", "alpha delta"));
    }
    CHECK(s.memory.passages.count() == 2);
    CHECK(s.database().number("SELECT passages FROM term WHERE term = 'alpha'") == 2);
    s.memory.put(doc("a", "", ""));
    CHECK(s.memory.passages.count() == 1);
    CHECK(s.database().number("SELECT passages FROM term WHERE term = 'alpha'") == 1);
    CHECK(s.database().number("SELECT count(*) FROM term WHERE term = 'beta'") == 0);
    s.memory.forget("ops", "");
    CHECK(s.memory.passages.count() == 0);
    CHECK(s.database().number("SELECT count(*) FROM passage") == 0);
    CHECK(s.database().number("SELECT count(*) FROM term") == 0);
    CHECK(s.database().number("SELECT words FROM passage_total") == 0);
  });
}

TEST_CASE("documents of an older database are read in when it is opened") {
  TempDir dir;
  {
    House house(dir.path());
    house.must([](Stores& s) {
      s.memory.put(doc("a", "One", "alpha beta"));
      s.database().run("DELETE FROM passage");
      CHECK(s.memory.passages.find("", "alpha", 5).empty());
    });
  }
  House house(dir.path());
  house.must([](Stores& s) { CHECK(s.memory.passages.find("", "alpha", 5).size() == 1); });
}

// The published figures are of plain BM25 over the same paragraphs.
TEST_CASE("the right paragraph is found more often than by plain BM25") {
  const fs::path shared = fs::path(source_dir()) / "../shared/data/knowledge";
  if (!fs::exists(shared)) {
    MESSAGE("skipped: the shared data are not here");
    return;
  }
  struct Aim {
    std::string language;
    double first;
    double five;
  };
  for (const auto& aim : {Aim{"en", 0.9124, 0.9810}, Aim{"de", 0.8555, 0.9591}}) {
    TempDir dir;
    House house(dir.path());
    house.must([&](Stores& s) {
      std::ifstream documents(shared / ("xquad-" + aim.language + "-documents.jsonl"));
      std::string line;
      std::vector<Passages::Source> sources;
      while (std::getline(documents, line)) {
        const auto one = parse_json(line).value();
        const std::string key(find_text(one, "id").value());
        s.database().run(
            "INSERT INTO document (entity, key, title, body, taint, updated) "
            "VALUES ('k', ?, ?, ?, 0, 0)",
            key, find_text(one, "title").value(), find_text(one, "text").value());
        sources.push_back({s.database().last_id(), "k",
                           std::string(find_text(one, "title").value()),
                           std::string(find_text(one, "text").value())});
      }
      s.memory.passages.put(sources);
      std::ifstream questions(shared / ("xquad-" + aim.language + "-questions.jsonl"));
      double count = 0, first = 0, five = 0;
      while (std::getline(questions, line)) {
        const auto one = parse_json(line).value();
        const auto hits = s.memory.passages.find("", find_text(one, "question").value(), 5);
        const auto right = find_text(one, "doc").value();
        const auto found = std::ranges::find(hits, right, &Hit::key);
        ++count;
        first += found == hits.begin() && found != hits.end() ? 1 : 0;
        five += found != hits.end() ? 1 : 0;
      }
      REQUIRE(count == 685);
      CHECK(first / count > aim.first + 0.01);
      CHECK(five / count > aim.five);
    });
  }
}

}  // namespace
}  // namespace vigil::storage
