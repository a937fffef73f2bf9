#pragma once
// The documents an entity remembers, asked a question. A Recollection that keeps documents is one
// of these as well; guardians that have no use for them need not know.
#include <string>
#include <vector>

namespace vigil::entities {

class Library {
 public:
  struct Answer {  // a passage that says something to the question
    std::string key;
    std::string title;
    std::string place;    // "Install › Debian, line 14"
    std::string quote;    // the sentence that says most
    double coverage = 0;  // how much of the question the passage holds, by weight of words: 0..1
  };

  virtual ~Library() = default;
  // Best first.
  virtual std::vector<Answer> answers(const std::string& question, int limit) const = 0;
};

}  // namespace vigil::entities
