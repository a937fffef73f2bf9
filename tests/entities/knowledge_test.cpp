// Documents from files: what HTML says, what a folder holds, and answers by hand.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "core/digest.hpp"
#include "entities/knowledge/analysers.hpp"
#include "entities/knowledge/document.hpp"
#include "entities/knowledge/folder.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::knowledge;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("vigil-knowledge-" + random_hex(8))) {
    fs::create_directories(path / "docs/deep");
  }
  ~Folder() { fs::remove_all(path); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path / "docs" / name) << text;
  }
  Wanted wanted() const {
    Wanted out;
    out.path = (path / "docs").string();
    out.suffixes = {"md", "txt", "html", "pdf"};
    out.ignore = {".*", "skip*"};
    return out;
  }
  json::value run(Result<json::value> (*what)(const Request&), json::object input) const {
    Request request;
    input["db"] = (path / "index.db").string();
    request.input = std::move(input);
    auto result = what(request);
    REQUIRE_MESSAGE(result.has_value(), result.error().message);
    return std::move(*result);
  }
  fs::path path;
};

}  // namespace

TEST_CASE("HTML is read as its text with headings, without scripts") {
  const auto page = read_html(
      "<html><head><title>The page</title><style>p{}</style></head><body><h1>Top</h1>"
      "<p>First   <b>bold</b>\n text.<script>alert('no')</script></p><ul><li>one<li>two</ul>"
      "<h2>Sub &amp; more</h2><table><tr><td>a<td>b</tr></table></body></html>");
  CHECK(page.title == "The page");
  CHECK(page.text == "# Top\n\nFirst bold text.\n\none\ntwo\n\n## Sub & more\n\na b\n\n");
  CHECK(read_html("").text.empty());
  CHECK(read_html("no tags at all").text.find("no tags") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "<div>";
  (void)read_html(deep + "x");
  (void)read_html(std::string("\0\xff<p\xfe", 6));
}

TEST_CASE("a folder is read once, then what changed, and what went away is told") {
  Folder folder;
  folder.write("a.md", "# Alpha\n\nThe first document.");
  folder.write("deep/b.txt", "Second.");
  folder.write("c.exe", "not read");
  folder.write(".hidden.md", "not read");
  folder.write("skipped.md", "not read");
  folder.write("d.txt", std::string("bin\0ary", 7));
  fs::create_symlink("/etc", folder.path / "docs/link");
  auto wanted = folder.wanted();
  auto look = look_at_folder(wanted, 1'000'000);
  REQUIRE(look.has_value());
  REQUIRE(look->files.size() == 3);
  CHECK(look->files[0].path == "a.md");
  CHECK(look->files[0].title == "Alpha");
  CHECK(look->files[1].trouble == "it is no text");
  CHECK(look->files[2].path == "deep/b.txt");
  CHECK(look->folders.size() == 2);
  for (const auto& file : look->files) wanted.known[file.path] = file.stamp;
  CHECK(look_at_folder(wanted, 1'000'000)->files.empty());
  folder.write("deep/b.txt", "Second, changed.");
  fs::remove(folder.path / "docs/a.md");
  look = look_at_folder(wanted, 1'000'000);
  REQUIRE(look->files.size() == 1);
  CHECK(look->files[0].text == "Second, changed.");
  CHECK(look->gone == std::vector<std::string>{"a.md"});
  // Another time, the same content.
  wanted.known["deep/b.txt"] = look->files[0].stamp;
  wanted.known["deep/b.txt"].replace(0, 2, "99");
  look = look_at_folder(wanted, 1'000'000);
  REQUIRE(look->files.size() == 1);
  CHECK(look->files[0].same);
  wanted.path += "/nowhere";
  CHECK_FALSE(look_at_folder(wanted, 1).has_value());
}

TEST_CASE("too much for one look is read in several") {
  Folder folder;
  for (int i = 0; i < 20; ++i) folder.write("f" + std::to_string(i) + ".txt", "words here");
  auto wanted = folder.wanted();
  int looks = 0;
  for (bool more = true; more; ++looks) {
    const auto look = look_at_folder(wanted, 5'000);
    REQUIRE(look.has_value());
    CHECK(look->gone.empty());
    for (const auto& file : look->files) wanted.known[file.path] = file.stamp;
    more = look->more;
    REQUIRE(looks < 20);
  }
  CHECK(wanted.known.size() == 20);
  CHECK(looks > 2);
}

TEST_CASE("a question by hand is answered with its source, or not at all") {
  Folder folder;
  folder.write("heizung.md",
               "# Heizung\n\n## Wartung\n\nDer Tank wird jedes Jahr im Oktober geprüft.\n");
  folder.write("page.html", "<h1>Backups</h1><p>Backups are made every night at two.</p>");
  const json::object index{{"files", json::array{(folder.path / "docs").string()}}};
  CHECK(find_integer(folder.run(run_index, index), "indexed") == 2);
  CHECK(find_integer(folder.run(run_index, index), "indexed") == 0);
  const auto ask = [&](const std::string& question) {
    return folder.run(run_ask, {{"files", json::array{question}}});
  };
  const auto answer = ask("Wann wird der Tank geprüft?");
  CHECK(find_text(answer, "answers.0.quote") == "Der Tank wird jedes Jahr im Oktober geprüft.");
  CHECK(find_text(answer, "answers.0.document") == "heizung.md");
  CHECK(find_text(answer, "answers.0.heading") == "Heizung › Wartung");
  CHECK(find_text(answer, "answers.0.place") == "line 5");
  CHECK(find_text(ask("When is a backup made?"), "answers.0.document") == "page.html");
  CHECK(find_bool(ask("Who won the chess championship in 1972?"), "found") == false);
  fs::remove(folder.path / "docs/heizung.md");
  CHECK(find_integer(folder.run(run_index, index), "gone") == 1);
  CHECK(find_bool(ask("Wann wird der Tank geprüft?"), "found") == false);
}
