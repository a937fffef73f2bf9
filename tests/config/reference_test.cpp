// The reference, the document and the loader name the same keys.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "tests/config/scratch.hpp"
#include "tests/support/places.hpp"

namespace vigil::config {
namespace {

const std::string document = source_dir() + "/docs/configuration.md";

std::string row_of(const Key& key) {
  return fmt::format("| `{}` | {} | `{}` | {} |", key.path, key.type, key.default_text,
                     key.meaning);
}

TEST_CASE("the document has a row for every key, and for no other") {
  std::multiset<std::string> rows;
  const auto text = read_whole(document);
  const auto start = text.find("\n## Every key");
  REQUIRE(start != std::string::npos);
  std::istringstream lines(text.substr(start));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| `")) rows.insert(line);
  }
  for (const auto& key : reference()) {
    const auto row = row_of(key);
    INFO("docs/configuration.md should hold this row: ", row);
    const auto found = rows.find(row);
    CHECK(found != rows.end());
    if (found != rows.end()) rows.erase(found);
  }
  for (const auto& row : rows) FAIL_CHECK("docs/configuration.md holds a row of no key: ", row);
}

std::vector<std::string> blocks_of(const std::string& text) {
  constexpr std::string_view fence = "```toml\n";
  std::vector<std::string> blocks;
  for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    at += fence.size();
    blocks.push_back(text.substr(at, text.find("```", at) - at));
  }
  return blocks;
}

TEST_CASE("the examples in the document load") {
  const auto blocks = blocks_of(read_whole(document));
  CHECK(blocks.size() >= 7);
  const std::string entity = "[entity.ops]\nkind = \"rules\"\non = [{}]\n";
  const std::string rule = "[[entity.ops.rule]]\nname = \"r\"\n";
  for (const auto& block : blocks) {
    std::string text = block;
    if (block.starts_with("[entity.ops.")) text = entity + rule + block;
    if (block.find("match = ") < 100 || block.starts_with("when")) text = entity + rule + block;
    if (block.starts_with("case_key")) {  // its second line belongs into the rule
      const auto second = block.find('\n') + 1;
      text = entity + block.substr(0, second) + rule + block.substr(second);
    }
    const auto result = load_text(text, "f");
    INFO(text);
    INFO(all_texts(result));
    CHECK(std::holds_alternative<Loaded>(result));
  }
}

// A document in which this key stands, with a value that is wrong or right, but known.
std::string document_with(const Key& key) {
  std::string path = key.path;
  std::string start;
  const auto group = path.substr(0, path.find('.'));
  if (!key.kind.empty()) start = fmt::format("[{}.NAME]\nkind = \"{}\"\n", group, key.kind);
  std::string text;  // dotted steps become inline tables, lists of tables lists of one
  std::size_t closing = 0;
  std::string close;
  while (closing < path.size()) {
    const auto end = std::min(path.find_first_of(".[", closing), path.size());
    text += path.substr(closing, end - closing) + " = ";
    if (end == path.size()) break;
    const bool list = path[end] == '[';
    text += list ? "[{ " : "{ ";
    close = (list ? " }]" : " }") + close;
    closing = end + (list ? 3 : 1);
  }
  text += "12345" + close + "\n";
  if (start.empty()) return text;
  // Below its own header: without "group = { NAME = { ... } }" around it.
  const auto inside = fmt::format("{} = {{ NAME = {{ ", group);
  text = text.substr(inside.size(), text.size() - inside.size() - 5);
  return start + text + "\n";
}

TEST_CASE("the loader knows every key of the reference") {
  for (const auto& key : reference()) {
    auto text = document_with(key);
    for (auto at = text.find("NAME"); at != std::string::npos; at = text.find("NAME")) {
      text.replace(at, 4, "some");
    }
    const auto told = all_texts(load_text(text, "f"));
    INFO(text);
    INFO(told);
    CHECK(told.find("unknown key") == std::string::npos);
    CHECK(told.find("belongs to kind") == std::string::npos);
    CHECK(told.find("not TOML") == std::string::npos);
  }
}

TEST_CASE("what the loader writes is in the reference") {
  std::set<std::string> last_steps;
  for (const auto& key : reference()) {
    last_steps.insert(key.path.substr(key.path.find_last_of('.') + 1));
  }
  const auto settings = std::get<Loaded>(load(source_dir() + "/config")).settings;
  std::istringstream lines(to_toml(settings));
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find(" = ");
    if (line.starts_with('[') || equals == std::string::npos) continue;
    CAPTURE(line);
    CHECK(last_steps.contains(line.substr(0, equals)));
  }
}

TEST_CASE("no key is listed twice, and each has a type, a default and a meaning") {
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& key : reference()) {
    CAPTURE(key.path);
    CHECK(seen.insert({key.path, key.kind}).second);
    CHECK_FALSE(key.type.empty());
    CHECK_FALSE(key.default_text.empty());
    CHECK_FALSE(key.meaning.empty());
    CHECK(key.meaning.find('|') == std::string::npos);
  }
  CHECK(seen.size() > 120);
}

}  // namespace
}  // namespace vigil::config
