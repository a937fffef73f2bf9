// The analysers of a search for the first bad commit, over a real clone: by hand, and one by one as
// the swarms run them.
#include <boost/json/array.hpp>

#include "entities/codebase/analysers.hpp"
#include "entities/codebase/search.hpp"
#include "tests/entities/codebase_clone.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::codebase;
using testing::Clone;

namespace {

// Commits 1 to 14 of main; 9 breaks it, 5 does not build, 6 is a merge of two commits.
struct History : Clone {
  std::vector<std::string> commits{commit({{"check.sh", "exit 0\n"}, {"n.txt", "0\n"}}, "Begin")};

  History() {
    for (int number = 1; number <= 14; ++number) {
      const auto text = std::to_string(number);
      const std::string script = number == 5   ? "exit 127\n"
                                 : number >= 9 ? "echo wanted 4, got 5; exit 1\n"
                                               : "exit 0\n";
      if (number == 6) {
        git({"checkout", "-q", "-b", "side"});
        commit({{"side.txt", "1\n"}}, "Side one");
        commit({{"side.txt", "2\n"}, {"check.sh", script}}, "Side two");
        git({"checkout", "-q", "main"});
        git({"merge", "-q", "--no-ff", "-m", "Merge the side", "side"});
        commits.push_back(git({"rev-parse", "HEAD"}));
        continue;
      }
      commits.push_back(commit({{"check.sh", script}, {"n.txt", text}}, "Change " + text));
    }
  }
  Result<json::value> run(std::string_view analyser, json::object more) const {
    Request request;
    auto all = input();
    for (auto& [key, value] : more) all[key] = value;
    request.input = std::move(all);
    return find_analyser(analyser)->run(request);
  }
};

std::string text_at(const Result<json::value>& result, std::string_view path) {
  REQUIRE_MESSAGE(result.has_value(), result.error().message);
  return std::string(find_text(*result, path).value_or(""));
}

}  // namespace

TEST_CASE("the first bad commit is found by hand, several at once, around what does not build") {
  const History history;
  const auto result = history.run(
      "bisect",
      {{"good", history.commits[0]}, {"width", 3}, {"files", json::array{"sh", "check.sh"}}});
  CHECK(text_at(result, "first_bad") == history.commits[9]);
  CHECK(text_at(result, "commit.subject") == "Change 9");
  CHECK(find_integer(*result, "rounds") == 2);
  CHECK(find_integer(*result, "rounds_max") == 2);  // ceil(log4 14)
  CHECK(text_at(result, "text").find("sh is broken since " + history.commits[9].substr(0, 9)) !=
        std::string::npos);
  CHECK(
      history.run("bisect", {{"good", "nonsense"}, {"files", json::array{"true"}}}).error().code ==
      ErrorCode::invalid_input);
  CHECK_FALSE(history.run("bisect", {{"good", history.commits[0]}}).has_value());
}

TEST_CASE("candidates lie along first parents, within a limit, and what is gone is no good one") {
  const History history;
  const auto all = history.run("history", {{"good", history.commits[0]}});
  REQUIRE(all.has_value());
  CHECK(all->at("candidates").as_array().size() == 14);
  CHECK(all->at("candidates").as_array().back() == json::value(history.commits[14]));
  CHECK(find_bool(*all, "good_known") == true);
  CHECK(text_at(all, "bad.subject") == "Change 14");
  const auto few = history.run("history", {{"good", history.commits[0]}, {"commits_max", 5}});
  REQUIRE(few.has_value());
  CHECK(few->at("candidates").as_array().size() == 5);
  CHECK(text_at(few, "good") == history.commits[9]);
  CHECK(find_bool(*few, "good_known") == false);
  CHECK(find_bool(*few, "cut") == true);
  const auto gone = history.run(
      "history",
      {{"good", std::string(40, '1')}, {"good_may_be_gone", true}, {"commits_max", 100}});
  REQUIRE(gone.has_value());
  CHECK(gone->at("candidates").as_array().size() == 15);
  CHECK(text_at(gone, "good").empty());
}

TEST_CASE("a probe says what came of one commit, and who made it") {
  const History history;
  const auto probe = [&](std::size_t number, json::object sought) {
    return history.run("probe", {{"commit", history.commits[number]},
                                 {"argv", json::array{"sh", "check.sh"}},
                                 {"sought", std::move(sought)}});
  };
  const auto bad = probe(9, {{"exit_code", 1}});
  CHECK(text_at(bad, "verdict") == "bad");
  CHECK(text_at(bad, "output") == "wanted 4, got 5\n");
  CHECK(text_at(bad, "commit.author") == "t");
  CHECK(text_at(bad, "commit.files.0") == "check.sh");
  CHECK_FALSE(text_at(bad, "failure.fingerprint").empty());
  CHECK(text_at(probe(10, {{"fingerprint", text_at(bad, "failure.fingerprint")}}), "verdict") ==
        "bad");
  CHECK(text_at(probe(10, {{"exit_code", 7}}), "verdict") == "untestable");
  CHECK(text_at(probe(5, {}), "verdict") == "untestable");
  CHECK(text_at(probe(6, {}), "verdict") == "good");
  // What cannot be started tested nothing, and is no fault of the commit's.
  const auto none = history.run(
      "probe", {{"commit", history.commits[9]}, {"argv", json::array{"/no/such/program"}}});
  CHECK(text_at(none, "verdict") == "untestable");
}
