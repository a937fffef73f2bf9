#include <doctest/doctest.h>

#include <set>

#include "entities/codebase/secret_rules.hpp"
#include "entities/codebase/secret_vectors.hpp"
#include "entities/codebase/secrets.hpp"

using namespace vigil::entities::codebase;

TEST_CASE("texts are made up by their form, and the same for the same seed") {
  std::uint64_t state = 7;
  std::uint64_t again = 7;
  const auto text = made_up("ab[c-e]{4}-[0-9]{2,3}\\{x}", state);
  CHECK(text == made_up("ab[c-e]{4}-[0-9]{2,3}\\{x}", again));
  CHECK(text.starts_with("ab"));
  CHECK(text.find_first_not_of("cde", 2) == 6);
  CHECK(text.ends_with("{x}"));
  CHECK((text.size() == 12 || text.size() == 13));
  std::uint64_t odd = 1;
  for (const char* form : {"", "[", "[]", "a{", "a{5", "\\", "[a-", "a{0}"}) {
    CHECK(made_up(form, odd).size() < 10);
  }
}

TEST_CASE("the labelled set has many kinds of both labels in both parts") {
  std::set<std::string> secrets;
  std::set<std::string> harmless;
  std::set<std::string> held;
  for (const auto& one : secret_vectors(1, 2)) {
    (one.label == Label::secret ? secrets : harmless)
        .insert(one.label == Label::secret ? one.kind : one.line);
    if (one.part == Part::held_out) held.insert(one.kind);
  }
  CHECK(secrets.size() >= 90);
  CHECK(harmless.size() >= 200);
  CHECK(held.size() >= 100);
}

TEST_CASE("on the part that rules were not written for, few are missed and few are wrong") {
  int hits = 0;
  int misses = 0;
  int wrong = 0;
  int right = 0;
  for (const auto& one : secret_vectors(4711, 4)) {
    if (one.part != Part::held_out) continue;
    const bool found = !secrets_in_line(one.line, one.path).empty();
    if (one.label == Label::secret) {
      ++(found ? hits : misses);
    } else {
      ++(found ? wrong : right);
    }
  }
  const auto secrets = static_cast<double>(hits + misses);
  const auto recall = hits / secrets;
  const auto precision = static_cast<double>(hits) / (hits + wrong);
  MESSAGE("recall ", recall, ", precision ", precision, ", ", wrong, " of ", wrong + right,
          " look-alikes");
  CHECK(recall >= 0.98);
  CHECK(precision >= 0.98);
  // Precision alone says little where there are more secrets than look-alikes.
  CHECK(wrong * 50 <= wrong + right);
}

TEST_CASE("every rule has a name of its own, and keywords in lower case") {
  std::set<std::string_view> names;
  for (const auto& rule : secret_rules()) {
    CAPTURE(rule.name);
    CHECK(names.insert(rule.name).second);
    CHECK(rule.keywords.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos);
  }
  CHECK(names.size() >= 85);
}
