#pragma once
// From a waiting wake to a decision: reads what happened and what is remembered in one snapshot and
// asks the guardian. Runs on the decision threads; touches nothing but its own read connection.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/runtime/commit.hpp"
#include "daemon/runtime/mailboxes.hpp"

namespace vigil::runtime {

struct Considered {
  Waiting waiting;
  bool gone = false;               // decided already, or dropped
  bool absent = false;             // its entity left the configuration meanwhile: it waits
  std::optional<Decided> decided;  // without `decision` when the guardian is a process
  std::string error;               // the guardian threw, or what it needs cannot be read
  bool ask_process = false;        // the decision is still to be asked for: a child decides
  entities::Wake wake;             // what to ask it
  json::object memory;
};

// Throws what the guardian throws.
Considered consider(storage::Stores& stores, const std::shared_ptr<const Inhabitants>& inhabitants,
                    Waiting waiting, TimePoint now);

}  // namespace vigil::runtime
