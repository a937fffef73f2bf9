// Maildirs: names, folders, and what is done to messages in them.
#include "daemon/mail/maildir.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vigil::mail {
namespace fs = std::filesystem;
namespace {

struct Root {
  Root() {
    std::string text = (fs::temp_directory_path() / "vigil-maildir-XXXXXX").string();
    REQUIRE(::mkdtemp(text.data()) != nullptr);
    path = text;
    for (const auto* part : {"new", "cur", "tmp"}) fs::create_directory(fs::path(path) / part);
  }
  ~Root() { fs::remove_all(path); }
  void put(const std::string& file, const std::string& text) const {
    std::ofstream(fs::path(path) / file) << text;
  }
  std::string path;
};

TEST_CASE("the name of a file says its flags") {
  const auto name = parse_maildir_name("17.M1P2.host,S=12:2,FS");
  CHECK(name.unique == "17.M1P2.host,S=12");
  CHECK(name.flags == std::vector<std::string>{"\\Flagged", "\\Seen"});
  CHECK(parse_maildir_name("17.host").flags.empty());
  CHECK(maildir_name("17.host", {"\\Seen", "\\Answered", "label"}) == "17.host:2,RS");
}

TEST_CASE("no folder leads out of the Maildir") {
  CHECK(maildir_folder("/m", "") == "/m");
  CHECK(maildir_folder("/m", "INBOX") == "/m");
  CHECK(maildir_folder("/m", "Archive/2026") == "/m/.Archive.2026");
  for (const auto* bad : {"..", ".", "../x", "a/../b", "a/./b", "/etc", "a\nb", "a..b", "a."}) {
    INFO(bad);
    CHECK_FALSE(maildir_folder("/m", bad));
  }
}

TEST_CASE("messages are listed, moved, flagged and added, once each") {
  const Root root;
  root.put("new/1.a", "Subject: one\n\ntext");
  root.put("cur/2.b:2,S", "Subject: two\n\n");
  auto all = list_maildir(root.path, {"", "Archive"});
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  const auto first = find_in_maildir(root.path, "", "1.a");
  REQUIRE(first);
  CHECK(read_start(first->path, 8)->text == "Subject:");
  CHECK(read_start(first->path, 8)->bytes == 18);
  REQUIRE(put_in_maildir(root.path, *first, "Archive", {"\\Flagged"}));
  CHECK_FALSE(find_in_maildir(root.path, "", "1.a"));
  CHECK(find_in_maildir(root.path, "Archive", "1.a")->flags ==
        std::vector<std::string>{"\\Flagged"});
  for (int again = 0; again < 2; ++again) {
    REQUIRE(add_to_maildir(root.path, "Drafts", "vigil.1", {"\\Draft"}, "Subject: x\r\n\r\n"));
  }
  CHECK(list_maildir(root.path, {"Drafts"})->size() == 1);
  for (int again = 0; again < 2; ++again) {
    REQUIRE(write_durably(root.path + "/kept", "a.eml", "bytes"));
  }
  CHECK(read_start(root.path + "/kept/a.eml", 100)->text == "bytes");
}

TEST_CASE("what is not there is said") {
  CHECK(list_maildir("/nowhere/at/all", {""}).error().code == ErrorCode::not_found);
  CHECK(read_start("/nowhere/at/all", 10).error().code == ErrorCode::not_found);
}

}  // namespace
}  // namespace vigil::mail
