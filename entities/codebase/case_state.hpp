#pragma once
// What the guardian keeps of a case: which change it is about, what was found, what was told.
#include <map>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/codebase/forge.hpp"
#include "entities/codebase/search.hpp"

namespace vigil::entities::codebase {

enum class Told { nothing, asked, delivered };  // the comment: none, on its way, there

// The last run of a command.
struct Ran {
  std::string commit;
  bool ok = false;
  std::vector<std::string> failing;  // tests
};

// The last word of a check of the forge's.
struct Checked {
  std::string commit;
  bool ok = false;
  std::string fingerprint;  // of its failure
};

struct CaseState {
  std::string repository;
  std::int64_t number = 0;
  std::string branch;
  std::string title;
  std::string head;      // the newest commit we were told of
  bool pending = false;  // a swarm looks at it
  bool closed = false;
  int reviews = 0;            // that ended with an answer
  std::string reviewed_head;  // the asked commit of the last one
  std::string looked_head;    // and what was really looked at
  std::string looked_base;    // from where on
  // With which settings and preferences (a digest); empty: not all of it was looked at.
  std::string looked_with;
  std::string asked_with;                     // the same of the review that is pending
  std::map<std::string, std::string> passed;  // tasks of commands: the commit that passed
  std::vector<Finding> findings;
  Told comment = Told::nothing;
  std::string base_ref;                    // the branch it is meant for
  bool held = false;                       // a person wants nothing told
  TimePoint quiet_until;                   // or not before then
  bool untold = false;                     // meanwhile a review ended
  std::map<std::string, Checked> checks;   // by name
  std::map<std::string, Ran> ran;          // by task of the command
  std::map<std::string, Search> searches;  // for a first bad commit; by task of the command

  std::string name() const;  // octo/repo#12, octo/repo@main
  // Of the swarm that looks at the newest commit: tells its report from an older one's.
  std::string swarm_title() const;
};

json::object to_json(const CaseState& state);
CaseState case_state_from_json(const json::object& object);  // what is missing keeps its default
// Takes in which change the event is about.
void take(CaseState& state, const ForgeEvent& event);

}  // namespace vigil::entities::codebase
