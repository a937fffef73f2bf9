#include <doctest/doctest.h>

#include "entities/ci/tool_output.hpp"

using namespace vigil;
using namespace vigil::entities::ci;
namespace codebase = vigil::entities::codebase;

namespace {

Issue only(std::string_view text) {
  auto output = read_tool_output(text);
  std::string all;
  for (const auto& issue : output.issues) all += issue.path + "|" + issue.message + "\n";
  INFO(text << "\ngave\n" << all);
  REQUIRE(output.issues.size() == 1);
  return output.issues.front();
}

std::size_t count(std::string_view text) { return read_tool_output(text).issues.size(); }

std::string place(const Issue& issue) {
  return issue.path + ":" + std::to_string(issue.line) + ":" + std::to_string(issue.column);
}

}  // namespace

TEST_CASE("paths are taken from where make went") {
  const auto output = read_tool_output(
      "make[1]: Entering directory '/b'\nsrc/a.c:1:2: error: x\n"
      "make[2]: Entering directory '/b/lib'\n../z.c:3: warning: y\n"
      "make[2]: Leaving directory '/b/lib'\nb.c:4: error: z\nmake[1]: Leaving directory '/b'\n"
      "c.c:5: error: w\n/abs/d.c:6: error: v\nmake: *** [Makefile:3: all] Error 2\n");
  REQUIRE(output.issues.size() == 5);
  CHECK(place(output.issues[0]) == "/b/src/a.c:1:2");
  CHECK(place(output.issues[1]) == "/b/z.c:3:0");
  CHECK(place(output.issues[2]) == "/b/b.c:4:0");
  CHECK(place(output.issues[3]) == "c.c:5:0");
  CHECK(place(output.issues[4]) == "/abs/d.c:6:0");
}

TEST_CASE("what CI systems put around lines is seen through") {
  CHECK(place(only("2026-11-23T10:00:00.1234567Z src/a.c:1:2: error: x\n")) == "src/a.c:1:2");
  CHECK(place(only("[2026-11-23T10:00:00.123Z] src/a.c:1:2: error: x")) == "src/a.c:1:2");
  CHECK(place(only("#12 34.56 src/a.c:1:2: error: x")) == "src/a.c:1:2");
  CHECK(place(only("\x1b[1msrc/a.c:1:2: \x1b[0m\x1b[31merror: \x1b[0mx\r\n")) == "src/a.c:1:2");
  const auto annotated = only("::error file=src/a.js,line=3,col=7,title=T::no semicolon");
  CHECK(place(annotated) == "src/a.js:3:7");
  CHECK(annotated.message == "no semicolon");
  CHECK(only("::warning::disk is slow").level == Level::warning);
  CHECK(only("##[error]Process completed with exit code 1.").level == Level::error);
}

TEST_CASE("each language's own form is read") {
  CHECK(place(only("error[E0308]: mismatched types\n --> src/main.rs:4:5\n  |\n")) ==
        "src/main.rs:4:5");
  CHECK(only("error[E0308]: mismatched types\n --> src/main.rs:4:5\n").rule == "E0308");
  CHECK(count("warning: unused\nwarning: `x` (bin) generated 1 warning\nok\n\n\n") == 0);
  CHECK(count("error: could not compile `x` due to 2 previous errors\n") == 0);
  CHECK(place(only("src/a.ts:3:5 - error TS2322: Type 'x'")) == "src/a.ts:3:5");
  CHECK(only("src/a.ts(3,5): error TS2322: Type 'x'").rule == "TS2322");
  CHECK(place(only("/r/a.js\n  12:5  error  'x' is not defined  no-undef\n\n1 problem\n")) ==
        "/r/a.js:12:5");
  CHECK(only("a.py:1:0: C0114: Missing docstring (missing-module-docstring)").rule == "C0114");
  CHECK(only("a.py:3: [C0111(missing-docstring), f] Missing").rule == "C0111");
  CHECK(only("a.sh:3:5: note: Double quote [SC2086]").tool == "shellcheck");
  CHECK(only("a.py:3: error: Incompatible types  [assignment]").rule == "assignment");
  CHECK(only("vet: ./x.go:12:3: undefined: y").path == "x.go");
  CHECK(place(only("PHP Fatal error:  no class in /r/a.php on line 12")) == "/r/a.php:12:0");
  CHECK(only("1>a.obj : error LNK2019: unresolved external symbol").rule == "LNK2019");
  CHECK(only("LINK : fatal error LNK1104: cannot open file 'x.lib'").level == Level::error);
  CHECK(only("/usr/bin/ld: a.o: in function `f':\na.c:(.text+0x5): undefined reference to `g'\n"
             "collect2: error: ld returned 1 exit status\n")
            .message == "undefined reference to `g'");
  CHECK(only("make: *** No rule to make target 'x', needed by 'all'.  Stop.").tool == "make");
  CHECK(only("clang: error: no such file\nclang: error: linker command failed with exit code 1")
            .message == "no such file");
  CHECK(only("CMake Error at CMakeLists.txt:3 (find_package):\n  Could not find X\n").message ==
        "Could not find X");
  CHECK(only("* What went wrong:\n  Execution failed for task ':a'.\n").tool == "gradle");
  CHECK(only("e: file:///r/A.kt:3:9 Unresolved reference: x").path == "/r/A.kt");
  CHECK(place(only("A.java:3: error: cannot find symbol")) == "A.java:3:0");
}

TEST_CASE("a SARIF, checkstyle or eslint document is tool output too") {
  CHECK(place(only("<checkstyle><file name='a.c'><error line='2' column='3' severity='error' "
                   "message='m' source='r'/></file></checkstyle>")) == "a.c:2:3");
  CHECK(only(R"([{"filePath":"/r/a.js","messages":[{"ruleId":"x","severity":2,"message":"m",
              "line":1,"column":2}]}])")
            .level == Level::error);
  CHECK(only(R"({"runs":[{"results":[{"message":{"text":"m"}}]}]})").message == "m");
  CHECK(only(R"({"results":[{"path":"a.py","start":{"line":3},"check_id":"c",
              "extra":{"message":"m","severity":"ERROR"}}]})")
            .line == 3);
  CHECK(severity_of(only(R"({"Results":[{"Target":"t","Vulnerabilities":[{"VulnerabilityID":"C",
              "PkgName":"p","Severity":"CRITICAL"}]}]})")) == codebase::Severity::critical);
  CHECK(count("[]") == 0);
}

TEST_CASE("reports of PMD, SpotBugs, Android, stylelint, hadolint and brakeman are read") {
  CHECK(place(only("<pmd><file name='A.java'><violation beginline='3' rule='R' priority='1'>\n"
                   "Avoid\n</violation></file></pmd>")) == "A.java:3:0");
  CHECK(place(only("<BugCollection><BugInstance type='NP' priority='1'><Class><SourceLine "
                   "sourcepath='x/A.java' start='1'/></Class><SourceLine sourcepath='x/A.java' "
                   "start='9'/></BugInstance></BugCollection>")) == "x/A.java:9:0");
  CHECK(place(only("<issues><issue id='I' severity='Error' message='m'><location file='a.xml' "
                   "line='2' column='3'/></issue></issues>")) == "a.xml:2:3");
  CHECK(only(R"([{"source":"a.css","warnings":[{"line":1,"column":2,"rule":"r","text":"t",
              "severity":"error"}]}])")
            .message == "t");
  CHECK(only(R"([{"line":1,"code":"DL3008","message":"m","column":1,"file":"Dockerfile",
              "level":"warning"}])")
            .path == "Dockerfile");
  CHECK(only(R"({"warnings":[{"warning_type":"SQL Injection","message":"m","file":"a.rb",
              "line":4,"confidence":"High"}]})")
            .line == 4);
}

TEST_CASE("older and rarer compilers are read too") {
  CHECK(only("    [javac] D:\\x\\A.java:12: warning: [deprecation] f() is old").path ==
        "D:/x/A.java");
  CHECK(only("    [javac] D:\\x\\A.java:12: warning: [deprecation] f() is old").rule ==
        "deprecation");
  CHECK(place(only("\"a.c\", line 21: Warning:  #550-D: variable set but not used")) == "a.c:21:0");
  CHECK(place(only("a.cpp:12:  Missing space  [whitespace/braces] [4]")) == "a.cpp:12:0");
  CHECK(only("a.yml:3:5: [error] too many spaces (colons)").level == Level::error);
  CHECK(place(only("1. ERROR in /x/A.java (at line 12)\n\tint x;\n\t^^^\nx is bad\n")) ==
        "/x/A.java:12:0");
  CHECK(place(only("Global symbol \"$x\" requires package name at a.pl line 3.")) == "a.pl:3:0");
}

TEST_CASE("logs that complain about nothing hold no issue") {
  CHECK(count("") == 0);
  CHECK(count("12:03:44 INFO server.cpp started\n12:03:45: error count 0\nok: 5\n") == 0);
  CHECK(count("    at org.x.ATest.works(ATest.java:12)\n  File \"a.py\", line 3, in f\n") == 0);
  CHECK(count("https://example.org:443: reached\n[INFO] BUILD SUCCESS\n0 errors, 0 warnings\n") ==
        0);
  CHECK(count("Compiling a.cpp\n[ 50%] Building CXX object a.cpp.o\n1 warning generated.\n") == 0);
}

TEST_CASE("hostile output is read within bounds") {
  CHECK(count(std::string(1'000'000, 'a')) == 0);
  CHECK(count(std::string(200'000, '[')) == 0);
  CHECK(count(std::string(200'000, '{') + "\n" + std::string(200'000, '<')) == 0);
  CHECK(count(std::string("a.c:1: error: \xff\xfe\0x", 19)) == 1);
  CHECK(count("a.c:99999999999999999999: error: x\n") == 0);
  std::string many;
  for (int i = 0; i < 60'000; ++i) many += "a.c:" + std::to_string(i) + ": error: x\n";
  const auto output = read_tool_output(many);
  CHECK(output.cut);
  CHECK(output.issues.size() == issues_max);
  std::string folders;
  for (int i = 0; i < 10'000; ++i) folders += "make: Entering directory 'x'\n";
  CHECK(read_tool_output(folders + "a.c:1: error: x\n").issues.at(0).path.size() < 1000);
}
