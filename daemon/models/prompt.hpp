#pragma once
// What a model is shown for a task. Our own words are instructions; everything else is data, and
// stands between marks that nobody outside can know. Pure but for the mark; any thread.
#include <string>

#include "daemon/models/talk.hpp"
#include "swarm/runner.hpp"

namespace vigil::models {

// The question of the attempt: its task has `ask`. `mark` is random, of letters and digits.
Prompt prompt_of(const swarm::Attempt& attempt, const std::string& mark);

// Text from outside as data: between marks, with every character that cannot be seen, or that
// changes how others are seen, written out as \u{...}.
std::string data_block(std::string_view name, std::string_view text, const std::string& mark);
std::string visible(std::string_view text);

}  // namespace vigil::models
