#pragma once
// Reducers: tasks that make one result out of those they need, inside the engine. Pure; any thread.
#include <string>
#include <vector>

#include "core/json.hpp"
#include "swarm/plan.hpp"

namespace vigil::swarm {

struct Part {
  std::string name;    // of the task it comes from
  json::value result;  // null for one that failed, in a plan that goes on with what is there
  bool is_there = true;
};

// The names, for errors and documentation:
//   collect  {name: result, ...}
//   first    the first that is there and not null
//   concat   lists joined to one list, or texts to one text
//   merge    objects merged deeply (RFC 7396 without removal: a null is a value); on a conflict the
//            later wins
//   vote     {"winner", "votes", "of", "dissent": [{"result", "votes", "from": [...]}]}; a tie goes
//            to the one first named. input.by names the member that is compared
//   top      the input.k largest items of all lists by the number at input.by
// Of every reducer: parts that are not there are left out. input.each takes the items of parts that
// are lists, such as the result of for_each, as parts of their own (NAME/0, NAME/1, ...).
std::vector<std::string> reducer_names();
bool is_reducer(std::string_view name);

// Whether `input` is what the reducer takes, so that a plan is refused before its work is done.
Result<void> check_reducer_input(std::string_view name, const json::value& input);

// `parts` in the order of the task's needs. A list of lists out of for_each is one part.
// Fails, saying which part is at fault, when a part has the wrong shape.
Result<json::value> reduce(std::string_view name, const json::value& input,
                           const std::vector<Part>& parts);

}  // namespace vigil::swarm
