#include "config/secret.hpp"

#include <doctest/doctest.h>

#include "tests/config/scratch.hpp"

namespace vigil::config {
namespace {

std::string why(const Result<Secret>& result) {
  return result ? std::string() : result.error().message;
}
bool says(const Result<Secret>& result, std::string_view part) {
  INFO(why(result));
  return why(result).find(part) != std::string::npos;
}

TEST_CASE("a reference is cred:NAME or file:PATH") {
  CHECK(parse_secret_ref("cred:github.hook-1_a")->text == "cred:github.hook-1_a");
  CHECK(parse_secret_ref("file:/etc/x y")->text == "file:/etc/x y");
  for (const auto* bad : {"", "cred:", "file:", "cred:a/b", "cred:..", "cred:.x", "hunter2",
                          "CRED:a", "env:TOKEN", " file:/a"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_secret_ref(bad).has_value());
  }
  const auto value = parse_secret_ref("hunter2");
  CHECK(value.error().message.find("hunter2") == std::string::npos);
  CHECK(value.error().message.find("mode 600") != std::string::npos);
}

TEST_CASE("a secret is read without the newline at its end") {
  Scratch scratch;
  const auto read = [&](const std::string& text) {
    auto secret = read_secret({"file:" + scratch.write("s", text, 0600)});
    REQUIRE(secret.has_value());
    return std::string(secret->reveal());
  };
  CHECK(read("hunter2\n") == "hunter2");
  CHECK(read("hunter2") == "hunter2");
  CHECK(read("hunter2\r\n") == "hunter2");
  CHECK(read("two\nlines\n\n") == "two\nlines\n");
  CHECK(read(std::string("a\0b", 3)) == std::string("a\0b", 3));
  CHECK(read(std::string(64 * 1024, 'x')).size() == 64 * 1024);
}

TEST_CASE("a file that others can read is refused and the cure is told") {
  Scratch scratch;
  for (const unsigned mode : {0644U, 0640U, 0604U, 0660U, 0601U}) {
    CAPTURE(mode);
    const auto path = scratch.write("s", "hunter2\n", mode);
    const auto secret = read_secret({"file:" + path});
    REQUIRE_FALSE(secret.has_value());
    CHECK(secret.error().code == ErrorCode::forbidden);
    CHECK(says(secret, "chmod 600 " + path));
    CHECK_FALSE(says(secret, "hunter2"));
  }
  CHECK(read_secret({"file:" + scratch.write("s", "x", 0400)}).has_value());
}

TEST_CASE("empty, huge, missing and odd files are refused") {
  Scratch scratch;
  CHECK(says(read_secret({"file:" + scratch.write("s", "", 0600)}), "is empty"));
  CHECK(says(read_secret({"file:" + scratch.write("s", "\n", 0600)}), "is empty"));
  const auto huge = read_secret({"file:" + scratch.write("s", std::string(70'000, 'x'), 0600)});
  CHECK(says(huge, "larger than 64 KiB"));
  const auto missing = read_secret({"file:" + scratch.path("none")});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(says(read_secret({"file:" + scratch.path()}), "not a regular file"));
  REQUIRE(::mkfifo(scratch.path("pipe").c_str(), 0600) == 0);
  CHECK(says(read_secret({"file:" + scratch.path("pipe")}), "not a regular file"));
  CHECK_FALSE(read_secret({}).has_value());
}

TEST_CASE("a credential is read from the directory of the service manager") {
  Scratch scratch;
  REQUIRE(::unsetenv("CREDENTIALS_DIRECTORY") == 0);
  const auto none = read_secret({"cred:github"});
  REQUIRE_FALSE(none.has_value());
  CHECK(says(none, "LoadCredential=github"));
  REQUIRE(::setenv("CREDENTIALS_DIRECTORY", scratch.path().c_str(), 1) == 0);
  const auto missing = read_secret({"cred:github"});
  CHECK(says(missing, "cred:github: No such file"));
  scratch.write("github", "token\n", 0440);  // systemd lets a group in by access list
  const auto found = read_secret({"cred:github"});
  REQUIRE(found.has_value());
  CHECK(found->reveal() == "token");
  // Those of a folder have its name in front; one that is named by itself is meant first.
  scratch.write("secret_slack", "of the folder\n", 0440);
  CHECK(read_secret({"cred:slack"})->reveal() == "of the folder");
  scratch.write("slack", "by itself\n", 0440);
  CHECK(read_secret({"cred:slack"})->reveal() == "by itself");
  REQUIRE(::unsetenv("CREDENTIALS_DIRECTORY") == 0);
}

TEST_CASE("a secret moves and leaves nothing behind") {
  Secret first{std::string("short")};
  Secret second(std::move(first));
  CHECK(second.reveal() == "short");
  CHECK(first.reveal().empty());  // NOLINT(bugprone-use-after-move): that is the point
  Secret third;
  third = std::move(second);
  CHECK(third.reveal() == "short");
  CHECK(second.reveal().empty());  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace vigil::config
