#pragma once
// Proposals that are alike, and preferences by which a person lets the next alike ones go out. A
// preference covers what goes to the same sink, is of the same kind and has the same payload but
// for what it says; it has a bound and an end. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::runtime {

// The sink that proposals of preferences name: the daemon itself. None in a configuration has it.
constexpr std::string_view own_sink = "vigil";
constexpr std::string_view preference_kind = "preference";
constexpr std::string_view telling_kind = "proposal";  // an action that tells of a proposal

struct Likeness {
  std::string digest;   // 16 hex digits
  json::object common;  // members of the payload that are the same in all of them
};
Likeness likeness_of(std::string_view kind, std::string_view sink, const json::object& payload);

// Value of the preference `approve:<digest>`.
struct Consenting {
  std::string kind;
  std::string sink;
  json::object common;
  int uses = 0;
  int uses_max = 0;
  TimePoint expires;
  std::string by;         // who said so
  ActionId like;          // of which proposal
  bool declined = false;  // it was proposed, and a person said no: it approves nothing
};
json::object to_json(const Consenting& consenting);
std::optional<Consenting> consenting_of(const json::value& value);
bool holds(const Consenting& consenting, TimePoint now);

// Keys with this prefix are written by answers of people alone.
constexpr std::string_view consenting_prefix = "approve:";
std::string consenting_key(const Likeness& likeness);
// For people: "`comment` to github with repository octo/app".
std::string in_words(const Consenting& consenting);

}  // namespace vigil::runtime
