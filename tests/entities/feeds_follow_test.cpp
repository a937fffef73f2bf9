// Files that grow, are rotated, truncated, dropped: each line once, whatever happens in between.
#include <doctest/doctest.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "core/digest.hpp"
#include "entities/feeds/follow.hpp"

using namespace vigil;
using namespace vigil::entities::feeds;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("vigil-follow-" + random_hex(8))) {
    fs::create_directories(path);
    form.path = (path / "log").string();
    form.backfill = true;
  }
  ~Folder() { fs::remove_all(path); }
  void append(const std::string& text, const std::string& name = "log") {
    std::ofstream(path / name, std::ios::binary | std::ios::app) << text;
  }
  void write(const std::string& text, const std::string& name = "log") {
    std::ofstream(path / name, std::ios::binary | std::ios::trunc) << text;
  }
  // Looks until there is nothing more; the texts of the lines.
  std::string look() {
    std::string out;
    do {
      form.is_first = first;
      const auto followed = follow(form, state);
      REQUIRE_MESSAGE(followed, followed.error().message);
      last = *followed;
      for (const auto& item : last.items.all) {
        const auto text = find_text(item.data, "text");
        out += (text ? std::string(*text) : to_text(item.data)) + "|";
      }
      for (const auto& [key, value] : last.state) state[key] = value;
      for (const auto& key : last.gone) state.erase(key);
      first = false;
    } while (last.more);
    return out;
  }

  fs::path path;
  FollowForm form;
  State state;
  Followed last;
  bool first = true;
};

}  // namespace

TEST_CASE("whole lines are told once, a part of one waits for its end") {
  Folder folder;
  folder.write("a\nb");
  CHECK(folder.look() == "a|");
  CHECK(folder.look().empty());
  folder.append("c\r\n\nd\n");
  CHECK(folder.look() == "bc|d|");
  CHECK(folder.look().empty());
}

TEST_CASE("without backfill the first look begins behind what is there") {
  Folder folder;
  folder.form.backfill = false;
  folder.write("old\nha");
  CHECK(folder.look().empty());
  folder.append("lf\nnew\n");
  CHECK(folder.look() == "half|new|");
}

TEST_CASE("a file that comes later is read from its beginning, backfill or not") {
  Folder folder;
  folder.form.backfill = false;
  CHECK(folder.look().empty());
  REQUIRE(folder.last.notes.size() == 1);
  CHECK(folder.last.notes[0].find("there is no") != std::string::npos);
  folder.write("first\n");
  CHECK(folder.look() == "first|");
}

TEST_CASE("a file that is rotated is read to its end, then the new one from its beginning") {
  Folder folder;
  folder.write("1\n");
  CHECK(folder.look() == "1|");
  folder.append("2\n3");  // the last line never gets an end
  fs::rename(folder.path / "log", folder.path / "log.1");
  CHECK(folder.look().empty());  // there is none just now
  folder.write("4\n");
  CHECK(folder.look() == "2|3|4|");
  CHECK(folder.last.notes.empty());
  fs::remove(folder.path / "log.1");
  folder.write("5\n", "new");
  fs::rename(folder.path / "new", folder.path / "log");
  CHECK(folder.look() == "5|");
  REQUIRE(folder.last.notes.size() <= 1);
}

TEST_CASE("a file that is truncated or written anew is noticed, however large it is since") {
  Folder folder;
  folder.write("one\ntwo\n");
  CHECK(folder.look() == "one|two|");
  folder.write("x\n");
  CHECK(folder.look() == "x|");
  REQUIRE(folder.last.notes.size() == 1);
  CHECK(folder.last.notes[0].find("truncated") != std::string::npos);
  folder.write("completely different and longer\n");
  CHECK(folder.look() == "completely different and longer|");
  CHECK(folder.last.notes.size() == 1);
}

TEST_CASE("the same state tells the same again") {
  Folder folder;
  folder.write("a\n");
  (void)folder.look();
  folder.append("b\nc\n");
  const auto before = folder.state;
  CHECK(folder.look() == "b|c|");
  const auto ids = folder.last.items.all.at(0).id;
  folder.state = before;
  CHECK(folder.look() == "b|c|");
  CHECK(folder.last.items.all.at(0).id == ids);
}

TEST_CASE("a line that is too long is cut, and what follows is read") {
  Folder folder;
  folder.form.line_bytes_max = 1000;
  folder.form.read_bytes_max = 4000;
  folder.write(std::string(500, 'a') + "\n" + std::string(20'000, 'b') + "\nc\n");
  const auto told = folder.look();
  CHECK(told.starts_with(std::string(500, 'a') + "|" + std::string(1000, 'b') + "|"));
  CHECK(told.ends_with("|c|"));
}

TEST_CASE("many lines are told in portions that are each whole") {
  Folder folder;
  std::string text;
  std::string expected;
  for (int i = 0; i < 2345; ++i) {
    text += std::to_string(i) + "\n";
    expected += std::to_string(i) + "|";
  }
  folder.write(text);
  CHECK(folder.look() == expected);
}

TEST_CASE("rows of a growing table, one of them over two lines") {
  Folder folder;
  folder.form.form = LineForm::table;
  folder.form.table.columns = {{"symbol", "s"}, {"price", "p"}, {"note", "n"}};
  folder.write("s,p,n\nA,1.50,\"x\ny\"\nB,2,\"op");
  CHECK(folder.look() == R"({"note":"x\ny","last":"1.5","symbol":"A"}|)");
  folder.append("en\"\nC,bad,\nD,3,\n");
  const auto told = folder.look();
  CHECK(told.find(R"("symbol":"B")") != std::string::npos);
  CHECK(told.find(R"("symbol":"D")") != std::string::npos);
  CHECK(folder.last.items.skipped == 1);
  CHECK(folder.look().empty());
}

TEST_CASE("JSON lines: each is a document, and one that is none is left out") {
  Folder folder;
  folder.form.form = LineForm::json;
  folder.form.subject_path = "id";
  folder.write("{\"id\":1}\nnot json\n{\"id\":\"x\"}\n");
  CHECK(folder.look() == R"({"id":1}|{"id":"x"}|)");
  CHECK(folder.last.items.skipped == 1);
  CHECK(folder.last.items.all.at(1).subject == "x");
}

TEST_CASE("what is dropped into a folder is read once, when it is finished") {
  Folder folder;
  folder.form.path = folder.path.string();
  folder.form.names = {"*.txt"};
  folder.write("1\n2", "a.txt");
  folder.write("no", "b.csv");
  folder.write("no", ".hidden.txt");
  folder.write("no", "c.txt.part");
  CHECK(folder.look() == "1|2|");  // a finished file needs no last line end
  CHECK(folder.look().empty());
  folder.write("3\n", "d.txt");
  CHECK(folder.look() == "3|");
  fs::remove(folder.path / "a.txt");
  CHECK(folder.look().empty());
  CHECK(folder.state.size() == 1);
  folder.write("4\n", "a.txt");  // another one of that name
  CHECK(folder.look() == "4|");
  folder.form.settle = std::chrono::hours{1};
  folder.write("5\n", "e.txt");
  CHECK(folder.look().empty());
  CHECK(folder.last.pending);
}

TEST_CASE("a dropped document of JSON is one, or as many as its list has") {
  Folder folder;
  folder.form.path = folder.path.string();
  folder.form.form = LineForm::json;
  folder.write("{\n \"a\": 1\n}\n", "one.json");
  folder.write("[{\"b\": 1}, {\"b\": 2}]", "two.json");
  CHECK(folder.look() == R"({"a":1}|{"b":1}|{"b":2}|)");
  CHECK(folder.look().empty());
}

TEST_CASE("what cannot be read is an error, a pipe is no file") {
  Folder folder;
  fs::create_symlink("/dev/null", folder.path / "device");
  folder.form.path = (folder.path / "device").string();
  CHECK(!follow(folder.form, {}));
  CHECK(!OpenFile::open(folder.path.string()));
  CHECK(!parse_mark("1:2"));
  CHECK(!parse_mark(""));
  const Mark mark{1, 2, 3, "abc", true};
  CHECK(parse_mark(mark_text(mark))->skipping);
  CHECK(parse_mark(mark_text(mark))->head == "abc");
}
