#pragma once
// Every key of [admin]. See schema.hpp.
#include "config/admin.hpp"
#include "config/spec.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, Admin& of) {
  v.value(
      Spec{.name = "read",
           .meaning = "who may look, as \"user:NAME\" or \"group:NAME\"; all three lists empty: "
                      "whoever can connect to the socket may do everything"},
      of.read);
  v.value(Spec{.name = "operate",
               .meaning = "who may also answer proposals, pause, cancel, retry and emit events"},
          of.operate);
  v.value(Spec{.name = "admin",
               .meaning = "who may also reload, change memory, make backups and run plans; root "
                          "and the daemon's own user always may"},
          of.admin);
}

}  // namespace vigil::config
