#pragma once
// What an action would do, for a person who has to approve it. Pure; any thread.
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "storage/outbox.hpp"

namespace vigil::delivery {

struct Foreseen {
  std::string does;  // one line: "comment on octo/app#12 at https://api.github.com"
  std::string says;  // the words that would be read; with an earlier version, how they change
};
// `sink` may be null: it is in no configuration. `before`: what the same sticky key delivered last.
Foreseen foresee(const storage::Action& action, const config::Sink* sink,
                 const std::optional<storage::Action>& before);

// Lines that go ("- "), come ("+ ") and stay ("  "), as a unified diff has them without its
// numbers; of what stays two lines around each change, the others as "  ...".
std::string line_changes(std::string_view before, std::string_view after);

}  // namespace vigil::delivery
