#pragma once
// Every key of [entity.NAME.codebase.red_builds]. See schema.hpp.
#include "config/schema.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, RedBuilds& of) {
  v.value(Spec{.name = "bisect",
               .meaning = "a command that fails on the branch: its first bad commit is looked for"},
          of.bisect);
  v.value(Spec{.name = "width",
               .meaning = "commits tested at once; 0: as many as there are slots",
               .least = 0,
               .most = 64},
          of.width);
  v.value(Spec{.name = "commits_max",
               .meaning = "how many commits back it is looked for",
               .least = 1,
               .most = 5000},
          of.commits_max);
  v.value(Spec{.name = "per_hour", .meaning = "searches begun in an hour", .least = 1},
          of.per_hour);
  v.value(Spec{.name = "flaky_fails",
               .meaning = "true: a failing test that is known to be flaky turns the status red"},
          of.flaky_fails);
}

}  // namespace vigil::config
