#pragma once
// A review: what all analysers found about one change, merged, sorted and told. Pure; any thread.
#include <map>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {

struct ReviewWishes {
  std::vector<std::string> ignore_paths;  // patterns whose findings are dropped
  std::vector<std::string> dismissed;     // keys of findings that people called noise
  // Of the last look, by analysers that look at each file by itself: those in files that are as
  // they were still hold.
  std::vector<Finding> carried = {};
};

struct Review {
  std::string base;
  std::string head;
  std::string asked_head;  // what the event named; empty: nothing
  bool as_asked = true;    // the asked head is what was looked at
  std::string why;         // which commits, and why these
  std::int64_t file_count = 0;
  std::int64_t added = 0;
  std::int64_t removed = 0;
  std::vector<Finding> findings;  // worst first, then by place
  std::size_t left_off = 0;       // above the limit
  std::size_t ignored = 0;        // in ignored paths
  std::size_t dismissed = 0;
  std::vector<std::string> labels;            // size/M
  std::vector<std::string> owners;            // @team, most files first
  std::vector<std::string> notes;             // one sentence of each analyser, in their order
  std::vector<std::string> not_done;          // analysers without a result
  std::map<std::string, std::string> passed;  // tasks of commands: the commit that passed
};

// `results` by task name, among them `changes`. `expected` are the analysers that should be there.
Review merge_results(const json::object& results, const std::vector<std::string>& expected,
                     const ReviewWishes& wishes);

void sort_findings(Review& review);  // worst first, then by place
int count_of(const Review& review, Severity at_least);
// "2 high, 1 low" or "nothing".
std::string counts_text(const std::vector<Finding>& findings);

json::object to_json(const Review& review);
Result<Review> review_from_json(const json::value& value);

// How a review differs from the one before it.
struct Progress {
  bool first = true;
  std::vector<std::string> new_keys;
  std::vector<Finding> fixed;
};
Progress compare(const std::vector<Finding>& before, const std::vector<Finding>& now);

std::string to_markdown(const Review& review, const Progress& progress);  // for the forge
std::string to_terminal(const Review& review);  // path:line: severity: title, as compilers do

}  // namespace vigil::entities::codebase
