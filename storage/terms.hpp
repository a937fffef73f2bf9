#pragma once
// Words as a search compares them: in lower case, without accents, stemmed by Snowball in their
// language, German compounds taken apart by words that are known already. Pure but for the memory
// of stems it has seen; one thread at a time.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vigil::storage {

enum class Language { other = 0, english = 1, german = 2 };

// By the small words in it; other when they decide nothing.
Language guess_language(std::string_view text);

// Lower case, ß as ss, Latin letters without their marks.
std::string fold(std::string_view text);

// Where the words of a text stand; at most `most`.
struct Span {
  std::size_t begin = 0;
  std::size_t bytes = 0;
};
std::vector<Span> word_spans(std::string_view text, std::size_t most);

// A word of a text. What stands for nothing by itself (the, der) has an empty term.
struct Word {
  std::string term;
  std::vector<std::string> parts;  // of a compound, as terms
  std::size_t begin = 0;           // in the text
  std::size_t bytes = 0;
};

// Whether a term is known as a word of its own.
using IsKnown = std::function<bool(const std::string& term)>;

class Terms {
 public:
  Terms();
  ~Terms();
  Terms(Terms&&) noexcept;
  Terms& operator=(Terms&&) noexcept;

  // One for each of word_spans(). Without `known` no compound is taken apart.
  std::vector<Word> words(std::string_view text, Language language, std::size_t most,
                          const IsKnown& known = {});
  // The stem of a folded or plain lower-case word.
  std::string stem(const std::string& word, Language language);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::storage
