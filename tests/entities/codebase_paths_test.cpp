#include <doctest/doctest.h>

#include "entities/codebase/codeowners.hpp"
#include "entities/codebase/paths.hpp"

using namespace vigil::entities::codebase;

namespace {

using Owners = std::vector<std::string>;

// The example of GitHub's documentation of CODEOWNERS, with its own names.
constexpr const char* documented = R"(
# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
)";

}  // namespace

TEST_CASE("patterns match as .gitignore has them") {
  struct Row {
    const char* pattern;
    const char* path;
    bool matches;
  };
  for (const Row row : {
           Row{"*.js", "a.js", true},
           Row{"*.js", "deep/in/a.js", true},
           Row{"*.js", "a.json", false},
           Row{"docs/*", "docs/a.md", true},
           Row{"docs/*", "docs/build/a.md", false},
           Row{"docs/*", "x/docs/a.md", false},
           Row{"docs/", "docs/build/a.md", true},
           Row{"docs/", "x/docs/a.md", true},
           Row{"docs/", "docs", false},
           Row{"/docs/", "x/docs/a.md", false},
           Row{"/docs", "docs/a.md", true},
           Row{"**/logs", "deep/logs/a", true},
           Row{"**/logs", "logs/a", true},
           Row{"a/**/z", "a/z", true},
           Row{"a/**/z", "a/b/c/z", true},
           Row{"tests/data/**", "tests/data/x/y", true},
           Row{"tests/data/**", "tests/data", false},
           Row{"src/**/*.cpp", "src/a/b.cpp", true},
           Row{"src/**/*.cpp", "src/b.cpp", true},
           Row{"?.c", "a.c", true},
           Row{"?.c", "ab.c", false},
           Row{"a\\*b", "a*b", true},
           Row{"a\\*b", "axb", false},
           Row{"*", "any/thing", true},
           Row{"", "a", false},
           Row{"vendor", "x/vendor/y/z.go", true},
       }) {
    CAPTURE(row.pattern);
    CAPTURE(row.path);
    CHECK(matches_pattern(row.pattern, row.path) == row.matches);
  }
}

TEST_CASE("a pattern made to be slow is not") {
  const std::string pattern = "a*a*a*a*a*a*a*a*a*a*b";
  CHECK_FALSE(matches_pattern(pattern, std::string(5000, 'a')));
  std::string steps;
  std::string stars;
  for (int i = 0; i < 200; ++i) steps += "a/";
  for (int i = 0; i < 60; ++i) stars += "**/a/";
  CHECK_FALSE(matches_pattern(stars + "b", steps + "a"));
}

TEST_CASE("CODEOWNERS: the last pattern that matches decides, as GitHub documents it") {
  const auto owners = Codeowners::parse(documented);
  CHECK(owners.mistakes().empty());
  CHECK(owners.owners_of("README") == Owners{"@global-owner1", "@global-owner2"});
  CHECK(owners.owners_of("src/x.js") == Owners{"@js-owner"});
  CHECK(owners.owners_of("main.go") == Owners{"docs@example.com"});
  CHECK(owners.owners_of("a.txt") == Owners{"@octo-org/octocats"});
  CHECK(owners.owners_of("docs/getting-started.md") == Owners{"@doctocat"});
  CHECK(owners.owners_of("build/logs/today") == Owners{"@octocat"});
  CHECK(owners.owners_of("deeply/nested/logs/x") == Owners{"@octocat"});
  CHECK(owners.owners_of("lib/apps/x") == Owners{"@octocat"});
  CHECK(owners.owners_of("scripts/a/b") == Owners{"@doctocat", "@octocat"});
  CHECK(owners.owners_of("apps/github/x").empty());
  CHECK(owners.owners_of("apps/other") == Owners{"@octocat"});
}

TEST_CASE("CODEOWNERS: sections of GitLab, escapes and mistakes are read") {
  const auto owners = Codeowners::parse(
      "[Code] @dev\n*.cpp\n/core/ @core-team\n^[Docs][2] @writers\n*.md\n"
      "!not/this @x\nmy\\ file @a\n\\#odd @b\nbad/line nobody\n");
  CHECK(owners.owners_of("x.cpp") == Owners{"@dev"});
  CHECK(owners.owners_of("core/README.md") == Owners{"@core-team", "@writers"});
  CHECK(owners.owners_of("my file") == Owners{"@a"});
  CHECK(owners.owners_of("#odd") == Owners{"@b"});
  REQUIRE(owners.mistakes().size() == 2);
  CHECK(owners.mistakes()[0].line == 6);
  CHECK(owners.mistakes()[1].what.find("nobody") != std::string::npos);
}

TEST_CASE("paths tell what a file is for") {
  for (const char* path : {"tests/a.cpp", "src/a_test.go", "a.spec.ts", "test_x.py",
                           "src/FooTest.java", "__tests__/a.js", "spec/models/a.rb"}) {
    CAPTURE(path);
    CHECK(is_test(path));
    CHECK_FALSE(is_code(path));
  }
  for (const char* path : {"src/a.cpp", "lib/latest.go", "contest/a.py", "a.rs", "web/App.tsx"}) {
    CAPTURE(path);
    CHECK(is_code(path));
  }
  CHECK(is_lockfile("web/package-lock.json"));
  CHECK(is_generated("vendor/x/y.go"));
  CHECK(is_generated("app.min.js"));
  CHECK_FALSE(is_generated("vendors.go"));
  CHECK(is_prose("docs/a.md"));
  CHECK(extension_of(".gitignore").empty());
  CHECK(folder_of("a").empty());
}
