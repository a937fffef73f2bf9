#include "storage/terms.hpp"

#include <libstemmer.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

namespace vigil::storage {
namespace {

constexpr std::size_t word_bytes_max = 64;
constexpr std::size_t remembered_max = 50'000;
constexpr std::size_t part_letters_min = 4;

// One code point; what is malformed counts as itself.
char32_t take(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(at);
  const int more = first < 0xC0 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF8 ? 3 : 0;
  if (more == 0 || at + static_cast<std::size_t>(more) >= text.size()) return byte(at++);
  char32_t out = first & (0x3FU >> more);
  for (int i = 1; i <= more; ++i) {
    const auto next = byte(at + static_cast<std::size_t>(i));
    if ((next & 0xC0) != 0x80) return byte(at++);
    out = (out << 6) | (next & 0x3F);
  }
  at += static_cast<std::size_t>(more) + 1;
  return out;
}

void put(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// U+00C0 to U+017F without their marks; a blank is a letter with no such form.
constexpr std::string_view bare =
    "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(bare.size() == 0x180 - 0xC0);

char32_t lower(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if (c >= 0x100 && c <= 0x17F && c % 2 == 0 && c != 0x130 && c != 0x138) return c + 1;
  if (c >= 0x391 && c <= 0x3A9) return c + 32;  // Greek
  if (c >= 0x410 && c <= 0x42F) return c + 32;  // Cyrillic
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  if (c == 0xD7 || c == 0xF7) return false;
  // Punctuation, symbols and spaces beyond Latin.
  return !(c >= 0x2000 && c <= 0x2BFF) && !(c >= 0x3000 && c <= 0x303F) &&
         !(c >= 0xFE30 && c <= 0xFE6F) && c != 0xFFFD && c != 0xFEFF;
}

using Words = std::unordered_set<std::string_view>;

const Words& small_words(Language language) {
  static const Words english = {
      "a",     "an",    "the",  "of",    "in",    "on",    "at",    "to",   "for",   "from",
      "by",    "with",  "and",  "or",    "is",    "are",   "was",   "were", "be",    "been",
      "being", "do",    "does", "did",   "has",   "have",  "had",   "what", "which", "who",
      "whom",  "whose", "when", "where", "why",   "how",   "that",  "this", "these", "those",
      "it",    "its",   "as",   "s",     "t",     "would", "could", "can",  "will",  "not",
      "but",   "if",    "than", "then",  "there", "their", "they",  "he",   "she",   "his",
      "her",   "him",   "them", "we",    "you",   "your",  "i",     "me",   "my",    "our",
      "about", "into",  "also"};
  static const Words german = {
      "der",    "die",    "das",     "den",     "dem",     "des",     "ein",    "eine",   "einer",
      "eines",  "einem",  "einen",   "und",     "oder",    "ist",     "sind",   "war",    "waren",
      "wird",   "werden", "wurde",   "wurden",  "hat",     "haben",   "hatte",  "hatten", "sein",
      "was",    "welche", "welcher", "welches", "welchen", "welchem", "wer",    "wen",    "wem",
      "wessen", "wann",   "wo",      "warum",   "wie",     "dass",    "dies",   "diese",  "dieser",
      "dieses", "diesen", "diesem",  "es",      "er",      "sie",     "ihr",    "ihre",   "ihren",
      "ihrer",  "ihrem",  "in",      "im",      "an",      "am",      "auf",    "zu",     "zum",
      "zur",    "von",    "vom",     "mit",     "bei",     "beim",    "aus",    "nach",   "fur",
      "uber",   "unter",  "um",      "durch",   "als",     "auch",    "nicht",  "nur",    "noch",
      "so",     "sich",   "man",     "kann",    "konnte",  "konnen",  "worden", "bis",    "vor",
      "gegen",  "ohne",   "gibt",    "gab",     "ins",     "laut"};
  static const Words none;
  return language == Language::english ? english : language == Language::german ? german : none;
}

// Whether a small word says which language it is: in, was, an are both.
bool tells(std::string_view word, Language language) {
  const auto other = language == Language::english ? Language::german : Language::english;
  return small_words(language).contains(word) && !small_words(other).contains(word);
}

// Tueren as Türen, not Quelle, neue, Bauer.
std::string with_umlauts(const std::string& word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    const bool could =
        i + 1 < word.size() && word[i + 1] == 'e' && (c == 'a' || c == 'o' || c == 'u');
    const char before = i == 0 ? ' ' : word[i - 1];
    const bool is = could && (c != 'u' || (before != 'q' && before != 'a' && before != 'e'));
    out += c;
    if (is) ++i;
  }
  return out;
}

std::string plain_number(std::string word) {
  const bool number = !word.empty() && word.find_first_not_of("0123456789.,") == std::string::npos;
  if (number) std::erase_if(word, [](char c) { return c == '.' || c == ','; });
  return word;
}

}  // namespace

std::string fold(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto c = lower(take(text, at));
    if (c == 0xDF) {
      out += "ss";
    } else if (c == 0xE6 || c == 0x153) {
      out += c == 0xE6 ? "ae" : "oe";
    } else if (c >= 0xC0 && c <= 0x17F && bare[c - 0xC0] != ' ') {
      out += bare[c - 0xC0];
    } else if (c < 0x300 || c > 0x36F) {  // a mark that stands by itself
      put(out, c);
    }
  }
  return out;
}

// 1.234,5 is one word: a point or comma between digits stands in a number.
std::vector<Span> word_spans(std::string_view text, std::size_t most) {
  std::vector<Span> out;
  std::size_t at = 0;
  std::optional<std::size_t> begin;
  const auto digit = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  while (at < text.size() && out.size() < most) {
    const auto here = at;
    const auto c = take(text, at);
    const bool in_number =
        (c == '.' || c == ',') && here > 0 && digit(here - 1) && digit(at) && begin;
    if (is_letter(c) || in_number) {
      if (!begin) begin = here;
      continue;
    }
    if (begin) out.push_back({*begin, here - *begin});
    begin.reset();
  }
  if (begin && out.size() < most) out.push_back({*begin, text.size() - *begin});
  return out;
}

Language guess_language(std::string_view text) {
  int english = 0;
  int german = 0;
  for (const auto& piece : word_spans(text.substr(0, 4'000), 300)) {
    const auto word = fold(text.substr(piece.begin, piece.bytes));
    english += tells(word, Language::english) ? 1 : 0;
    german += tells(word, Language::german) ? 1 : 0;
  }
  if (english == german) return Language::other;
  return english > german ? Language::english : Language::german;
}

struct Terms::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    for (auto* one : stemmers) sb_stemmer_delete(one);
  }

  sb_stemmer* stemmer(Language language) {
    auto*& one = stemmers[static_cast<std::size_t>(language)];
    if (one == nullptr) {
      one = sb_stemmer_new(language == Language::english ? "english" : "german", "UTF_8");
    }
    return one;
  }

  std::vector<std::string> parts(Terms& terms, const std::string& word, const IsKnown& known);
  std::array<sb_stemmer*, 3> stemmers{};
  std::array<std::unordered_map<std::string, std::string>, 3> stems;
};

Terms::Terms() : state_(std::make_unique<State>()) {}
Terms::~Terms() = default;
Terms::Terms(Terms&&) noexcept = default;
Terms& Terms::operator=(Terms&&) noexcept = default;

std::string Terms::stem(const std::string& word, Language language) {
  if (language == Language::other || word.size() > word_bytes_max) return word;
  auto& known = state_->stems[static_cast<std::size_t>(language)];
  if (const auto found = known.find(word); found != known.end()) return found->second;
  auto* stemmer = state_->stemmer(language);
  if (stemmer == nullptr) return word;
  const auto spelled = language == Language::german ? with_umlauts(word) : word;
  const auto* stemmed = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(spelled.data()),
                                        static_cast<int>(spelled.size()));
  if (stemmed == nullptr) return word;
  std::string out(reinterpret_cast<const char*>(stemmed),
                  static_cast<std::size_t>(sb_stemmer_length(stemmer)));
  if (known.size() >= remembered_max) known.clear();
  known.emplace(word, out);
  return out;
}

// The fewest known words that make up `word`, with what German puts between them (s, es, n, en);
// else the longest known word it ends with.
std::vector<std::string> Terms::State::parts(Terms& terms, const std::string& word,
                                             const IsKnown& known) {
  const auto size = word.size();
  if (size < 2 * part_letters_min || size > word_bytes_max) return {};
  if (word.find_first_of("0123456789") != std::string::npos) return {};
  const auto known_part = [&](std::size_t begin, std::size_t bytes) {
    auto term = terms.stem(word.substr(begin, bytes), Language::german);
    return term.size() >= part_letters_min && known(term) ? term : std::string();
  };
  struct Way {
    int count = 0;
    std::vector<std::string> terms;
  };
  std::vector<std::optional<Way>> best(size + 1);
  best[0] = Way{};
  std::string tail;
  for (std::size_t begin = 0; begin < size; ++begin) {
    if (!best[begin]) continue;
    for (auto end = begin + part_letters_min; end <= size; ++end) {
      if (begin == 0 && end == size) continue;
      const auto term = known_part(begin, end - begin);
      if (term.empty()) continue;
      for (const std::string_view link : {"", "s", "es", "n", "en"}) {
        if (word.compare(end, link.size(), link) != 0) continue;
        const auto next = end + link.size();
        if (!link.empty() && next >= size) continue;
        if (best[next] && best[next]->count <= best[begin]->count + 1) continue;
        auto way = *best[begin];
        ++way.count;
        way.terms.push_back(term);
        best[next] = std::move(way);
      }
    }
  }
  if (best[size]) return best[size]->terms;
  for (auto begin = part_letters_min; begin + part_letters_min < size; ++begin) {
    auto term = known_part(begin, size - begin);
    if (!term.empty()) return {std::move(term)};
  }
  return {};
}

std::vector<Word> Terms::words(std::string_view text, Language language, std::size_t most,
                               const IsKnown& known) {
  std::vector<Word> out;
  const auto& small = small_words(language);
  for (const auto& piece : word_spans(text, most)) {
    Word word;
    word.begin = piece.begin;
    word.bytes = piece.bytes;
    auto plain = plain_number(
        fold(text.substr(piece.begin, std::min<std::size_t>(piece.bytes, 4 * word_bytes_max))));
    while (plain.size() > word_bytes_max ||
           (!plain.empty() && plain.size() == word_bytes_max && (plain.back() & 0x80) != 0)) {
      plain.pop_back();
    }
    if (!small.contains(plain)) {
      word.term = stem(plain, language);
      if (language == Language::german && known) {
        word.parts = state_->parts(*this, plain, known);
        std::erase(word.parts, word.term);
      }
    }
    out.push_back(std::move(word));
  }
  return out;
}

}  // namespace vigil::storage
