// Files that nobody meant for us: the public TOML suite, and the shipped file with random damage.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <random>
#include <set>
#include <sstream>

#include "tests/config/scratch.hpp"
#include "tests/support/places.hpp"

namespace vigil::config {
namespace {

const std::string suite = source_dir() + "/../shared/data/conformance/toml";
const std::string shipped = source_dir() + "/config/vigild.toml";

// What the parser of the distribution (3.3.0) takes although TOML 1.0.0 forbids it, or the other
// way round. A new entry needs a look: is it harmless in a configuration file?
const std::set<std::string> known_differences = {};

bool is_syntax_error(const std::vector<Diagnostic>& found) {
  return found.size() == 1 && found[0].message.starts_with("this is not TOML");
}

TEST_CASE("the public TOML suite is read without a crash, and syntax errors have a line") {
  if (!std::filesystem::exists(suite)) {
    MESSAGE("skipped: ", suite, " is not there");
    return;
  }
  std::istringstream names(read_whole(suite + "/files-toml-1.0.0"));
  int valid = 0;
  int invalid = 0;
  for (std::string name; std::getline(names, name);) {
    if (!name.ends_with(".toml")) continue;
    CAPTURE(name);
    const auto found = mistakes(load_text(read_whole(suite + "/" + name), name));
    for (const auto& one : found) {
      CHECK(one.line >= 1);
      CHECK(one.to_text().find('\n') == std::string::npos);
    }
    const bool should_parse = name.starts_with("valid/");
    (should_parse ? valid : invalid) += 1;
    if (known_differences.contains(name)) continue;
    CHECK(is_syntax_error(found) == !should_parse);
  }
  MESSAGE("TOML 1.0.0: ", valid, " valid and ", invalid, " invalid files");
  CHECK(valid > 200);
  CHECK(invalid > 400);
}

std::string damaged(std::string text, std::mt19937& random) {
  const auto any = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  constexpr std::string_view letters = "[]{}=\".,#\n'-_ 0159azTZ:+e\\~?\xff\x00*";
  const std::size_t changes = 1 + any(8);
  for (std::size_t i = 0; i < changes && text.size() > 2; ++i) {
    const std::size_t at = any(text.size());
    const std::size_t length = any(std::min<std::size_t>(40, text.size() - at)) + 1;
    switch (any(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, 1, letters[any(letters.size())]);
        break;
      case 2:
        text[at] = letters[any(letters.size())];
        break;
      case 3:
        text.insert(any(text.size()), text.substr(at, length));
        break;
      default:
        if (text[at] == '#') text.erase(at, 1);
        break;
    }
  }
  return text;
}

TEST_CASE("a damaged file is loaded or refused, and every mistake has a place") {
  const auto original = read_whole(shipped);
  REQUIRE(!original.empty());
  std::mt19937 random(20'260'101);  // NOLINT: the same damage in every run
  int refused = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto text = damaged(original, random);
    const auto result = load_text(text, "vigild.toml");
    if (const auto* loaded = std::get_if<Loaded>(&result)) {
      const auto again = load_text(to_toml(loaded->settings), "vigild.toml");
      INFO(text);
      INFO(all_texts(again));
      CHECK(std::holds_alternative<Loaded>(again));
      continue;
    }
    ++refused;
    for (const auto& one : mistakes(result)) {
      INFO(one.to_text());
      CHECK(one.line >= 1);
      CHECK_FALSE(one.message.empty());
    }
  }
  MESSAGE(refused, " of 1500 damaged files were refused");
  CHECK(refused > 300);
}

TEST_CASE("deep nesting is refused, not followed to the end of the stack") {
  const auto lists = load_text("a = " + std::string(100'000, '['), "f");
  CHECK(is_syntax_error(mistakes(lists)));
  std::string dots = "a";
  for (int i = 0; i < 200'000; ++i) dots += ".a";
  const auto keys = mistakes(load_text(dots + " = 1\n", "f"));
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].line == 1);
  const auto tables = mistakes(load_text("[" + dots + "]\n", "f"));
  REQUIRE(tables.size() == 1);
}

}  // namespace
}  // namespace vigil::config
