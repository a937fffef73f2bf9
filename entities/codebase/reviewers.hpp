#pragma once
// Who knows the files of a change, by history: who wrote and reviewed what was merged there before,
// the recent more than the old. Pure, but for run_reviewers.
#include <string>
#include <string_view>
#include <vector>

#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {

// An earlier commit that touched the same files.
struct Touch {
  std::string author;
  std::string committer;               // who applied or merged it
  std::vector<std::string> reviewers;  // named in Reviewed-by and Acked-by lines
  std::int64_t at_s = 0;               // since the epoch
};
// Of `git log` with the fields author, committer, time and reviewers between unit separators, a NUL
// after each commit.
std::vector<Touch> read_touches(std::string_view text);

struct Reviewer {
  std::string name;
  double weight = 0;  // a change of today counts 1, one of half a year ago a half
  int wrote = 0;
  int reviewed = 0;
};
// The best first, at most `most`, without those who made the change itself. People whose share is
// less than a tenth of the first one's are left out.
std::vector<Reviewer> rank_reviewers(const std::vector<Touch>& touches,
                                     const std::vector<std::string>& authors, std::int64_t now_s,
                                     std::size_t most);

Result<json::value> run_reviewers(const Request& request);

}  // namespace vigil::entities::codebase
