// What of a passage is shown: the sentence that holds most of the question.
#include <algorithm>

#include "storage/slot_finder.hpp"

namespace vigil::storage {
namespace {

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

// Without the blanks around it.
Span trimmed(std::string_view text, const Sentence& one) {
  constexpr std::string_view blanks = " \t\r\n\f";
  const auto all = text.substr(0, one.end);
  const auto begin = all.find_first_not_of(blanks, one.begin);
  if (begin == std::string_view::npos) return {one.begin, 0};
  return {begin, all.find_last_not_of(blanks) + 1 - begin};
}

}  // namespace

std::vector<Spot> spots_in(std::string_view text, std::string_view terms,
                           const std::vector<Slot>& slots) {
  const Finder finder(slots);
  const auto spans = word_spans(text, passage_words_max);
  std::vector<Spot> out;
  std::size_t word = 0;  // how many were seen: a part belongs to the one before it
  each_token(terms, [&](std::string_view token) {
    const bool part = token.starts_with('~');
    if (part) token.remove_prefix(1);
    if (!part) ++word;
    std::uint64_t found = 0;
    if (token != "-") finder.each(token, [&](int slot, double) { found |= 1ULL << slot; });
    if (found == 0 || word == 0 || word > spans.size()) return;
    const auto& span = spans[word - 1];
    if (out.empty() || out.back().begin != span.begin) out.push_back({span.begin, span.bytes, 0});
    out.back().slots |= found;
  });
  return out;
}

Span best_sentence(std::string_view text, const std::vector<Spot>& spots,
                   const std::vector<Slot>& slots) {
  const auto sentences = sentences_of(text);
  if (sentences.empty()) return {0, text.size()};
  double most = -1;
  std::size_t best = 0;
  auto spot = spots.begin();
  for (std::size_t at = 0; at < sentences.size(); ++at) {
    std::uint64_t found = 0;
    for (; spot != spots.end() && spot->begin < sentences[at].end; ++spot) found |= spot->slots;
    double sum = 0;
    for (std::size_t slot = 0; slot < std::min(slots.size(), slots_max); ++slot) {
      if ((found >> slot & 1) != 0) sum += slots[slot].weight;
    }
    if (sum > most) {
      most = sum;
      best = at;
    }
  }
  auto sentence = sentences[best];
  if (sentence.end - sentence.begin < short_bytes && best + 1 < sentences.size()) {
    sentence.end = sentences[best + 1].end;
  }
  return trimmed(text, sentence);
}

std::string marked(std::string_view text, Span part, const std::vector<Spot>& spots,
                   std::size_t bytes_max) {
  const auto end = part.begin + part.bytes;
  const auto spans = word_spans(text.substr(0, end), passage_words_max);
  std::string out;
  auto at = part.begin;
  auto spot = std::ranges::lower_bound(spots, at, {}, &Spot::begin);
  for (const auto& word : spans) {
    if (word.begin < at) continue;
    if (word.begin - part.begin > bytes_max) {
      out += text.substr(at, word.begin - at);
      return out + "…";
    }
    if (spot == spots.end() || spot->begin != word.begin) continue;
    out += text.substr(at, word.begin - at);
    out += '[';
    out += text.substr(word.begin, word.bytes);
    out += ']';
    at = word.begin + word.bytes;
    ++spot;
  }
  return out + std::string(text.substr(at, end - at));
}

}  // namespace vigil::storage
