#pragma once
// Field matches, as configuration spells them:
//   match = { "data.action" = ["opened", "synchronize"], "data.number" = 12, "subject" = "~^octo/"
//   } match = { or = [ {...}, {...} ], not = {...} }
// A path reaches into the event as JSON (core/event.hpp: to_json), a list means any of, text
// starting with "~" is an RE2 regex, `true` after "?" tests presence: { "data.pull_request?" = true
// }. A path that is not there matches nothing, except under `not`. Values only; entities/rules
// evaluates.
#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace vigil::config {

struct FieldMatch {
  std::string path;  // without the '?'
  enum class Test { any_of, regex, present, absent } test = Test::any_of;
  std::vector<boost::json::value> values;  // any_of: scalars; regex: patterns as strings
};

struct Match {  // all of `fields` and `all` and not any of `none`, and one of `any`
  std::vector<FieldMatch> fields;
  std::vector<Match> all;
  std::vector<Match> any;
  std::vector<Match> none;
  bool empty() const { return fields.empty() && all.empty() && any.empty() && none.empty(); }
};

}  // namespace vigil::config
