// Documents into passages and their words.
#include "storage/passages.hpp"

#include <unordered_set>

#include "storage/database.hpp"

namespace vigil::storage {
namespace {

constexpr std::size_t head_words_max = 60;

// Terms with a space between; a part of a compound has ~ before it.
struct Line {
  std::string text;
  std::int64_t words = 0;
};
Line line_of(const std::vector<Word>& words) {
  Line out;
  for (const auto& word : words) {
    if (!out.text.empty()) out.text += ' ';
    out.text += word.term.empty() ? "-" : word.term;
    out.words += word.term.empty() ? 0 : 1;
    for (const auto& part : word.parts) out.text += " ~" + part;
  }
  return out;
}

template <class Each>
void each_term(std::string_view terms, Each each) {
  while (!terms.empty()) {
    const auto end = std::min(terms.find(' '), terms.size());
    auto term = terms.substr(0, end);
    terms.remove_prefix(std::min(end + 1, terms.size()));
    if (term.empty() || term == "-") continue;
    const bool part = term.front() == '~';
    if (part) term.remove_prefix(1);
    each(std::string(term), part);
  }
}

}  // namespace

struct Passages::Made {
  Language language = Language::other;
  std::int64_t words = 0;
  std::string terms;
};

Passages::Made Passages::make(const Source& source, const Piece& piece, Language fallback,
                              const IsKnown& known) {
  const auto text = std::string_view(source.body).substr(piece.at, piece.bytes);
  Made out;
  out.language = guess_language(text);
  if (out.language == Language::other) out.language = fallback;
  auto line = line_of(terms_.words(text, out.language, passage_words_max, known));
  out.words = line.words;
  out.terms = std::move(line.text);
  return out;
}

// Each term of a passage once.
void Passages::count_terms(const Made& made, int by) {
  std::unordered_map<std::string, bool> seen;  // whether as a word of its own
  each_term(made.terms, [&](std::string term, bool part) {
    auto& whole = seen[std::move(term)];
    whole = whole || !part;
  });
  for (const auto& [term, whole] : seen) {
    auto& count = counts_[term];
    count.passages += by;
    count.whole += whole ? by : 0;
  }
}

void Passages::keep_counts() {
  for (const auto& [term, count] : counts_) {
    database_.run(R"sql(INSERT INTO term (term, passages, whole) VALUES (?, ?, ?)
                        ON CONFLICT (term) DO UPDATE SET passages = passages + excluded.passages,
                          whole = whole + excluded.whole)sql",
                  term, count.passages, count.whole);
    if (count.passages < 0) {
      database_.run("DELETE FROM term WHERE term = ? AND passages <= 0", term);
    }
  }
  counts_.clear();
}

void Passages::put(std::span<const Source> documents) {
  std::unordered_set<std::string> fresh;  // words of these, not yet written
  for (const auto& source : documents) {
    erase(source.document);
    const auto fallback = guess_language(source.body);
    for (const auto& piece : split_passages(source.body)) {
      const auto made = make(source, piece, fallback, {});
      each_term(made.terms, [&](std::string term, bool) { fresh.insert(std::move(term)); });
    }
  }
  std::unordered_map<std::string, bool> asked;
  const IsKnown known = [&](const std::string& term) {
    if (fresh.contains(term)) return true;
    const auto [found, first] = asked.emplace(term, false);
    if (first) {
      found->second =
          database_.number("SELECT count(*) FROM term WHERE term = ? AND whole > 0", term) > 0;
    }
    return found->second;
  };
  for (const auto& source : documents) {
    const auto fallback = guess_language(source.body);
    for (const auto& piece : split_passages(source.body)) {
      const auto made = make(source, piece, fallback, known);
      const auto heads = line_of(
          terms_.words(source.title + " " + piece.heading, made.language, head_words_max, known));
      count_terms(made, 1);
      database_.run(R"sql(INSERT INTO passage (document, entity, at, bytes, place, heading,
                            language, words, heads, terms)
                          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql",
                    source.document, source.entity, piece.at, piece.bytes, piece.place,
                    piece.heading, static_cast<int>(made.language), made.words, heads.text,
                    made.terms);
    }
  }
  keep_counts();
}

void Passages::erase(std::int64_t document) {
  {
    auto row = database_.query("SELECT terms FROM passage WHERE document = ?", document);
    Made made;
    while (row.next()) {
      made.terms = row.text(0);
      count_terms(made, -1);
    }
  }
  if (counts_.empty()) return;
  keep_counts();
  database_.run("DELETE FROM passage WHERE document = ?", document);
}

int Passages::catch_up() {
  constexpr int at_once = 100;
  int done = 0;
  while (true) {
    std::vector<Source> sources;
    {
      auto row = database_.query(
          R"sql(SELECT id, entity, title, body FROM document
                WHERE id NOT IN (SELECT document FROM passage) LIMIT ?)sql",
          at_once);
      while (row.next()) sources.push_back({row.integer(0), row.text(1), row.text(2), row.text(3)});
    }
    if (sources.empty()) return done;
    Transaction transaction(database_);
    put(sources);
    transaction.commit();
    done += static_cast<int>(sources.size());
  }
}

std::int64_t Passages::count() { return database_.number("SELECT passages FROM passage_total"); }

}  // namespace vigil::storage
