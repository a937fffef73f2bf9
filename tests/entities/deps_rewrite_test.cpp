#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "entities/deps/lockfile.hpp"
#include "entities/deps/rewrite_file.hpp"
#include "entities/deps/rewrite_requirement.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::deps;
namespace fs = std::filesystem;

namespace {

struct Row {
  std::string path;
  std::string before;
  Raise raise;
  RaiseFate fate;
  std::string after;
};

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::multiset<std::string> pinned(const Lockfile& file) {
  std::multiset<std::string> all;
  for (const auto& one : file.packages) all.insert(one.name + "@" + one.version);
  return all;
}

}  // namespace

TEST_CASE("a requirement keeps its operator and is raised only when it has to be") {
  struct Case {
    Manner manner;
    std::string now;
    std::string to;
    std::string then;  // empty: a person has to
  };
  const std::vector<Case> cases{
      {Manner::npm, "^4.17.20", "4.17.21", "^4.17.20"},
      {Manner::npm, "^3.0.0", "4.1.0", "^4.1.0"},
      {Manner::npm, "~1.2.3", "1.4.0", "~1.4.0"},
      {Manner::npm, "1.2.3", "1.2.4", "1.2.4"},
      {Manner::npm, ">=1 <2", "2.0.1", ""},
      {Manner::npm, "latest", "2.0.1", ""},
      {Manner::cargo, "1", "1.9.0", "1"},
      {Manner::cargo, "0.3.1", "0.4.2", "0.4.2"},
      {Manner::cargo, "=0.3.1", "0.3.2", "=0.3.2"},
      {Manner::gem, "~> 4.2", "5.0.1", "~> 5.0"},
      {Manner::gem, "~> 4.2.1", "4.2.9", "~> 4.2.1"},
      {Manner::gem, ">= 1", "2.0", ">= 1"},
      {Manner::gem, "1.0", "1.1", "1.1"},
      {Manner::composer, "^5.0", "6.1.2", "^6.1.2"},
      {Manner::python, "==2.0", "2.1", "==2.1"},
      {Manner::python, "~=2.0", "2.9", "~=2.0"},
  };
  for (const auto& [manner, now, to, then] : cases) {
    CAPTURE(now);
    CHECK(raised(manner, now, to).value_or("") == then);
  }
}

const std::vector<Row> rows{
    {"requirements.txt",
     "# pins\r\nDjango==3.2.1  # why\r\nflask[async] == 1.0 ; x\r\n",
     {"PyPI", "django", "3.2.1", "3.2.13"},
     RaiseFate::edited,
     "# pins\r\nDjango==3.2.13  # why\r\nflask[async] == 1.0 ; x\r\n"},
    {"requirements.txt",
     "django==3.2.1 --hash=sha256:aa\n",
     {"PyPI", "django", "3.2.1", "3.3"},
     RaiseFate::needs_tool,
     ""},
    {"go.mod",
     "module m\n\ngo 1.19\n\nrequire (\n\tgolang.org/x/net v0.1.0 // indirect\n)\n",
     {"Go", "golang.org/x/net", "0.1.0", "0.7.0"},
     RaiseFate::edited,
     "module m\n\ngo 1.19\n\nrequire (\n\tgolang.org/x/net v0.7.0 // indirect\n)\n"},
    {"package.json",
     "{\n  \"name\": \"a\",\n  \"dependencies\": {\"lodash\": \"^3.1.0\"},\n"
     "  \"scripts\": {\"lodash\": \"^3.1.0\"}\n}\n",
     {"npm", "lodash", "3.1.0", "4.17.21"},
     RaiseFate::edited,
     "{\n  \"name\": \"a\",\n  \"dependencies\": {\"lodash\": \"^4.17.21\"},\n"
     "  \"scripts\": {\"lodash\": \"^3.1.0\"}\n}\n"},
    {"package.json",
     "{\"dependencies\": {\"a\": \"^1.0.0\"}}",
     {"npm", "a", "1.0.0", "1.2.0"},
     RaiseFate::fine,
     ""},
    {"package.json",
     "{\"dependencies\": {\"a\": \"^1.0.0\"}}",
     {"npm", "b", "1.0.0", "1.2.0"},
     RaiseFate::absent,
     ""},
    {"Cargo.toml",
     "[package]\nversion = \"0.3.1\"\n[dependencies]\n"
     "time = { version = \"0.1.4\", features = [\"x\"] } # old\n",
     {"crates.io", "time", "0.1.4", "0.2.23"},
     RaiseFate::edited,
     "[package]\nversion = \"0.3.1\"\n[dependencies]\n"
     "time = { version = \"0.2.23\", features = [\"x\"] } # old\n"},
    {"Cargo.toml",
     "[dependencies.time]\nversion = \"0.1\"\n",
     {"crates.io", "time", "0.1.4", "0.2.23"},
     RaiseFate::edited,
     "[dependencies.time]\nversion = \"0.2.23\"\n"},
};
const std::vector<Row> more_rows{
    {"Gemfile",
     "gem 'rack', '~> 2.0.1'\n",
     {"RubyGems", "rack", "2.0.1", "2.2.6"},
     RaiseFate::edited,
     "gem 'rack', '~> 2.2.6'\n"},
    {"Gemfile.lock",
     "GEM\n  specs:\n    rack (2.0.1)\n    rails (5.0)\n      rack (~> 2.0)\n\n"
     "DEPENDENCIES\n  rack (= 2.0.1)\n",
     {"RubyGems", "rack", "2.0.1", "2.2.6"},
     RaiseFate::edited,
     "GEM\n  specs:\n    rack (2.2.6)\n    rails (5.0)\n      rack (~> 2.0)\n\n"
     "DEPENDENCIES\n  rack (= 2.2.6)\n"},
    {"Gemfile.lock",
     "GEM\n  specs:\n    rack (2.0.1)\n    rails (5.0)\n      rack (~> 2.0)\n",
     {"RubyGems", "rack", "2.0.1", "3.0.1"},
     RaiseFate::needs_tool,
     ""},
    {"pom.xml",
     "<project><properties><j.v>2.9.0</j.v></properties><dependencies><dependency>\n"
     "<groupId>g</groupId><artifactId>j</artifactId><version>${j.v}</version>\n"
     "</dependency></dependencies></project>",
     {"Maven", "g:j", "2.9.0", "2.9.10"},
     RaiseFate::edited,
     "<project><properties><j.v>2.9.10</j.v></properties><dependencies><dependency>\n"
     "<groupId>g</groupId><artifactId>j</artifactId><version>${j.v}</version>\n"
     "</dependency></dependencies></project>"},
    {"composer.json",
     "{\"require\": {\"a/b\": \"^1.0\"}}",
     {"Packagist", "a/b", "1.0.0", "2.1.0"},
     RaiseFate::edited,
     "{\"require\": {\"a/b\": \"^2.1.0\"}}"},
    {"pyproject.toml",
     "[project]\ndependencies = [\n  \"Jinja2==2.1\",\n]\n",
     {"PyPI", "jinja2", "2.1", "2.11.3"},
     RaiseFate::edited,
     "[project]\ndependencies = [\n  \"Jinja2==2.11.3\",\n]\n"},
};

TEST_CASE("only the version changes, in the way the file is written") {
  auto all = rows;
  all.insert(all.end(), more_rows.begin(), more_rows.end());
  for (const auto& row : all) {
    CAPTURE(row.path);
    CAPTURE(row.before);
    const auto out = raise_in(row.path, row.before, row.raise);
    CAPTURE(out.why);
    CHECK(static_cast<int>(out.fate) == static_cast<int>(row.fate));
    CHECK(out.text == row.after);
  }
}

TEST_CASE("names and versions that would end the place they stand in are refused") {
  for (const std::string& to : std::vector<std::string>{"1.0\"", "1\n2", "1 2", "$(x)", ""}) {
    const auto out = raise_in("package.json", "{\"dependencies\": {\"a\": \"0.1.0\"}}",
                              {"npm", "a", "0.1.0", to});
    CHECK(out.fate == RaiseFate::needs_person);
  }
  CHECK(raise_in("package.json", "{\"dep", {"npm", "a", "1.0.0", "2.0.0"}).fate ==
        RaiseFate::needs_person);
}

TEST_CASE("in public lock files every pin that can be raised is raised alone") {
  const fs::path data = fs::path(source_dir()) / "../shared/data/deps/lockfiles";
  if (!fs::exists(data)) {
    MESSAGE("skipped: there are no lock files at ", data.string());
    return;
  }
  // The folder says the format; the file has a name of its own.
  const std::map<std::string, std::string> names{
      {"pip", "requirements.txt"},   {"go", "go.mod"},         {"bundler", "Gemfile.lock"},
      {"gradle", "gradle.lockfile"}, {"maven", "pom.xml"},     {"npm", "package-lock.json"},
      {"cargo", "Cargo.lock"},       {"poetry", "poetry.lock"}};
  std::size_t raised_pins = 0;
  std::size_t for_tools = 0;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    const auto known = names.find(entry.path().parent_path().filename().string());
    if (!entry.is_regular_file() || known == names.end()) continue;
    const auto& path = known->second;
    const auto text = text_of(entry.path());
    const auto before = read_lockfile(path, text);
    if (!before) continue;
    for (const auto& one : before->packages) {
      if (one.version.empty()) continue;
      const Raise raise{one.ecosystem, one.name, one.version, one.version + ".99"};
      const auto out = raise_in(path, text, raise);
      CAPTURE(path);
      CAPTURE(entry.path().string());
      CAPTURE(one.name);
      CAPTURE(one.version);
      for_tools += out.fate == RaiseFate::needs_tool ? 1 : 0;
      if (out.fate != RaiseFate::edited) continue;
      ++raised_pins;
      const auto after = read_lockfile(path, out.text);
      REQUIRE(after.has_value());
      auto expected = pinned(*before);
      expected.erase(one.name + "@" + one.version);
      expected.insert(one.name + "@" + raise.to);
      CHECK(pinned(*after) == expected);
      CHECK((out.text.size() - text.size()) % 3 == 0);
      CHECK(std::ranges::count(out.text, '\n') == std::ranges::count(text, '\n'));
    }
  }
  MESSAGE(raised_pins, " pins raised, ", for_tools, " for their tools");
  CHECK(raised_pins > 50);
}
