#pragma once
// The known formats of secrets, from what their issuers publish about them. Data only.
#include <span>
#include <string_view>

#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {

struct SecretRule {
  std::string_view name;
  std::string_view keywords;  // one of them stands in the line, between commas; in lower case
  std::string_view pattern;   // RE2; the first group is the secret
  double entropy_min;         // of the secret, bits per character; 0: the form is proof enough
  Severity severity;
  std::string_view what;  // for people: "a GitHub token"
};

// In the order in which they are tried: where two match the same text the first wins.
std::span<const SecretRule> secret_rules();
// Its second part: issuers whose tokens begin with a name of their own.
std::span<const SecretRule> more_secret_rules();

}  // namespace vigil::entities::codebase
