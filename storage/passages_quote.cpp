// What of a passage is shown: the sentence that holds most of the question.
#include <algorithm>
#include <set>

#include "storage/passages.hpp"

namespace vigil::storage {
namespace {

constexpr std::size_t words_max = 2'000;
constexpr std::size_t short_bytes = 30;  // such a sentence takes the next one with it

struct Sentence {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Ends with . ! ? before a blank and a capital, digit or quote; or with an empty line. Short words
// with a point (Dr., z. B., 3.) end none.
std::vector<Sentence> sentences_of(std::string_view text) {
  std::vector<Sentence> out;
  std::size_t begin = 0;
  const auto cut = [&](std::size_t end) {
    if (end > begin) out.push_back({begin, end});
    begin = end;
  };
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    if (text[at] == '\n' && text[at + 1] == '\n') cut(at + 1);
    const bool mark = text[at] == '.' || text[at] == '!' || text[at] == '?';
    if (!mark || (text[at + 1] != ' ' && text[at + 1] != '\n')) continue;
    const auto word = at - std::min(at, text.find_last_of(" \n(", at) + 1);
    const bool brief = text[at] == '.' && word <= 3 && at - begin < 400 &&
                       text.find_first_of("0123456789", at - word) < at + 1;
    const bool initial = text[at] == '.' && word <= 2;
    const char next = at + 2 < text.size() ? text[at + 2] : 'A';
    const bool lower = next >= 'a' && next <= 'z';
    if (!brief && !initial && !lower) cut(at + 2);
  }
  cut(text.size());
  return out;
}

std::set<std::size_t> slots_in(const Word& word, const std::vector<Slot>& slots) {
  std::set<std::size_t> out;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    for (const auto& [term, weight] : slots[slot].terms) {
      if (!term.empty() && (term == word.term || std::ranges::count(word.parts, term) > 0)) {
        out.insert(slot);
      }
    }
  }
  return out;
}

// Compounds are taken apart by the words of the question alone.
std::vector<Word> words_of(std::string_view text, const std::vector<Slot>& slots, Terms& terms,
                           Language language) {
  const IsKnown known = [&](const std::string& term) {
    return std::ranges::any_of(slots, [&](const Slot& slot) {
      return std::ranges::any_of(slot.terms, [&](const auto& one) { return one.first == term; });
    });
  };
  return terms.words(text, language, words_max, known);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n\f");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n\f") - begin + 1);
}

}  // namespace

std::string_view best_sentence(std::string_view text, const std::vector<Slot>& slots, Terms& terms,
                               Language language) {
  const auto sentences = sentences_of(text);
  if (sentences.empty()) return text;
  double most = -1;
  std::size_t best = 0;
  for (std::size_t at = 0; at < sentences.size(); ++at) {
    const auto& one = sentences[at];
    std::set<std::size_t> found;
    for (const auto& word :
         words_of(text.substr(one.begin, one.end - one.begin), slots, terms, language)) {
      found.merge(slots_in(word, slots));
    }
    double sum = 0;
    for (const auto slot : found) sum += slots[slot].weight;
    if (sum > most) {
      most = sum;
      best = at;
    }
  }
  auto end = sentences[best].end;
  if (end - sentences[best].begin < short_bytes && best + 1 < sentences.size()) {
    end = sentences[best + 1].end;
  }
  return trimmed(text.substr(sentences[best].begin, end - sentences[best].begin));
}

std::string marked(std::string_view text, const std::vector<Slot>& slots, Terms& terms,
                   Language language, std::size_t bytes_max) {
  std::string out;
  std::size_t at = 0;
  for (const auto& word : words_of(text, slots, terms, language)) {
    if (word.begin > bytes_max) {
      out += text.substr(at, word.begin - at);
      return out + "…";
    }
    if (slots_in(word, slots).empty()) continue;
    out += text.substr(at, word.begin - at);
    out += '[';
    out += text.substr(word.begin, word.bytes);
    out += ']';
    at = word.begin + word.bytes;
  }
  out += text.substr(at);
  return out;
}

}  // namespace vigil::storage
