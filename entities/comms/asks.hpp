#pragma once
// What a mail asks, and what is promised in it, sentence by sentence, English and German. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace vigil::entities::comms {

// Sentences of the text, each one line; at most 300.
std::vector<std::string> sentences_of(std::string_view text);

// Whether it asks something of its reader: a question mark that is not rhetoric, or a request
// ("please let me know", "gib mir bitte Bescheid").
bool is_question(std::string_view sentence);

struct Promise {
  std::string text;  // the sentence
  std::string who;   // writer: "I'll send it by Friday"; reader: "please send it by Friday"
  TimePoint until;
};

struct Asks {
  std::vector<std::string> questions;  // at most 10
  std::vector<Promise> promises;       // at most 10
};
// Of the new text of a mail (split_body), written then and there.
Asks asks_of(std::string_view text, TimePoint written, int offset_min);

}  // namespace vigil::entities::comms
