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
constexpr std::int64_t rows_max = 15'000;  // of the index, unless all its words are common
constexpr std::size_t candidates_max = 60;
constexpr std::size_t looked_at_max = 4 * candidates_max;  // when other entities are among them
constexpr int hits_max = 1'000;
constexpr std::size_t marked_bytes_max = 400;
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

// A passage and the weight of the words it is known to hold.
struct Held {
  std::int64_t id;
  double weight;
};

// Both in the order of ids; so is what comes out.
std::vector<Held> merged(const std::vector<Held>& some, const std::vector<Held>& more) {
  std::vector<Held> out;
  out.reserve(some.size() + more.size());
  auto one = some.begin();
  for (const auto& other : more) {
    while (one != some.end() && one->id < other.id) out.push_back(*one++);
    const bool same = one != some.end() && one->id == other.id;
    out.push_back({other.id, other.weight + (same ? one++->weight : 0)});
  }
  out.insert(out.end(), one, some.end());
  return out;
}

struct Wanted {
  std::string match;  // an expression of FTS5
  double weight = 0;
};

// The rarest words of a question, as many as are worth reading; where all are common, pairs of the
// rarest. A heading counts less than the text.
std::vector<Wanted> wanted_of(const std::vector<Slot>& slots, const Ranking& ranking) {
  std::vector<const Slot*> rare;
  for (const auto& slot : slots) {
    if (slot.passages > 0) rare.push_back(&slot);
  }
  std::ranges::sort(rare, {}, &Slot::passages);
  std::vector<Wanted> out;
  std::int64_t rows = 0;
  for (const auto* slot : rare) {
    rows += slot->passages;
    if (rows > rows_max) break;
    out.push_back({"terms : " + any_of(*slot), slot->weight});
    out.push_back({"heads : " + any_of(*slot), ranking.heading * slot->weight});
  }
  if (!out.empty() || rare.empty()) return out;
  const auto most = std::min<std::size_t>(rare.size(), 3);
  for (std::size_t a = 0; a < most; ++a) {
    for (auto b = a + 1; b < most; ++b) {
      out.push_back({fmt::format("terms : ({} AND {})", any_of(*rare[a]), any_of(*rare[b])),
                     rare[a]->weight + rare[b]->weight});
    }
  }
  if (most == 1) out.push_back({"terms : " + any_of(*rare[0]), rare[0]->weight});
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

// Those that hold most of the question first.
std::vector<std::int64_t> Passages::candidates(const std::string& entity,
                                               const std::vector<Slot>& slots,
                                               const Ranking& ranking, std::size_t most) {
  std::vector<Held> all;
  for (const auto& [match, weight] : wanted_of(slots, ranking)) {
    auto row = database_.query(
        "SELECT rowid FROM passage_words WHERE passage_words MATCH ?",
        entity.empty() ? match : fmt::format("({}) AND entity : {}", match, quoted_term(entity)));
    std::vector<Held> some;
    while (row.next()) some.push_back({row.integer(0), weight});
    all = merged(all, some);
  }
  most = std::min(most, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(most),
                            [](const Held& a, const Held& b) {
                              return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
                            });
  std::vector<std::int64_t> out;
  for (std::size_t at = 0; at < most; ++at) out.push_back(all[at].id);
  return out;
}

std::vector<Passages::Ranked> Passages::ranked(const std::vector<std::int64_t>& ids,
                                               const std::string& entity,
                                               const std::vector<Slot>& slots,
                                               const Ranking& ranking) {
  Text text;
  {
    auto row = database_.query("SELECT passages, words FROM passage_total");
    if (row.next() && row.integer(0) > 0) {
      text.words_mean = static_cast<double>(row.integer(1)) / static_cast<double>(row.integer(0));
    }
  }
  std::vector<Ranked> out;
  for (const auto id : ids) {
    if (out.size() >= candidates_max) break;
    auto row =
        database_.query("SELECT heads, terms FROM passage WHERE id = ? AND (? = '' OR entity = ?)",
                        id, entity, entity);
    if (!row.next()) continue;
    text.heads = row.bytes(0);
    text.terms = row.bytes(1);
    out.push_back({score_of(text, slots, ranking), id});
  }
  std::ranges::sort(out, [](const Ranked& a, const Ranked& b) {
    return a.scored.score != b.scored.score ? a.scored.score > b.scored.score : a.id < b.id;
  });
  return out;
}

Hit Passages::hit_of(const Ranked& one, const std::vector<Slot>& slots) {
  Hit hit;
  auto row = database_.query(
      R"sql(SELECT d.id, d.entity, d.key, d.title, p.heading, p.place, p.terms,
                   CAST(substr(CAST(d.body AS BLOB), p.at + 1, p.bytes) AS TEXT)
            FROM passage p JOIN document d ON d.id = p.document WHERE p.id = ?)sql",
      one.id);
  if (!row.next()) return hit;
  hit = {.document = row.integer(0),
         .entity = row.text(1),
         .key = row.text(2),
         .title = row.text(3),
         .heading = row.text(4),
         .place = row.text(5),
         .text = row.text(7),
         .score = one.scored.score,
         .coverage = one.scored.coverage,
         .every_word = one.scored.every_word};
  const auto spots = spots_in(hit.text, row.bytes(6), slots);
  const auto sentence = best_sentence(hit.text, spots, slots);
  hit.quote = hit.text.substr(sentence.begin, sentence.bytes);
  hit.marked = marked(hit.text, sentence, spots, marked_bytes_max);
  return hit;
}

// The index is asked for one entity alone only when others crowd it out: what holds the entity's
// name is a list as long as all that it has.
std::vector<Hit> Passages::find(const std::string& entity, std::string_view question, int limit,
                                const Ranking& ranking) {
  const auto slots = slots_of(question, ranking);
  const auto most = entity.empty() ? candidates_max : looked_at_max;
  const auto all = candidates("", slots, ranking, most);
  auto best = ranked(all, entity, slots, ranking);
  if (best.size() < candidates_max && all.size() == most) {
    best = ranked(candidates(entity, slots, ranking, candidates_max), entity, slots, ranking);
  }
  std::vector<Hit> out;
  for (const auto& one : best) {
    if (std::ssize(out) >= std::clamp(limit, 0, hits_max)) break;
    auto hit = hit_of(one, slots);
    if (hit.document != 0) out.push_back(std::move(hit));
  }
  return out;
}

}  // namespace vigil::storage
