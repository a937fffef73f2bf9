#pragma once
// Documents in passages, and the passages that answer a question. FTS5 finds the candidates by
// their rarest words; they are then ranked by BM25, headings, and how near the question's words
// stand to each other. Writes on the writer's connection, reads on any.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/terms.hpp"

namespace vigil::storage {

class Database;

// A piece of a document's body. Headings are lines with `#` in front, a form feed begins a page.
struct Piece {
  std::size_t at = 0;
  std::size_t bytes = 0;
  std::string place;    // "page 3" where there are pages, else "line 14"
  std::string heading;  // "Install › Debian"
};
// Paragraphs; short neighbours under one heading together, long ones cut between sentences. Never
// none. Pure.
std::vector<Piece> split_passages(std::string_view body);

struct Hit {
  std::int64_t document = 0;
  std::string entity;
  std::string key;
  std::string title;
  std::string heading;
  std::string place;
  std::string text;    // of the passage
  std::string quote;   // the sentence that answers best
  std::string marked;  // the same, with the words found in [brackets]
  double score = 0;
  double coverage = 0;  // of the question's words, by their weight: 0..1
  bool every_word = false;
};

// How much each sign counts. Chosen by cross-validation: `vigil-bench knowledge` prints it.
struct Ranking {
  double k1 = 1.0;
  double b = 0.6;
  double heading = 0.3;
  double part = 0.4;    // of a compound
  double pair = 0.5;    // neighbours of the question near each other
  double window = 0.7;  // most of the question within `window_words`
  int window_words = 20;
  double similar = 0.5;  // a word that begins like an unknown one
  bool stems = true;     // false, and all but k1 and b 0: plain BM25
};

// One word of a question and what stands for it.
struct Slot {
  std::vector<std::pair<std::string, double>> terms;  // with their weight
  std::int64_t passages = 0;                          // that hold any
  double weight = 0;                                  // inverse document frequency
  bool part = false;                                  // of a compound: no neighbour of others
};

struct Scored {
  double score = 0;
  double coverage = 0;
  bool every_word = false;
};

constexpr std::size_t passage_words_max = 2'000;

class Passages {
 public:
  explicit Passages(Database& database) : database_(database) {}

  struct Source {
    std::int64_t document = 0;
    std::string entity;
    std::string title;
    std::string body;
  };
  // In place of what was there of these documents. Words of all of them are known before German
  // compounds are taken apart.
  void put(std::span<const Source> documents);
  void erase(std::int64_t document);
  // Documents without passages, of an older version's database. How many there were.
  int catch_up();
  std::int64_t count();

  // Best first. `entity` "" all.
  std::vector<Hit> find(const std::string& entity, std::string_view question, int limit,
                        const Ranking& ranking = {});

 private:
  struct Made;
  Made make(const Source& source, const Piece& piece, Language fallback, const IsKnown& known);
  void count_terms(const Made& made, int by);
  void keep_counts();
  std::int64_t passages_with(const std::string& term);
  std::vector<Slot> slots_of(std::string_view question, const Ranking& ranking);
  void similar_terms(Slot& slot, double weight);
  std::vector<std::int64_t> candidates(const std::string& entity, const std::vector<Slot>& slots,
                                       const Ranking& ranking, std::size_t most);
  struct Ranked {
    Scored scored;
    std::int64_t id;
  };
  std::vector<Ranked> ranked(const std::vector<std::int64_t>& ids, const std::string& entity,
                             const std::vector<Slot>& slots, const Ranking& ranking);
  Hit hit_of(const Ranked& one, const std::vector<Slot>& slots);  // document 0: gone meanwhile

  Database& database_;
  Terms terms_;
  struct Count {
    std::int64_t passages = 0;
    std::int64_t whole = 0;
  };
  std::unordered_map<std::string, Count> counts_;  // not yet written
};

// What the ranking is made of; pure, for passages_rank.cpp.
struct Text {
  std::string_view heads;
  std::string_view terms;
  double words_mean = 1;
};
Scored score_of(const Text& text, const std::vector<Slot>& slots, const Ranking& ranking);
// A word of a passage's text that stands for words of the question: their slots, as bits.
struct Spot {
  std::size_t begin = 0;
  std::size_t bytes = 0;
  std::uint64_t slots = 0;
};
// By the stored `terms` of the passage, which has one for each word of `text`.
std::vector<Spot> spots_in(std::string_view text, std::string_view terms,
                           const std::vector<Slot>& slots);
// The sentence of `text` that holds most of the question, and its neighbour while it is short.
Span best_sentence(std::string_view text, const std::vector<Spot>& spots,
                   const std::vector<Slot>& slots);
// That part of `text` with the words found in [brackets], cut at about `bytes_max`.
std::string marked(std::string_view text, Span part, const std::vector<Spot>& spots,
                   std::size_t bytes_max);

}  // namespace vigil::storage
