#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "entities/deps/advisory_sources.hpp"

using namespace vigil::entities::deps;
using vigil::ErrorCode;
namespace fs = std::filesystem;

namespace {

// A folder of its own for each test, gone with it.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("vigil-deps-" + vigil::random_hex(8))) {
    fs::create_directories(path_ / "sources");
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path sources() const { return path_ / "sources"; }
  fs::path index() const { return path_ / "index"; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(sources() / name, std::ios::binary) << text;
  }

 private:
  fs::path path_;
};

std::string advisory(const std::string& id, const std::string& fixed) {
  return R"({"id":")" + id + R"(","summary":"bad","affected":[{"package":{"ecosystem":"npm",)" +
         R"("name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":")" +
         fixed + "\"}]}]}]}";
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("an index is kept, found again, and made anew when a source changes") {
  const Folder folder;
  folder.write("a.jsonl", advisory("A-1", "1.0.0") + "\n\n" + advisory("A-2", "2.0.0") + "\n");
  auto opened = open_advisories(folder.sources(), folder.index());
  REQUIRE(opened.has_value());
  CHECK(opened->fate == IndexFate::made);
  CHECK(opened->index.match("npm", "x", "1.5.0").size() == 1);
  opened = open_advisories(folder.sources(), folder.index());
  REQUIRE(opened.has_value());
  CHECK(opened->fate == IndexFate::kept);
  CHECK(opened->index.match("npm", "x", "0.5.0").size() == 2);
  CHECK(opened->index.fixes("npm", "x") == std::vector<std::string>{"1.0.0", "2.0.0"});
  folder.write("b.json", "[" + advisory("A-3", "3.0.0") + "]");
  opened = open_advisories(folder.sources(), folder.index());
  REQUIRE(opened.has_value());
  CHECK(opened->fate == IndexFate::made);
  CHECK(opened->index.match("npm", "x", "2.5.0")[0].id == "A-3");
  fs::remove(folder.sources() / "a.jsonl");
  opened = open_advisories(folder.sources(), folder.index());
  REQUIRE(opened.has_value());
  CHECK(opened->fate == IndexFate::made);
  CHECK(opened->index.advisories() == 1);
  const auto itself = open_advisories(folder.index(), "");  // an index may be given instead
  REQUIRE(itself.has_value());
  CHECK(itself->index.advisories() == 1);
}

TEST_CASE("an index that cannot be kept is used all the same, and says so") {
  const Folder folder;
  folder.write("a.json", advisory("A-1", "1.0.0"));
  const auto opened = open_advisories(folder.sources(), folder.index() / "no" / "folder");
  REQUIRE(opened.has_value());
  CHECK(opened->fate == IndexFate::made_but_not_kept);
  CHECK(opened->why.find("cannot be written") != std::string::npos);
  CHECK(opened->index.match("npm", "x", "0.1.0").size() == 1);
}

TEST_CASE("advisories that cannot be read are counted and named, the others hold") {
  const Folder folder;
  folder.write("a.jsonl", advisory("A-1", "1.0.0") + "\n{\n{\"id\":3}\n\xff\n" +
                              std::string(17 * 1024 * 1024, 'x') + "\n" + advisory("A-2", "1.0.0"));
  folder.write("b.txt", "no source");
  const auto opened = open_advisories(folder.sources(), "");
  REQUIRE(opened.has_value());
  CHECK(opened->index.advisories() == 2);
  CHECK(opened->index.problems() == 4);
  const auto text = std::string(opened->index.problem_text());
  CHECK(text.find("a.jsonl:2: ") != std::string::npos);
  CHECK(text.find("a.jsonl:3: an advisory without an id") != std::string::npos);
  CHECK(text.find("a.jsonl:5: a line too long") != std::string::npos);
}

TEST_CASE("where no advisory is, the error says what to give") {
  const Folder folder;
  for (const auto& where : {folder.sources(), folder.sources() / "nowhere"}) {
    const auto opened = open_advisories(where, "");
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::not_found);
    CHECK(opened.error().message.find("*.jsonl") != std::string::npos);
  }
  folder.write("a.json", "{");
  const auto bad = open_advisories(folder.sources(), folder.index());
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().message.find("a.json") != std::string::npos);
}

TEST_CASE("a cut, scrambled or foreign index is refused, and made again when it can be") {
  const Folder folder;
  folder.write("a.jsonl", advisory("A-1", "1.0.0") + "\n" + advisory("A-2", "2.0.0"));
  REQUIRE(open_advisories(folder.sources(), folder.index()).has_value());
  const auto good = bytes_of(folder.index());
  REQUIRE(AdvisoryIndex::from_bytes(good).has_value());
  CHECK_FALSE(AdvisoryIndex::from_bytes("").has_value());
  CHECK_FALSE(AdvisoryIndex::from_bytes(good.substr(0, good.size() / 2)).has_value());
  CHECK_FALSE(AdvisoryIndex::from_bytes(good + "x").has_value());
  std::mt19937 random(20261123);
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ static_cast<char>(1 + random() % 255));
    const auto index = AdvisoryIndex::from_bytes(bad);
    if (!index) {
      ++refused;
    } else {
      (void)index->match("npm", "x", "0.1.0");  // must only come back
      (void)index->fixes("npm", "x");
      (void)index->problem_text();
    }
  }
  // Digest, counts and padding of the header are not part of the checksum; all behind it is.
  CHECK(refused > static_cast<int>(good.size()) - 128);
  std::ofstream(folder.index(), std::ios::binary) << "nonsense";
  const auto again = open_advisories(folder.sources(), folder.index());
  REQUIRE(again.has_value());
  CHECK(again->fate == IndexFate::made);
  CHECK(bytes_of(folder.index()) == good);
}
