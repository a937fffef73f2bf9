#include "entities/codebase/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ci/report_parts.hpp"
#include "entities/codebase/git.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::array<std::string_view, 3> step_words{"listing", "testing", "interrupted"};

std::string text_of(const json::value& value, std::string_view key) {
  return std::string(find_text(value, key).value_or(""));
}

int int_of(const json::value& value, std::string_view key) {
  return static_cast<int>(find_integer(value, key).value_or(0));
}

json::object to_json(const Tested& tested) {
  return {{"verdict", to_text(tested.verdict)},
          {"round", tested.round},
          {"seconds", tested.seconds},
          {"why", tested.why}};
}

json::object object_of(const json::value& value, std::string_view key) {
  const auto* found = find_path(value, key);
  return found != nullptr && found->is_object() ? found->get_object() : json::object{};
}

ci::Verdicts verdicts_of(const Search& search) {
  ci::Verdicts verdicts;
  for (std::size_t at = 0; at < search.candidates.size(); ++at) {
    const auto found = search.tested.find(search.candidates[at]);
    if (found != search.tested.end()) verdicts[at] = found->second.verdict;
  }
  // Known already: a confirmation that says otherwise is another story, and not told here.
  verdicts[search.candidates.size() - 1] = ci::Verdict::bad;
  return verdicts;
}

}  // namespace

json::object to_json(const Search& search) {
  json::array candidates;
  for (const auto& commit : search.candidates) candidates.emplace_back(commit);
  json::object tested;
  for (const auto& [commit, one] : search.tested) tested[commit] = to_json(one);
  return {{"command", search.command},
          {"title", search.title},
          {"step", step_words.at(static_cast<std::size_t>(search.step))},
          {"sought", to_json(search.sought)},
          {"bad", search.bad},
          {"good", search.good},
          {"good_known", search.good_known},
          {"cut", search.cut},
          {"candidates", std::move(candidates)},
          {"tested", std::move(tested)},
          {"width", search.width},
          {"round", search.round},
          {"rounds_max", search.rounds_max},
          {"suspect", search.suspect},
          {"began_us", search.began_us}};
}

Search search_from_json(const json::value& value) {
  Search search;
  search.command = text_of(value, "command");
  search.title = text_of(value, "title");
  const auto step = std::ranges::find(step_words, text_of(value, "step"));
  if (step != step_words.end()) search.step = static_cast<SearchStep>(step - step_words.begin());
  search.sought = sought_from_json(object_of(value, "sought"));
  search.bad = text_of(value, "bad");
  search.good = text_of(value, "good");
  search.good_known = find_bool(value, "good_known").value_or(false);
  search.cut = find_bool(value, "cut").value_or(false);
  if (const auto* all = find_path(value, "candidates"); all != nullptr && all->is_array()) {
    for (const auto& one : all->get_array()) {
      if (one.is_string()) search.candidates.emplace_back(std::string_view(one.get_string()));
    }
  }
  for (const auto& [commit, one] : object_of(value, "tested")) {
    search.tested[commit] = {
        verdict_from(text_of(one, "verdict")).value_or(ci::Verdict::untestable),
        int_of(one, "round"), ci::find_number(one, "seconds").value_or(0), text_of(one, "why")};
  }
  search.width = std::max(1, int_of(value, "width"));
  search.round = int_of(value, "round");
  search.rounds_max = int_of(value, "rounds_max");
  search.suspect = object_of(value, "suspect");
  search.began_us = find_integer(value, "began_us").value_or(0);
  return search;
}

Result<void> take_history(Search& search, const json::value& history) {
  search.candidates.clear();
  const auto* all = find_path(history, "candidates");
  for (const auto& one : all != nullptr && all->is_array() ? all->get_array() : json::array{}) {
    if (one.is_string() && is_hash(std::string_view(one.get_string()))) {
      search.candidates.emplace_back(std::string_view(one.get_string()));
    }
  }
  if (search.candidates.empty()) {
    return fail(ErrorCode::invalid_input, "there are no commits between the good and the bad one");
  }
  search.bad = search.candidates.back();
  search.good = text_of(history, "good");
  search.good_known = search.good.empty() || find_bool(history, "good_known").value_or(false);
  search.cut = find_bool(history, "cut").value_or(false);
  search.suspect = object_of(history, "bad");
  search.rounds_max = static_cast<int>(
      ci::bisect_rounds(search.candidates.size(), static_cast<std::size_t>(search.width)));
  return {};
}

Result<SearchNext> next_of(const Search& search) {
  if (search.candidates.empty()) return fail(ErrorCode::invalid_input, "no candidates");
  const auto all = verdicts_of(search);
  const auto verdicts = ci::since_newest_good(all);
  auto step = ci::next_bisect_step(search.candidates.size(), verdicts,
                                   static_cast<std::size_t>(search.width));
  if (!step) return std::unexpected(step.error());
  SearchNext next;
  next.first = step->first;
  next.last = step->last;
  next.back_and_forth = verdicts.size() < all.size();
  for (const auto at : step->test) next.test.push_back(search.candidates[at]);
  return next;
}

void take_probe(Search& search, const std::string& commit, const json::value& result) {
  Tested tested;
  tested.verdict = verdict_from(text_of(result, "verdict")).value_or(ci::Verdict::untestable);
  tested.round = search.round;
  tested.seconds = ci::find_number(result, "seconds").value_or(0);
  tested.why = text_of(result, "why");
  const bool bad = tested.verdict == ci::Verdict::bad;
  search.tested[commit] = std::move(tested);
  if (!bad) return;
  // The oldest bad one of those after the newest good one.
  const auto next = next_of(search);
  if (next && search.candidates[next->last] == commit) search.suspect = object_of(result, "commit");
}

Cause cause_of(const Search& search, const SearchNext& next) {
  Cause cause;
  cause.sure = next.first == next.last;
  cause.commit = search.candidates[next.last];
  if (text_of(json::value(search.suspect), "hash") == cause.commit) {
    cause.described = search.suspect;
  }
  cause.back_and_forth = next.back_and_forth;
  if (!cause.sure) {
    for (auto at = next.first; at <= next.last; ++at) cause.among.push_back(search.candidates[at]);
  }
  return cause;
}

}  // namespace vigil::entities::codebase
