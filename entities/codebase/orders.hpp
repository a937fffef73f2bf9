#pragma once
// What people tell the guardian in comments: /retest /hold /unhold /mute RULE /unmute RULE
// /snooze 2d. Heard of those who may write to the repository, of nobody else. Pure; any thread.
#include <string>
#include <vector>

#include "core/event.hpp"
#include "core/time.hpp"

namespace vigil::entities::codebase {

enum class Verb { retest, hold, unhold, mute, unmute, snooze };

struct Order {
  Verb verb = Verb::retest;
  std::string rule;    // of mute and unmute: a rule or the name of an analyser
  Duration wait{0};    // of snooze
  std::string spoken;  // as it was written, for people
};

struct Orders {
  std::string case_key;  // the pull request; empty: this is no comment with orders
  std::string sender;
  bool may = false;                         // is the sender one whose orders count?
  std::vector<Order> all;                   // in the order they stand
  std::vector<std::string> not_understood;  // lines that begin like an order: why
};

// Lines of a new comment on a pull request that begin with one of the verbs. `from`: logins whose
// orders count beside those whom the forge calls owner, member or collaborator.
Orders read_orders(const Event& event, const std::vector<std::string>& from);

}  // namespace vigil::entities::codebase
