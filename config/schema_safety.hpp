#pragma once
// Keys of [daemon] by which it watches itself. See schema.hpp.
#include "config/settings.hpp"
#include "config/spec.hpp"

namespace vigil::config {

template <class Visitor>
void describe_safety(Visitor& v, Daemon& of) {
  v.value(Spec{.name = "safe_mode_starts",
               .meaning = "after so many starts that ended in a crash the next one stores events "
                          "and does nothing else; 0: never",
               .most = 1000,
               .takes = Takes::restart},
          of.safe_mode_starts);
  v.value(Spec{.name = "safe_mode_within",
               .meaning = "only starts within this time count for it",
               .least = in_us(1s),
               .takes = Takes::restart},
          of.safe_mode_within);
  v.value(Spec{.name = "stall_after",
               .meaning = "when the loop is held for longer, it is logged and counted",
               .least = in_us(1ms),
               .takes = Takes::restart},
          of.stall_after);
}

}  // namespace vigil::config
