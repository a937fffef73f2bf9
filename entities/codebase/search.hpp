#pragma once
// The search for the first bad commit, as a value: what is known, what to test next, what it came
// to. Rounds of as many commits side by side as there are slots (entities/ci/bisect.hpp). Pure; any
// thread.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "entities/codebase/probe.hpp"

namespace vigil::entities::codebase {

struct Tested {
  ci::Verdict verdict = ci::Verdict::untestable;
  int round = 0;
  double seconds = 0;
  std::string why;
};

// listing: a swarm names the commits; testing: a round runs; interrupted: its swarm was cancelled,
// what was learned is kept for the next red build.
enum class SearchStep { listing, testing, interrupted };

struct Search {
  std::string command;  // its name in the configuration
  std::string title;    // of the swarm that runs for it
  SearchStep step = SearchStep::listing;
  Sought sought;
  std::string bad;          // known to be bad
  std::string good;         // the commit before the candidates; empty: they begin with the first
  bool good_known = false;  // it was seen to be good; else it is tested, too
  bool cut = false;         // there are more commits than are looked at
  std::vector<std::string> candidates;  // oldest first; the last is `bad`
  std::map<std::string, Tested> tested;
  int width = 1;
  int round = 0;         // the one that runs, from 1
  int rounds_max = 0;    // promised before the first
  json::object suspect;  // the oldest bad commit, described
  std::int64_t began_us = 0;
};
json::object to_json(const Search& search);
Search search_from_json(const json::value& value);

// Takes in what codebase.history said. Fails, with a sentence, when there is nothing to look for.
Result<void> take_history(Search& search, const json::value& history);

struct SearchNext {
  std::vector<std::string> test;  // side by side; empty: it is over
  std::size_t first = 0;          // the first bad one is among these candidates
  std::size_t last = 0;
  bool back_and_forth = false;  // good after bad: it was mended meanwhile, or it is flaky
};
Result<SearchNext> next_of(const Search& search);

// Takes in what codebase.probe said of one commit.
void take_probe(Search& search, const std::string& commit, const json::value& result);

// How it ended.
struct Cause {
  bool sure = false;               // one commit
  std::string commit;              // the oldest that is known to be bad
  json::object described;          // author, date, subject, files
  std::vector<std::string> among;  // when it is not sure: the commits it may be, oldest first
  bool back_and_forth = false;
};
Cause cause_of(const Search& search, const SearchNext& next);
std::string to_sentence(const Search& search, const Cause& cause);  // plain
std::string to_markdown(const Search& search, const Cause& cause);
std::string to_terminal(const Search& search, const Cause& cause);

}  // namespace vigil::entities::codebase
