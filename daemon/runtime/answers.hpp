#pragma once
// What people answer to proposals, from wherever the answer comes: vigilctl, a signed link, a
// command in a comment or chat. On the writer's thread, inside the change that brings the answer.
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/event.hpp"
#include "daemon/runtime/alike.hpp"
#include "daemon/runtime/mailboxes.hpp"
#include "storage/stores.hpp"

namespace vigil::runtime {

struct Answer {
  ActionId action;
  bool approve = false;
  bool always = false;   // and the next alike ones, within the bounds of [approvals]
  bool retries = false;  // may let out again what failed, or may have happened
  std::string by;        // "uid 1000", "link", "github ada"
  std::string note;
};

struct Answered {
  std::optional<storage::Action> action;  // as it was before; none: there is none of this id
  std::string refused;                    // why nothing was changed; empty: it was
  std::string help;                       // and what to do
  std::string preference;                 // key of the preference that was set
  ActionId proposed;                      // a preference that is proposed because of a run
  std::optional<Waiting> wake;            // its entity is told
};
Answered commit_answer(storage::Stores& stores, const config::Approvals& bounds,
                       const Answer& answer, TimePoint now);

// The action that tells a person of a proposal. The sink adds how to answer (approval_link.hpp).
storage::Action telling_of(const storage::Action& proposed, ActionId id, const std::string& sink);

// Does a person's preference let this leave? Counts the use. The preference's key, or empty.
std::string use_preference(storage::Stores& stores, const std::string& entity,
                           const Likeness& likeness, TimePoint now);

// Commands in what people wrote: lines "/approve 12", "/approve 12 always", "/deny 12 REASON" in a
// new comment on GitHub or (with or without the slash) in a chat message, of senders that
// [approvals] names. Only out of sources whose sender is proven.
std::vector<Answer> answers_in(const Event& event, const config::Settings& settings);

}  // namespace vigil::runtime
