// vigil-task as a program: by hand, as a task, in its containment, and the commands it runs.
#include <boost/json/array.hpp>

#include "core/time.hpp"
#include "entities/codebase/command.hpp"
#include "tests/entities/codebase_clone.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::codebase;
using testing::Clone;
using testing::Folder;
namespace fs = std::filesystem;

namespace {

const std::string programs = bin_dir();

ErrandEnd task(std::vector<std::string> words, std::string input = {},
               std::vector<std::string> environment = {}) {
  Errand errand;
  errand.argv = {programs + "/vigil-task"};
  errand.argv.insert(errand.argv.end(), words.begin(), words.end());
  errand.environment = std::move(environment);
  errand.environment.emplace_back("PATH=/usr/bin:/bin");
  errand.input = std::move(input);
  const auto end = run_errand(errand);
  REQUIRE(end.has_value());
  return *end;
}

ErrandEnd contained(const Clone& clone, const Folder& workdir, std::string analyser,
                    const std::string& input) {
  Errand errand;
  errand.argv = {programs + "/vigil-exec",
                 "--profile",
                 "strict",
                 "--read",
                 clone.path().string(),
                 "--write",
                 workdir.path().string(),
                 "--",
                 programs + "/vigil-task",
                 std::move(analyser)};
  errand.folder = workdir.path().string();
  errand.environment = {"PATH=/usr/bin:/bin", "HOME=" + workdir.path().string(),
                        "TMPDIR=" + workdir.path().string()};
  errand.input = input;
  const auto end = run_errand(errand);
  REQUIRE(end.has_value());
  return *end;
}

// False, and a word, where the kernel has no Landlock.
bool is_containable(const ErrandEnd& end) {
  if (end.exit_code != 126) return true;
  MESSAGE("skipped: " << end.errors);
  return false;
}

std::string asked(const Clone& clone, json::object more = {}) {
  json::object input = clone.input();
  for (auto& [key, value] : more) input[key] = value;
  return to_text(json::value{{"task", "t"}, {"input", input}, {"inputs", json::object{}}});
}

json::value command(const Clone& clone, std::vector<std::string> argv, json::object more = {},
                    std::optional<Duration> time_left = std::nullopt) {
  json::object input = clone.input();
  input["name"] = "tests";
  json::array words;
  for (const auto& word : argv) words.emplace_back(word);
  input["argv"] = std::move(words);
  for (auto& [key, value] : more) input[key] = value;
  const auto result = run_command({"tests", input, {}, time_left});
  REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
  return *result;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("vigil-task says what it can do and what was wrong") {
  CHECK(has(task({"list"}).output, "codebase.secrets"));
  CHECK(task({"codebase.secrets", "--help"}).exit_code == 0);
  CHECK(task({"--help"}).exit_code == 0);
  CHECK(task({}).exit_code == 64);
  CHECK(task({"nonsense"}).exit_code == 64);
  CHECK(task({"codebase.secrets", "--range"}).exit_code == 64);
  CHECK(task({"codebase.secrets"}, "{not json").exit_code == 65);
  CHECK(task({"codebase.secrets"}, "[]").exit_code == 65);
  CHECK(task({"codebase.secrets"}, "{}").exit_code == 65);
  CHECK(has(task({"codebase.changes"}, "{}").errors, "input.repository is missing"));
  CHECK(task({"codebase.changes", "--repository", "/nowhere"}).exit_code == 65);
}

TEST_CASE("vigil-task works by hand and as a task, with the same findings") {
  const Clone clone;
  clone.commit({{"a.py", "x = 1\n"}});
  clone.commit({{"a.py", "breakpoint()\n"}});
  const auto by_hand = task({"codebase.review", "--repository", clone.path().string(), "--range",
                             "HEAD~1..HEAD", "--text"});
  CHECK(by_hand.exit_code == 0);
  CHECK(has(by_hand.output, "a.py:1: medium: a breakpoint stops the program there"));
  const auto as_task = task({"codebase.debug"}, asked(clone, {{"depth", 1}}));
  CHECK(as_task.exit_code == 0);
  const auto result = parse_json(as_task.output);
  REQUIRE(result.has_value());
  CHECK(find_text(*result, "findings.0.path") == "a.py");
}

TEST_CASE("a script says things on the control channel through vigil-task") {
  const std::vector<std::string> channel{"VIGIL_CONTROL_FD=1"};
  CHECK(task({"say", "interface", R"({"a":1})"}, "", channel).output ==
        "{\"interface\":{\"a\":1}}\n");
  CHECK(task({"say", "progress", "0.5"}, "", channel).output == "{\"progress\":5E-1}\n");
  CHECK(task({"say", "interface", "@-"}, "plain text", channel).output ==
        "{\"interface\":\"plain text\"}\n");
  CHECK(task({"say", "interface", "@/no/such/file"}, "", channel).exit_code == 65);
  CHECK(task({"say", "nonsense", "1"}, "", channel).exit_code == 64);
  CHECK(task({"say", "progress", "1"}).exit_code == 64);
}

TEST_CASE("a review runs in strict containment and leaves nothing behind") {
  const Clone clone;
  clone.commit({{"a.py", "x = 1\n"}});
  clone.commit({{"a.py", "breakpoint()\n"}});
  const Folder workdir;
  const auto end = contained(clone, workdir, "codebase.review", asked(clone));
  if (!is_containable(end)) return;
  CHECK_MESSAGE(end.exit_code == 0, end.errors);
  const auto result = parse_json(end.output);
  REQUIRE(result.has_value());
  CHECK(find_text(*result, "findings.0.rule") == "python-breakpoint");
  CHECK(result->at("not_done").as_array().empty());
  CHECK(fs::is_empty(workdir.path()));
}

TEST_CASE("a contained command sees the commit, may write, and reaches nothing else") {
  const Clone clone;
  clone.commit({{"a.txt", "committed\n"}});
  clone.write("a.txt", "changed but not committed\n");
  const Folder workdir;
  const auto script = "cat a.txt; echo built > out; cat out; cat /etc/shadow; touch " +
                      clone.path().string() + "/mine; exit 3";
  const auto end = contained(clone, workdir, "codebase.command",
                             asked(clone, {{"name", "tests"}, {"argv", {"sh", "-c", script}}}));
  if (!is_containable(end)) return;
  CHECK_MESSAGE(end.exit_code == 0, end.errors);
  const auto result = parse_json(end.output);
  REQUIRE(result.has_value());
  const std::string output(find_text(*result, "output").value_or(""));
  CHECK(has(output, "committed\nbuilt\n"));
  CHECK(has(output, "/etc/shadow: Permission denied"));
  CHECK(find_integer(*result, "exit_code") == 3);
  CHECK_FALSE(fs::exists(clone.path() / "mine"));
  CHECK(fs::is_empty(workdir.path()));
}

TEST_CASE("a command that passes is told in a word, one that fails with its errors") {
  const Clone clone;
  clone.commit({{"src/a.c", "int x\n"}});
  const auto good = command(clone, {"true"});
  CHECK(find_text(good, "summary") == "tests passed");
  CHECK(good.at("findings").as_array().empty());
  const auto bad =
      command(clone, {"sh", "-c", "echo \"$PWD/src/a.c:1:6: error: no end\" >&2; exit 2"});
  REQUIRE(bad.at("findings").as_array().size() == 2);
  CHECK(find_text(bad, "findings.0.title") == "tests failed with exit code 2 and 1 errors");
  CHECK(find_text(bad, "findings.1.path") == "src/a.c");
  CHECK(find_integer(bad, "findings.1.line") == 1);
}

TEST_CASE("the reports a command leaves are told test by test, with their place") {
  const Clone clone;
  clone.commit({{"src/a_test.py", "def test_sum():\n    assert 1 == 2\n"}});
  const std::string report =
      "<testsuite><testcase classname='a_test' name='test_sum' file='src/a_test.py' line='2'>"
      "<failure message='assert 1 == 2'>src/a_test.py:2: AssertionError</failure></testcase>"
      "<testcase classname='a_test' name='test_more'/>"
      "<testcase classname='a_test' name='test_later'><skipped/></testcase></testsuite>";
  const json::object wanted{{"reports", json::array{"out/*.xml"}}};
  const auto bad = command(
      clone, {"sh", "-c", "mkdir out; printf %s \"$1\" > out/r.xml; exit 1", "sh", report}, wanted);
  REQUIRE(bad.at("findings").as_array().size() == 2);
  CHECK(find_text(bad, "summary") ==
        "tests failed with exit code 1; 1 of 2 tests failed, 1 skipped");
  CHECK(find_text(bad, "findings.1.title") == "a_test test_sum failed: assert 1 == 2");
  CHECK(find_text(bad, "findings.1.path") == "src/a_test.py");
  CHECK(find_integer(bad, "findings.1.line") == 2);
  CHECK(find_text(bad, "tests.failing.0.test") == "a_test test_sum");
  CHECK(find_text(bad, "tests.failing.0.fingerprint")->size() == 12);
  CHECK(find_integer(bad, "tests.passed") == 1);
}

TEST_CASE("reports that are missing, broken or lead elsewhere are said, never taken for passed") {
  const Clone clone;
  clone.commit({{"a.txt", "x\n"}});
  const json::object wanted{{"reports", json::array{"*.xml"}}};
  const auto none = command(clone, {"true"}, wanted);
  CHECK(find_text(none, "findings.0.title") == "tests left no test report");
  const auto broken = command(clone, {"sh", "-c", "echo '<testsuite><testcase' > r.xml"}, wanted);
  CHECK(has(std::string(find_text(broken, "findings.0.title").value_or("")),
            "r.xml is no test report that can be read"));
  const auto link = command(clone, {"ln", "-s", "/etc/passwd", "r.xml"}, wanted);
  CHECK(find_text(link, "findings.0.rule") == "no-report");
}

TEST_CASE("a command that hangs is stopped before its task's deadline") {
  const Clone clone;
  clone.commit({{"a", "1\n"}});
  const auto hung = command(clone, {"sleep", "600"}, {}, std::chrono::milliseconds{100});
  CHECK(find_text(hung, "findings.0.title") == "tests did not end in its time");
}

TEST_CASE("a command whose paths did not change is not run") {
  const Clone clone;
  clone.commit({{"docs/a.md", "1\n"}});
  const auto result = command(clone, {"false"}, {{"paths", {"src/"}}});
  CHECK(result.at("findings").as_array().empty());
  CHECK(has(std::string(find_text(result, "summary").value()), "not needed"));
  CHECK_FALSE(command(clone, {"false"}, {{"paths", {"docs/"}}}).at("findings").as_array().empty());
}

TEST_CASE("a program that is missing is the configuration's fault") {
  const Clone clone;
  clone.commit({{"a", "1\n"}});
  json::object input = clone.input();
  input["argv"] = json::array{"/no/such/program"};
  const auto result = run_command({"t", input, {}, std::nullopt});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::invalid_input);
  CHECK(has(result.error().message, "/no/such/program"));
}

TEST_CASE("commands work on a clone without a work tree") {
  const Clone clone;
  clone.commit({{"a.txt", "here\n"}});
  const Folder place;
  clone.git({"clone", "-q", "--bare", ".", (place.path() / "bare.git").string()});
  const auto result =
      command(clone, {"cat", "a.txt"}, {{"repository", (place.path() / "bare.git").string()}});
  CHECK(find_text(result, "output") == "here\n");
}

TEST_CASE("errands are bounded in time and bytes, and keep both streams apart") {
  Errand errand;
  errand.environment = {"PATH=/usr/bin:/bin"};
  errand.argv = {"sh", "-c", "cat; echo oops >&2"};
  errand.input = std::string(300'000, 'x');
  errand.output_bytes_max = 1000;
  const auto end = run_errand(errand);
  REQUIRE(end.has_value());
  CHECK(end->output.size() == 1000);
  CHECK(end->output_cut_bytes == 299'000);
  CHECK(end->errors == "oops\n");
  errand.argv = {"true"};  // does not read its input
  CHECK(run_errand(errand)->exit_code == 0);
  errand.argv = {"sh", "-c", "kill -9 $$"};
  CHECK(run_errand(errand)->signal == 9);
  errand.argv = {"/no/such/thing"};
  CHECK(run_errand(errand).error().code == ErrorCode::not_found);
}
