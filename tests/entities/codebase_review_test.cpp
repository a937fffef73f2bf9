#include <doctest/doctest.h>

#include <boost/json/array.hpp>

#include "entities/codebase/review.hpp"

using namespace vigil;
using namespace vigil::entities::codebase;

namespace {

Finding finding(std::string key, Severity severity, std::string path, int line,
                std::string title = "something") {
  Finding out;
  out.key = std::move(key);
  out.analyser = "secrets";
  out.rule = "rule";
  out.severity = severity;
  out.path = std::move(path);
  out.line = line;
  out.title = std::move(title);
  return out;
}

json::object changes() {
  return {{"base", "aaaaaaaaaaaa"},
          {"head", "bbbbbbbbbbbb"},
          {"asked_head", "bbbbbbbbbbbb"},
          {"as_asked", true},
          {"why", "because"},
          {"file_count", 3},
          {"added", 10},
          {"removed", 2}};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a review sorts findings, worst first, and says each once") {
  const json::object results{{"changes", changes()},
                             {"a", analysis("one", {finding("k1", Severity::low, "b.c", 2),
                                                    finding("k2", Severity::high, "z.c", 1)})},
                             {"b", analysis("two", {finding("k1", Severity::low, "b.c", 2),
                                                    finding("k3", Severity::low, "a.c", 9)})}};
  const auto review = merge_results(results, {"a", "b"}, {});
  REQUIRE(review.findings.size() == 3);
  CHECK(review.findings[0].key == "k2");
  CHECK(review.findings[1].key == "k3");
  CHECK(review.findings[2].key == "k1");
  CHECK(counts_text(review.findings) == "1 high, 2 low");
  CHECK(review.notes == std::vector<std::string>{"a: one", "b: two"});
  CHECK(review.file_count == 3);
}

TEST_CASE("ignored paths and dismissed findings are left out and counted") {
  const json::object results{{"changes", changes()},
                             {"a", analysis("", {finding("k1", Severity::high, "vendor/x.c", 2),
                                                 finding("k2", Severity::high, "a.c", 1),
                                                 finding("k3", Severity::low, "a.c", 3)})}};
  const auto review = merge_results(results, {"a"}, {{"vendor/"}, {"k2"}});
  REQUIRE(review.findings.size() == 1);
  CHECK(review.findings[0].key == "k3");
  CHECK(review.ignored == 1);
  CHECK(review.dismissed == 1);
}

TEST_CASE("an analyser without a result is named, never taken for clean") {
  const json::object results{{"changes", changes()}, {"a", analysis("", {})}, {"b", "garbage"}};
  const auto review = merge_results(results, {"a", "b", "c"}, {});
  CHECK(review.not_done == std::vector<std::string>{"b", "c"});
  CHECK(has(to_markdown(review, {}), "`b` `c`"));
  CHECK(has(to_terminal(review), "c: no result"));
}

TEST_CASE("a review survives its way through JSON") {
  const json::object results{{"changes", changes()},
                             {"a", analysis("", {finding("k1", Severity::medium, "a.c", 2, "t")})}};
  const auto review = merge_results(results, {"a", "gone"}, {});
  const auto back = review_from_json(to_json(review));
  REQUIRE(back.has_value());
  CHECK(to_json(*back) == to_json(review));
  CHECK_FALSE(review_from_json(json::value("text")).has_value());
  CHECK_FALSE(review_from_json(nullptr).has_value());
}

TEST_CASE("the next review knows what is new and what is gone") {
  const auto progress =
      compare({finding("old", Severity::low, "a", 1), finding("stays", Severity::low, "a", 2)},
              {finding("stays", Severity::low, "a", 7), finding("new", Severity::low, "a", 3)});
  CHECK(progress.new_keys == std::vector<std::string>{"new"});
  REQUIRE(progress.fixed.size() == 1);
  CHECK(progress.fixed[0].key == "old");
  Review review;
  review.findings = {finding("stays", Severity::low, "a", 7),
                     finding("new", Severity::low, "a", 3)};
  const auto text = to_markdown(review, progress);
  CHECK(has(text, "key `new`) **new**"));
  CHECK_FALSE(has(text, "key `stays`) **new**"));
  CHECK(has(text, "No longer there"));
}

TEST_CASE("foreign text can neither call people nor make markup") {
  Review review;
  review.findings = {
      finding("k", Severity::high, "a`@org/team`.md", 1,
              "TODO was added: @everyone <img src=x> [click](http://x) `a`\n# head")};
  review.owners = {"@org/team"};
  const auto text = to_markdown(review, {});
  CHECK_FALSE(has(text, "@everyone"));
  CHECK(has(text, "\\<img"));
  CHECK_FALSE(has(text, "[click]("));
  CHECK_FALSE(has(text, "\n# head"));
  CHECK(has(text, "`a'@org/team'.md:1`"));
  CHECK(has(text, "`@org/team`"));
}

TEST_CASE("a review of other commits than the asked ones says so first") {
  auto of = changes();
  of["as_asked"] = false;
  const auto review = merge_results({{"changes", of}}, {}, {});
  CHECK(has(to_markdown(review, {}), "This is not the change itself"));
}

TEST_CASE("many findings are cut, and how many is said") {
  std::vector<Finding> many;
  for (int i = 0; i < 700; ++i) {
    many.push_back(finding("k" + std::to_string(i), Severity::low, "a.c", i));
  }
  const json::object results{{"changes", changes()}, {"a", analysis("", many)}};
  const auto review = merge_results(results, {"a"}, {});
  CHECK(review.findings.size() == 200);
  CHECK(review.left_off == 500);
  CHECK(has(to_markdown(review, {}), "500 over the limit"));
}

TEST_CASE("two findings with one key in one file are told apart") {
  const auto result =
      analysis("", {finding("k", Severity::low, "a", 1), finding("k", Severity::low, "a", 2)});
  CHECK(find_text(json::value(result), "findings.1.key") == "k-2");
}

TEST_CASE("foreign bytes become one valid line") {
  CHECK(one_line("a\nb\x1b\xff") == "a b \xEF\xBF\xBD");
  CHECK(one_line(std::string(200, 'x'), 10).size() < 20);
  CHECK(is_valid_utf8(one_line("\xc3\xbc\xc3\xbc\xc3\xbc", 3)));
}
