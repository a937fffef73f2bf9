#pragma once
// What an analyser has to say about a change: one finding per place, with a key that stays the same
// when the lines around it move. Values; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"

namespace vigil::entities::codebase {

enum class Severity { info, low, medium, high, critical };
std::string_view to_text(Severity severity);
Result<Severity> severity_from(std::string_view text);

struct Finding {
  std::string key;       // stable: analyser, rule, path and what was found, never the line number
  std::string analyser;  // secrets
  std::string rule;      // github-token
  Severity severity = Severity::info;
  std::string path;  // empty: about the change as a whole
  int line = 0;      // in the new file; 0: about the file as a whole
  std::string title;
  std::string hint;  // what to do about it
};

// `fingerprint` is what makes it this finding and no other in its file: the text found, a name.
std::string finding_key(std::string_view analyser, std::string_view rule, std::string_view path,
                        std::string_view fingerprint);
// Two findings with one key in one file are told apart by their order: key, key-2, key-3.
void tell_apart(std::vector<Finding>& findings);

std::string place_of(const Finding& finding);  // src/a.cpp:12, src/a.cpp, or "the change"
json::object to_json(const Finding& finding);
Result<Finding> finding_from_json(const json::value& value);

// What every analyser answers: one sentence, the findings, at most `findings_max` of them.
constexpr std::size_t findings_max = 500;
json::object analysis(std::string summary, std::vector<Finding> findings);

// Foreign text for a sentence: valid UTF-8, one line, at most `bytes_max` bytes.
std::string one_line(std::string_view text, std::size_t bytes_max = 120);

}  // namespace vigil::entities::codebase
