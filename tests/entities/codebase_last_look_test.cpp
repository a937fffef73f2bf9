// A look that builds on the one before finds what a look at everything finds.
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <random>
#include <set>

#include "entities/codebase/analysers.hpp"
#include "entities/codebase/changed_files.hpp"
#include "entities/codebase/review.hpp"
#include "entities/codebase/review_plan.hpp"
#include "tests/entities/codebase_clone.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::codebase;
using testing::Clone;
namespace fs = std::filesystem;

namespace {

json::object result_of(std::string_view name, Request request) {
  const auto* analyser = find_analyser(name);
  REQUIRE(analyser != nullptr);
  auto result = analyser->run(request);
  REQUIRE_MESSAGE(result.has_value(), result.error().message);
  return result->get_object();
}

struct Looked {
  Review review;
  json::object changes;
};

// As the swarm does it: the changes, every analyser that looks at each file by itself, the merge.
Looked look(const Clone& clone, const std::string& base, const std::string& head,
            const Review* last = nullptr) {
  auto input = clone.input();
  input["base"] = base;
  input["head"] = head;
  input["kind"] = "pull_request";
  ReviewWishes wishes;
  if (last != nullptr) {
    input["before"] = json::object{{"base", last->base}, {"head", last->head}};
    wishes.carried = last->findings;
  }
  Request request{"", json::value(input), {}, {}};
  json::object results{{"changes", result_of("changes", request)}};
  std::vector<std::string> names;
  for (const auto& analyser : analysers()) {
    const std::string name(short_name(analyser));
    if (!looks_at_each_file(name)) continue;
    Request asked{name, json::value(clone.input()), {{"changes", results["changes"]}}, {}};
    asked.input.as_object()["large_file_bytes"] = 3000;
    results[name] = result_of(name, asked);
    names.push_back(name);
  }
  REQUIRE(names.size() == 5);
  return {merge_results(results, names, wishes), results["changes"].get_object()};
}

std::set<std::string> told(const Review& review) {
  std::set<std::string> all;
  for (const auto& finding : review.findings) {
    all.insert(finding.key + " " + place_of(finding) + " " + finding.title);
  }
  return all;
}

std::string some_text(std::mt19937& chance) {
  // In pieces: no key and no mark of a merge stands in this file.
  const std::vector<std::string> lines{"int a = 1;",
                                       "# TODO: later",
                                       "<<<<<<"
                                       "< HEAD",
                                       "key = 'AKIA"
                                       "Q3EGRIK7WJ5MZT4X'",
                                       "import "
                                       "pdb; pdb.set_trace()",
                                       "return 0;",
                                       "# FIXME: soon",
                                       "plain text"};
  std::string text;
  for (int i = 0; i < 12; ++i) {
    text +=
        lines[chance() % (lines.size() * 2) % lines.size()] + std::string(chance() % 2, ' ') + "\n";
  }
  if (chance() % 6 == 0) text += std::string(4000, 'x') + "\n";
  return text;
}

}  // namespace

TEST_CASE("a look that builds on the last one finds the same as a look at everything") {
  for (const unsigned seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    std::mt19937 chance(seed);
    Clone clone;
    const auto name = [&] { return fmt::format("f{}.py", chance() % 8); };
    for (int i = 0; i < 6; ++i) clone.write(fmt::format("f{}.py", i), some_text(chance));
    auto base = clone.commit({{"f6.py", some_text(chance)}});
    clone.git({"switch", "-qc", "topic"});
    Review last;
    std::size_t seen = 0;
    for (int step = 0; step < 8; ++step) {
      CAPTURE(step);
      const auto change = chance() % 5;
      if (change == 0 && step > 1) {
        clone.git({"switch", "-q", "main"});
        base = clone.commit({{fmt::format("m{}.py", step), some_text(chance)}});
        clone.git({"switch", "-q", "topic"});
        clone.git({"merge", "-q", "--no-edit", "main"});
      } else if (change == 1) {
        std::error_code ignored;
        fs::remove(clone.path() / name(), ignored);
        fs::rename(clone.path() / name(), clone.path() / fmt::format("r{}.py", step), ignored);
      } else {
        clone.write(name(), some_text(chance));
      }
      const auto head = clone.commit({});
      const auto whole = look(clone, base, head);
      if (step > 0) {
        const auto again = look(clone, base, head, &last);
        const auto built = told(again.review);
        const auto read = told(whole.review);
        for (const auto& one : built) CHECK_MESSAGE(read.contains(one), "too much: ", one);
        for (const auto& one : read) CHECK_MESSAGE(built.contains(one), "missed: ", one);
        seen += static_cast<std::size_t>(
            std::ranges::count_if(files_of(json::value(again.changes)), &FileChange::seen));
      }
      last = whole.review;
    }
    CHECK(seen > 5);  // else this compared nothing
  }
}

TEST_CASE("what was looked at and is no longer in the clone is no reason to leave anything out") {
  Clone clone;
  const auto base = clone.commit({{"a.py", "a = 1\n"}});
  const auto head = clone.commit({{"a.py", "# TODO: later\n"}, {"b.py", "# TODO: too\n"}});
  Review last;
  last.base = base;
  last.head = std::string(40, 'd');
  const auto again = look(clone, base, head, &last);
  CHECK(again.review.findings.size() == 2);
  CHECK(find_integer(json::value(again.changes), "file_count") == 2);
}

TEST_CASE("a command that passed runs again only when something it looks at changed") {
  Clone clone;
  const auto base = clone.commit({{"src/a.c", "int a;\n"}, {"doc.md", "words\n"}});
  const auto first = clone.commit({{"src/a.c", "int b;\n"}});
  const auto run = [&](const std::string& head, const std::string& passed_at, json::array paths) {
    auto changes = clone.input();
    changes["base"] = base;
    changes["head"] = head;
    auto input = clone.input();
    input["name"] = "build";
    input["argv"] = json::array{"true"};
    if (!paths.empty()) input["paths"] = std::move(paths);
    if (!passed_at.empty()) input["passed_at"] = passed_at;
    return result_of("command",
                     {"command:build",
                      json::value(input),
                      {{"changes", result_of("changes", {"", json::value(changes), {}, {}})}},
                      {}});
  };
  const auto text = [](const json::object& result, std::string_view key) {
    return std::string(find_text(json::value(result), key).value_or(""));
  };
  const auto passed = run(first, "", {"src/"});
  CHECK(text(passed, "passed_at") == first);
  const auto words = clone.commit({{"doc.md", "other words\n"}});
  const auto left = run(words, first, {"src/"});
  CHECK(text(left, "summary").find("nothing it looks at changed since") != std::string::npos);
  CHECK(text(left, "passed_at") == first);
  CHECK(left.find("exit_code") == left.end());
  CHECK(text(run(words, first, {}), "passed_at") == words);  // it looks at everything
  const auto code = clone.commit({{"src/a.c", "int c;\n"}});
  CHECK(text(run(code, first, {"src/"}), "passed_at") == code);
  CHECK(text(run(code, std::string(40, 'd'), {"src/"}), "passed_at") == code);
}
