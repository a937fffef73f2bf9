#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "entities/ci/patch_mail.hpp"
#include "entities/codebase/diff.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::codebase;
using vigil::entities::ci::decode_mails;
namespace fs = std::filesystem;

namespace {

const fs::path mails = fs::path(vigil::source_dir()) / "../shared/data/diffs/git-mailinfo";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split_mbox(const std::string& text) {
  std::vector<std::string> all;
  const auto first = text.find("\nFrom ");  // blank lines stand before it
  for (std::size_t at = first == std::string::npos ? 0 : first + 1; at < text.size();) {
    auto next = text.find("\nFrom ", at);
    next = next == std::string::npos ? text.size() : next + 1;
    all.push_back(text.substr(at, next - at));
    at = next;
  }
  return all;
}

std::string told(const Diff& diff) {
  std::string all;
  for (const auto& file : diff.files) {
    all += file.old_path + " > " + file.new_path + "\n";
    for (const auto& line : file.removed)
      all += "-" + std::to_string(line.number) + line.text + "\n";
    for (const auto& line : file.added) all += "+" + std::to_string(line.number) + line.text + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("a patch is found in its mail, between heads, words and a signature") {
  if (!fs::exists(mails)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const auto all = split_mbox(read_file(mails / "sample.mbox"));
  REQUIRE(all.size() == 18);
  // Mails of words alone, for which git finds no patch either.
  const std::set<std::size_t> without{7, 8, 13};
  std::size_t files = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto number = std::to_string(i + 1);
    const auto name = "patch" + std::string(4 - number.size(), '0') + number;
    CAPTURE(name);
    const auto diff = parse_diff(read_file(mails / name));
    CHECK(diff.files.empty() == without.contains(i + 1));
    CHECK_FALSE(diff.cut);
    files += diff.files.size();
    for (const auto& file : diff.files) {
      CHECK_FALSE(file.path().empty());
      CHECK_FALSE((file.added.empty() && file.removed.empty()));
      std::size_t counted = 0;
      for (const auto& hunk : file.hunks) counted += static_cast<std::size_t>(hunk.new_count);
      CHECK(file.added.size() <= counted);
    }
    CHECK(told(parse_diff(decode_mails(all[i]))) == told(diff));
  }
  CHECK(files == 16);
}

TEST_CASE("binary patches, changes of mode alone and lines ended by CRLF keep their files") {
  const auto diff = parse_diff(
      "From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\r\n"
      "Subject: [PATCH] x\r\n\r\n---\r\n a.bin | Bin 0 -> 4 bytes\r\n\r\n"
      "diff --git a/a.bin b/a.bin\r\nnew file mode 100644\r\nindex 000..123\r\n"
      "GIT binary patch\r\nliteral 4\r\nLcmZQzWMXDvWn<^y\r\n\r\nliteral 0\r\nHcmV?d00001\r\n\r\n"
      "diff --git a/run.sh b/run.sh\r\nold mode 100644\r\nnew mode 100755\r\n"
      "diff --git a/b.c b/c.c\r\nsimilarity index 90%\r\nrename from b.c\r\nrename to c.c\r\n"
      "index 1..2 100644\r\n--- a/b.c\r\n+++ b/c.c\r\n@@ -1 +1,2 @@\r\n one\r\n+two\r\n-- "
      "\r\n2.39\r\n");
  REQUIRE(diff.files.size() == 3);
  CHECK(diff.files[0].binary);
  CHECK(diff.files[0].kind == ChangeKind::added);
  CHECK(diff.files[1].new_mode == "100755");
  CHECK(diff.files[2].kind == ChangeKind::renamed);
  CHECK(diff.files[2].old_path == "b.c");
  REQUIRE(diff.files[2].added.size() == 1);
  CHECK(diff.files[2].added[0].text == "two");
  CHECK(diff.files[2].added[0].number == 2);
}

TEST_CASE("quoted-printable and base64 are decoded in every part, and nothing else is touched") {
  const auto mail = decode_mails(
      "From: a@b.c\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary=\"=-=\"\n\n"
      "--=-=\nContent-Transfer-Encoding: Quoted-Printable\n\na=3Db =\nc=20\n=zz\n"
      "--=-=\nContent-Transfer-Encoding: base64\n\nLS0tIGEveAorKysgYi94CkBAIC0xICsxIEBACi1hCiti\n"
      "Cg==\n--=-=--\nend=3D\n");
  CHECK(mail.find("a=b c \n=zz\n--=-=\n") != std::string::npos);
  CHECK(mail.ends_with("\n--=-=--\nend=3D\n"));
  const auto diff = parse_diff(mail);
  REQUIRE(diff.files.size() == 1);
  CHECK(diff.files[0].added.at(0).text == "b");
  const std::string plain = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a=3D\n+b\n";
  CHECK(decode_mails(plain) == plain);
  CHECK(decode_mails("").empty());
  CHECK(decode_mails("Subject: x\nContent-Transfer-Encoding: base64\n\n!!\n").ends_with("!!\n"));
}

TEST_CASE("patches that are mails keep their changes when they are decoded") {
  const auto folder = mails / "../patches";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto text = read_file(entry.path());
    CAPTURE(entry.path().filename().string());
    CHECK(told(parse_diff(decode_mails(text))) == told(parse_diff(text)));
  }
}
