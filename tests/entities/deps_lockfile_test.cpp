#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "entities/deps/lockfile.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::deps;
using vigil::ErrorCode;
namespace fs = std::filesystem;

namespace {

const fs::path folder = fs::path(vigil::source_dir()) / "../shared/data/deps/lockfiles";

std::string listed(const Lockfile& file) {
  std::string all;
  for (const auto& package : file.packages) {
    all += package.name + "@" + package.version;
    if (package.purpose != Purpose::normal) all += " " + std::string(to_text(package.purpose));
    all += "\n";
  }
  return all;
}

std::string read(const std::string& format, const std::string& name) {
  const auto file = read_lockfile_at(folder / format / name, format);
  return file ? listed(*file) : "refused: " + file.error().message;
}

constexpr int refused = -1;

// How many packages each file names; files[0] of a line is the folder, which is the format too.
const std::map<std::string, std::map<std::string, int>> expected{
    {"bundler",
     {{"has-git-gem.lock", 5},
      {"no-gem-section.lock", 0},
      {"no-gems.lock", 0},
      {"rails.lock", 46},
      {"rubocop.lock", 10},
      {"some-gems.lock", 3}}},
    {"cargo", {{"two-packages-with-local.lock", 2}}},
    {"composer",
     {{"one-package-dev.json", 1}, {"one-package.json", 1}, {"two-packages-alt.json", 2}}},
    {"conan",
     {{"empty.v1.revisions.json", 0},
      {"nested-dependencies.v1.json", 5},
      {"nested-dependencies.v1.revisions.json", 5},
      {"nested-dependencies.v2.json", 5},
      {"no-name.v1.revisions.json", 1},
      {"no-name.v2.json", 1},
      {"not-json.txt", refused},
      {"old-format-0.1.json", 1},
      {"old-format-0.2.json", 1},
      {"old-format-0.3.json", 1},
      {"one-package-dev.v1.json", 1},
      {"one-package.v1.json", 1},
      {"one-package.v1.revisions.json", 1},
      {"two-packages.v1.json", 2},
      {"two-packages.v1.revisions.json", 2}}},
    {"go",
     {{"indirect-packages.mod", 6},  // with the library of the language
      {"replace-different.mod", 2},
      {"replace-local.mod", 2},
      {"replace-mixed.mod", 2},
      {"replace-not-required.mod", 2},
      {"replace-one.mod", 1}}},
    {"gradle", {{"only-comments", 0}, {"only-empty", 0}}},
    {"gradle-verification-metadata",
     {{"complex.xml", 66}, {"not-xml.txt", refused}, {"two-packages.xml", 2}}},
    {"maven",
     {{"empty.xml", 0},
      {"interpolation.xml", 3},
      {"not-pom.txt", refused},
      {"one-package.xml", 1}}},
    {"npm",
     {{"alias.v1.json", 3},
      {"alias.v2.json", 3},
      {"empty.v1.json", 0},
      {"empty.v2.json", 0},
      {"files.v1.json", 2},
      {"files.v2.json", 3},
      {"nested-dependencies-dup.v2.json", 2},
      {"nested-dependencies.v1.json", 5},
      {"nested-dependencies.v2.json", 5},
      {"one-package-dev.v2.json", 1},
      {"one-package.v2.json", 1},
      {"optional-package.v2.json", 2},
      {"same-package-different-groups.v1.json", 3},
      {"same-package-different-groups.v2.json", 3},
      {"scoped-packages.v2.json", 2},
      {"two-packages.v2.json", 2}}},
    {"nuget",
     {{"empty.v1.json", 0},
      {"one-framework-one-package.v1.json", 1},
      {"one-framework-two-packages.v1.json", 2},
      {"two-frameworks-mixed-packages.v1.json", 3}}},
    {"pip",
     {{"cyclic-r-complex-3.txt", 1},
      {"duplicate-r-dev.txt", 2},
      {"duplicate-r-test.txt", 2},
      {"line-continuation.txt", 4},
      {"multiple-packages-constrained.txt", 13},
      {"multiple-packages-mixed.txt", 8},
      {"one-package-unconstrained.txt", 1},
      {"only-comments.txt", 0},
      {"with-bad-r-option.txt", 1},
      {"with-multiple-r-options.txt", 2},
      {"with-per-requirement-options.txt", 4}}},
    {"pipenv",
     {{"multiple-packages.json", 4},
      {"no-version.json", 0},
      {"not-json.txt", refused},
      {"one-package-dev.json", 1},
      {"one-package.json", 1},
      {"two-packages-alt.json", 2}}},
    {"pnpm",
     {{"commits.v9.yaml", 2},
      {"empty.yaml", 0},
      {"exotic.yaml", 7},
      {"invalid-package-path.yaml", refused},
      {"mixed-groups.v54.yaml", 3},
      {"mixed-groups.v9.yaml", 3},
      {"no-packages.v9.yaml", 0},
      {"no-packages.yaml", 0},
      {"one-package-dev.yaml", 1},
      {"one-package.v9.yaml", 1},
      {"one-package.yaml", 1},
      {"peer-dependencies.v9.yaml", 2},
      {"peer-dependencies.yaml", 2},
      {"scoped-packages-v6-lockfile.yaml", 1},
      {"scoped-packages.v9.yaml", 1},
      {"tarball.yaml", 1}}},
    {"poetry",
     {{"one-package-with-metadata.lock", 1},
      {"one-package.lock", 1},
      {"optional-package.lock", 1},
      {"source-git.lock", 1},
      {"source-legacy.lock", 1},
      {"two-packages.lock", 2}}},
    {"yarn",
     {{"commits.v1.lock", 18},
      {"empty.v2.lock", 0},
      {"files.v1.lock", 6},
      {"files.v2.lock", 1},
      {"metadata-only.v2.lock", 0},
      {"multiple-constraints.v1.lock", 2},
      {"one-package.v1.lock", 1},
      {"one-package.v2.lock", 1},
      {"scoped-packages.v1.lock", 2},
      {"two-packages.v1.lock", 2},
      {"with-aliases.v1.lock", 3},
      {"with-aliases.v2.lock", 3},
      {"with-build-string.v1.lock", 2},
      {"with-build-string.v2.lock", 2},
      {"with-prerelease.v1.lock", 5},
      {"with-prerelease.v2.lock", 2},
      {"with-quotes.v1.lock", 2}}},
};

bool without_data() {
  if (fs::exists(folder)) return false;
  MESSAGE("skipped: there is no " << folder.string());
  return true;
}

}  // namespace

TEST_CASE("every lock file of the public test sets is read in full, or refused with its place") {
  if (without_data()) return;
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto format = entry.path().parent_path().filename().string();
    const auto name = entry.path().filename().string();
    const auto of_format = expected.find(format);
    REQUIRE_MESSAGE(of_format != expected.end(), format);
    const auto wanted = of_format->second.find(name);
    REQUIRE_MESSAGE(wanted != of_format->second.end(), format << "/" << name);
    const auto file = read_lockfile_at(entry.path(), format);
    if (wanted->second == refused) {
      REQUIRE_MESSAGE(!file.has_value(), format << "/" << name);
      CHECK(file.error().code == ErrorCode::invalid_input);
      CHECK_MESSAGE(file.error().message.find(name + ":") != std::string::npos,
                    file.error().message);
    } else {
      REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
      CHECK_MESSAGE(file->packages.size() == wanted->second,
                    format << "/" << name << ": " << listed(*file));
      for (const auto& package : file->packages) {
        CHECK_MESSAGE(package.line > 0, format << "/" << name << ": " << package.name);
      }
    }
    ++files;
  }
  CHECK(files == 116);
}

TEST_CASE("names and versions are the real ones behind aliases, peers, forks and properties") {
  if (without_data()) return;
  CHECK(read("npm", "alias.v1.json") ==
        "@babel/code-frame@7.0.0\nstring-width@5.1.2\nstring-width@4.2.0\n");
  CHECK(read("npm", "alias.v2.json") == read("npm", "alias.v1.json"));
  CHECK(read("npm", "files.v2.json") == "etag@1.8.0 dev\nabbrev@1.0.9 dev\nabbrev@2.3.4 dev\n");
  CHECK(read("npm", "same-package-different-groups.v1.json") ==
        "ajv@5.5.2\neslint@1.2.3 dev\ntable@1.0.0\n");
  CHECK(read("yarn", "with-aliases.v1.lock") ==
        "ansi-regex@5.0.1\nansi-regex@6.0.1\n@babel/helper-validator-identifier@7.22.20\n");
  CHECK(read("yarn", "with-aliases.v2.lock") == read("yarn", "with-aliases.v1.lock"));
  CHECK(read("yarn", "with-quotes.v1.lock") == "concat-map@0.0.1\nconcat-stream@1.6.2\n");
  CHECK(read("pnpm", "exotic.yaml") ==
        "foo@1.0.0\n@foo/bar@1.0.0\nfoo@1.1.0\n@foo/bar@1.1.0\nfoo@1.2.0\nfoo@1.3.0\nfoo@1.4.0\n");
  CHECK(read("pnpm", "mixed-groups.v9.yaml") ==
        "ansi-regex@5.0.1\nis-number@7.0.0 dev\nuuid@8.3.2\n");
  CHECK(read("pnpm", "mixed-groups.v54.yaml") ==
        "ansi-regex@5.0.1\nis-number@7.0.0 dev\nuuid@8.3.2 optional\n");
  CHECK(read("pnpm", "tarball.yaml") == "@my-org/my-package@3.2.3 dev\n");
  CHECK(read("pnpm", "commits.v9.yaml") == "ansi-regex@6.0.1\nis-number@7.0.0\n");
  CHECK(read("go", "replace-different.mod") ==
        "example.com/fork/foe@1.4.5\nexample.com/fork/foe@1.4.2\n");
  CHECK(read("go", "replace-mixed.mod") == "example.com/fork/net@1.4.5\ngolang.org/x/net@0.5.6\n");
  CHECK(read("pip", "line-continuation.txt") == "foo@1.2.3\nbar@4.5.6\nbaz@7.8.9\nqux@10.11.12\n");
  CHECK(read("pip", "with-per-requirement-options.txt") ==
        "boto3@1.26.121\nfoo@1.0.0\nfooproject@1.2\nbarproject@\n");
  CHECK(read("maven", "interpolation.xml") ==
        "org.mine:mypackage@1.0.0\norg.mine:my.package@2.3.4\n"
        "org.mine:ranged-package@9.4.35.v20201120\n");
  CHECK(read("conan", "no-name.v2.json") == "zlib@1.2.11\n");
  CHECK(read("composer", "one-package-dev.json") == "sentry/sdk@2.0.4 dev\n");
  CHECK(read("poetry", "optional-package.lock") == "numpy@1.23.3 optional\n");
}

TEST_CASE("the other formats of Python, and the things that pin nothing") {
  const auto uv = read_lockfile("uv.lock", R"(version = 1
[[package]]
name = "mine"
version = "0.1.0"
source = { virtual = "." }
[[package]]
name = "Flask_Login"
version = "0.6.3"
source = { registry = "https://registry.example.org/simple" }
)");
  REQUIRE(uv.has_value());
  CHECK(listed(*uv) == "flask-login@0.6.3\n");
  CHECK(uv->packages[0].line == 6);
  const auto pdm = read_lockfile("pdm.lock", R"([metadata]
groups = ["default", "test"]
[[package]]
name = "pytest"
version = "8.0.0"
groups = ["test"]
)");
  REQUIRE(pdm.has_value());
  CHECK(listed(*pdm) == "pytest@8.0.0 dev\n");
  const auto good = read_lockfile("requirements-dev.txt",
                                  "a==1.*\nb @ https://x/y.zip#egg=b\n-e ./c\n./d\n-rother.txt\n"
                                  "e[x,y]==1.0 ; python_version < '3'\n");
  REQUIRE(good.has_value());
  CHECK(listed(*good) == "a@\nb@\ne@1.0\n");
  REQUIRE(good->references.size() == 1);
  CHECK(good->references[0].file == "other.txt");
  CHECK(good->references[0].line == 5);
}

TEST_CASE("Dart, Elixir and R") {
  const auto pub = read_lockfile("pubspec.lock", R"(# Generated by pub
packages:
  back_button_interceptor:
    dependency: "direct main"
    description:
      name: back_button_interceptor
      url: "https://registry.example.org"
    source: hosted
    version: "6.0.1"
  build_runner:
    dependency: "direct dev"
    version: "2.2.1"
sdks:
  dart: ">=2.12.0 <3.0.0"
)");
  REQUIRE(pub.has_value());
  CHECK(listed(*pub) == "back_button_interceptor@6.0.1\nbuild_runner@2.2.1 dev\n");
  CHECK(pub->packages[1].line == 10);
  CHECK_FALSE(read_lockfile("pubspec.lock", "hello\n").has_value());
  CHECK_FALSE(read_lockfile("pubspec.lock", "hello: 1\n").has_value());
  const auto mix = read_lockfile("mix.lock", R"(%{
  "plug": {:hex, :plug, "1.11.1", "f2992bac", [:mix], [], "hexpm", "23524e4f"},
  "mine": {:git, "https://example.org/mine.git", "abc", []},
  "other": {:hex, :real_name, "0.1.0-rc.1", "aa", [:mix], [], "hexpm", "bb"},
}
)");
  REQUIRE(mix.has_value());
  CHECK(listed(*mix) == "plug@1.11.1\nmine@\nreal_name@0.1.0-rc.1\n");
  CHECK_FALSE(read_lockfile("mix.lock", "hello").has_value());
  CHECK_FALSE(read_lockfile("mix.lock", "\"a\": {:hex, :a").has_value());
  const auto renv = read_lockfile("renv.lock", R"({"R": {}, "Packages": {
    "morning": {"Package": "morning", "Version": "0.1.0", "Source": "Repository"},
    "mine": {"Package": "mine", "Version": "0.1.0", "Source": "GitHub"}}})");
  REQUIRE(renv.has_value());
  CHECK(listed(*renv) == "morning@0.1.0\nmine@\n");
  CHECK(renv->packages[0].line == 2);
}

TEST_CASE("lines of gradle that are none are told, the others hold") {
  const auto file = read_lockfile("gradle.lockfile",
                                  "# c\norg.a:b:1.0=runtimeClasspath\n>>>\n"
                                  "org.c:d:2.0=testRuntimeClasspath,testCompileClasspath\n");
  REQUIRE(file.has_value());
  CHECK(listed(*file) == "org.a:b@1.0\norg.c:d@2.0 dev\n");
  REQUIRE(file->bad_lines.size() == 1);
  CHECK(file->bad_lines[0].line == 3);
}

TEST_CASE("a managed version counts once, for the dependency that takes it") {
  const auto file = read_lockfile("pom.xml", R"(<project><dependencies>
    <dependency><groupId>g</groupId><artifactId>a</artifactId></dependency>
    <dependency><groupId>g</groupId><artifactId>b</artifactId><version>2</version></dependency>
    </dependencies><dependencyManagement><dependencies>
    <dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version></dependency>
    <dependency><groupId>g</groupId><artifactId>b</artifactId><version>3</version></dependency>
    <dependency><groupId>g</groupId><artifactId>c</artifactId><version>4</version></dependency>
    </dependencies></dependencyManagement></project>)");
  REQUIRE(file.has_value());
  CHECK(listed(*file) == "g:a@1\ng:b@2\ng:c@4\n");
}

TEST_CASE("formats are known by the names of files") {
  const auto format = [](std::string_view path) {
    const auto* found = lock_format_of(path);
    return found == nullptr ? std::string_view("none") : found->name;
  };
  CHECK(format("a/b/package-lock.json") == "npm");
  CHECK(format("requirements.txt") == "pip");
  CHECK(format("x/dev-requirements.txt") == "pip");
  CHECK(format("buildscript-gradle.lockfile") == "gradle");
  CHECK(format("gradle/verification-metadata.xml") == "gradle-verification-metadata");
  CHECK(format("package.json") == "none");
  const auto unknown = read_lockfile("package.json", "{}");
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().message.find("cargo") != std::string::npos);  // says what is known
  CHECK(lock_formats().size() == 20);
}
