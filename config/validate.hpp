#pragma once
// The rules that hold across keys: what one of them says about another. Loading checks them; a
// program that makes Settings itself can too. Pure; any thread.
#include <string>
#include <vector>

#include "config/settings.hpp"

namespace vigil::config {

struct Violation {
  std::string key;  // dotted path: entity.market.rule[0].action[1].sink
  std::string message;
  std::string rests_on;  // another key the message takes at its word; empty: none
};
std::vector<Violation> validate(const Settings& settings);

}  // namespace vigil::config
