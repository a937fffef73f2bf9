// From a question to passages: what stands for its words, the candidates, the best of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "storage/database.hpp"
#include "storage/passages.hpp"

namespace vigil::storage {
namespace {

constexpr std::size_t question_words_max = 32;
constexpr std::size_t question_bytes_max = 2'000;
constexpr std::int64_t rows_max = 1'500;  // a question looks at, unless all its words are common
constexpr int candidates_max = 60;
constexpr int hits_max = 1'000;
constexpr std::size_t similar_letters = 5;

std::string quoted_term(std::string_view term) {
  std::string out = "\"";
  for (const char c : term) {
    if (c == '\0') continue;
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

std::string any_of(const Slot& slot) {
  std::string out;
  for (const auto& [term, weight] : slot.terms) {
    out += (out.empty() ? "" : " OR ") + quoted_term(term);
  }
  return "(" + out + ")";
}

// The rarest words of a question, as many as are worth reading. What has none of them, but every
// common one, is found too.
std::string expression(const std::vector<Slot>& slots, const std::string& entity) {
  std::vector<const Slot*> rare;
  for (const auto& slot : slots) {
    if (slot.passages > 0) rare.push_back(&slot);
  }
  std::ranges::sort(rare, {}, &Slot::passages);
  if (rare.empty()) return {};
  std::string out;
  std::int64_t rows = 0;
  std::size_t taken = 0;
  for (; taken < rare.size() && rows + rare[taken]->passages <= rows_max; ++taken) {
    rows += rare[taken]->passages;
    out += (out.empty() ? "" : " OR ") + any_of(*rare[taken]);
  }
  if (taken == 0) {
    const auto most = std::min<std::size_t>(rare.size(), 3);
    for (std::size_t a = 0; a < most; ++a) {
      for (auto b = a + 1; b < most; ++b) {
        out += fmt::format("{}({} AND {})", out.empty() ? "" : " OR ", any_of(*rare[a]),
                           any_of(*rare[b]));
      }
    }
    if (most == 1) out = any_of(*rare[0]);
  }
  out = "{heads terms} : (" + out + ")";
  if (!entity.empty()) out += " AND entity : " + quoted_term(entity);
  return out;
}

}  // namespace

std::int64_t Passages::passages_with(const std::string& term) {
  return database_.number("SELECT passages FROM term WHERE term = ?", term);
}

// Words that begin like one that nobody knows: a typing mistake, a derived form.
void Passages::similar_terms(Slot& slot, double weight) {
  const auto word = slot.terms.front().first;  // a copy: the list grows
  if (word.size() < similar_letters) return;
  const auto prefix = word.substr(0, similar_letters);
  auto row = database_.query(
      R"sql(SELECT term, passages FROM term WHERE term >= ? AND term < ? ORDER BY
              abs(length(term) - ?), passages DESC LIMIT 5)sql",
      prefix, prefix + "\xf4\x8f\xbf\xbf", word.size());
  while (row.next()) {
    const auto term = row.text(0);
    const auto longer = std::max(term.size(), word.size()) - std::min(term.size(), word.size());
    if (longer > 3) continue;
    slot.terms.emplace_back(term, weight);
    slot.passages += row.integer(1);
  }
}

std::vector<Slot> Passages::slots_of(std::string_view question, const Ranking& ranking) {
  question = question.substr(0, question_bytes_max);
  const auto language = guess_language(question);
  const auto passages = static_cast<double>(count());
  const IsKnown known = [this](const std::string& term) { return passages_with(term) > 0; };
  const auto weight_of = [&](std::int64_t with) {
    const auto holding = static_cast<double>(with);
    return std::log(1 + std::max(0.0, passages - holding + 0.5) / (holding + 0.5));
  };
  std::vector<Slot> out;
  const auto add = [&](Slot slot) {
    slot.weight = weight_of(slot.passages);
    out.push_back(std::move(slot));
  };
  const auto take = [&](Slot& slot, const std::string& term) {
    const auto same = [&](const auto& one) { return one.first == term; };
    if (term.empty() || std::ranges::any_of(slot.terms, same)) return;
    slot.terms.emplace_back(term, 1.0);
    slot.passages += passages_with(term);
  };
  for (const auto& word : terms_.words(question, language, question_words_max, known)) {
    const auto plain = fold(question.substr(word.begin, word.bytes));
    if (word.term.empty()) continue;
    Slot slot;
    take(slot, word.term);
    if (ranking.stems) {
      take(slot, plain);
      if (language == Language::other) {
        take(slot, terms_.stem(plain, Language::english));
        take(slot, terms_.stem(plain, Language::german));
      }
      if (slot.passages == 0) similar_terms(slot, ranking.similar);
    }
    add(std::move(slot));
    for (const auto& part : word.parts) {
      Slot piece;
      piece.part = true;
      take(piece, part);
      add(std::move(piece));
    }
  }
  return out;
}

std::vector<std::int64_t> Passages::candidates(const std::string& entity,
                                               const std::vector<Slot>& slots) {
  const auto match = expression(slots, entity);
  std::vector<std::int64_t> out;
  if (match.empty()) return out;
  auto row = database_.query(
      R"sql(SELECT rowid FROM passage_words WHERE passage_words MATCH ?
            ORDER BY bm25(passage_words, 0.0, 0.3, 1.0) LIMIT ?)sql",
      match, candidates_max);
  while (row.next()) out.push_back(row.integer(0));
  return out;
}

std::vector<Hit> Passages::find(const std::string& entity, std::string_view question, int limit,
                                const Ranking& ranking) {
  const auto slots = slots_of(question, ranking);
  limit = std::clamp(limit, 0, hits_max);
  Text text;
  {
    auto row = database_.query("SELECT passages, words FROM passage_total");
    if (row.next() && row.integer(0) > 0) {
      text.words_mean = static_cast<double>(row.integer(1)) / static_cast<double>(row.integer(0));
    }
  }
  struct Ranked {
    Scored scored;
    std::int64_t id;
  };
  std::vector<Ranked> ranked;
  for (const auto id : candidates(entity, slots)) {
    auto row = database_.query(
        R"sql(SELECT p.heads, p.terms FROM passage p JOIN document d ON d.id = p.document
              WHERE p.id = ? AND (? = '' OR d.entity = ?))sql",
        id, entity, entity);
    if (!row.next()) continue;
    text.heads = row.bytes(0);
    text.terms = row.bytes(1);
    ranked.push_back({score_of(text, slots, ranking), id});
  }
  std::ranges::sort(ranked, [](const Ranked& a, const Ranked& b) {
    return a.scored.score != b.scored.score ? a.scored.score > b.scored.score : a.id < b.id;
  });
  std::vector<Hit> out;
  for (const auto& one : ranked) {
    if (std::ssize(out) >= limit) break;
    auto row = database_.query(
        R"sql(SELECT d.id, d.entity, d.key, d.title, p.heading, p.place, p.language,
                     CAST(substr(CAST(d.body AS BLOB), p.at + 1, p.bytes) AS TEXT)
              FROM passage p JOIN document d ON d.id = p.document WHERE p.id = ?)sql",
        one.id);
    if (!row.next()) continue;
    Hit hit{.document = row.integer(0),
            .entity = row.text(1),
            .key = row.text(2),
            .title = row.text(3),
            .heading = row.text(4),
            .place = row.text(5),
            .text = row.text(7),
            .score = one.scored.score,
            .coverage = one.scored.coverage,
            .every_word = one.scored.every_word};
    const auto language = static_cast<Language>(row.small(6));
    const auto sentence = best_sentence(hit.text, slots, terms_, language);
    hit.quote = sentence;
    hit.marked = marked(sentence, slots, terms_, language, 400);
    out.push_back(std::move(hit));
  }
  return out;
}

}  // namespace vigil::storage
