#pragma once
// What all guardians that ask a model share: whether one may be asked about something, the question
// as a task, and whether what the answer quotes stands where it says. Pure; any thread.
#include <string>
#include <string_view>

#include "config/minds.hpp"
#include "swarm/plan.hpp"

namespace vigil::entities {

// `about` is a word of [entity.NAME.advice].
bool may_ask(const config::Advice& advice, std::string_view about);

// A question without tools, whose failure leaves the swarm as it is. `schema` is JSON; what comes
// from outside belongs into the input, never into the prompt.
swarm::Task question(const config::Advice& advice, std::string name, std::string_view prompt,
                     const char* schema, json::value input);

// What looks at the answer of the question `asked` afterwards: an analyser, with `input`.
swarm::Task judgement(std::string name, std::string analyser, std::string asked, json::value input);

// What a model said, which a schema has checked but nobody else: no list and no number are an empty
// list and 0. The list is valid as long as `answer` is.
const json::array& list_at(const json::value& answer, std::string_view path);
double confidence_in(const json::value& answer);

// Whether the quotation stands in the text, word for word, runs of blanks aside. A quotation of
// less than 8 bytes would stand anywhere: it proves nothing.
bool stands_in(std::string_view quotation, std::string_view text);

}  // namespace vigil::entities
