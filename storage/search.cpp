// Full-text search over documents and episodes.
#include <algorithm>
#include <set>

#include "storage/database.hpp"
#include "storage/memory.hpp"

namespace vigil::storage {
namespace {

constexpr std::size_t words_max = 32;
constexpr int one_search_max = 1'000;
constexpr int hits_of_a_search = 60;

// FTS5 reads a doubled quote inside quotes as a quote, and nothing else in quotes as syntax.
std::string quoted_word(std::string_view word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '\0') continue;
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

// What the forms of a word have in common; empty when that is the word, or too short to tell.
std::string stem_of(std::string_view word) {
  constexpr std::size_t letters_min = 4;
  const auto plain = fold(word);
  if (plain.find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos) return {};
  Terms terms;
  std::string shortest = plain;
  for (const auto language : {Language::english, Language::german}) {
    auto stem = terms.stem(plain, language);
    const bool begins = plain.starts_with(stem) && stem.size() >= letters_min;
    if (begins && stem.size() < shortest.size()) shortest = std::move(stem);
  }
  return shortest == plain ? std::string() : shortest;
}

std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n\v\f";
  std::vector<std::string> out;
  while (out.size() < words_max) {
    const auto begin = text.find_first_not_of(blank);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(blank), text.size());
    out.push_back(quoted_word(text.substr(0, end)));
    if (const auto stem = stem_of(text.substr(0, end)); !stem.empty()) {
      out.back() = "(" + out.back() + " OR " + quoted_word(stem) + " *)";
    }
    text.remove_prefix(end);
  }
  return out;
}

enum class Wanted { every_word, any_word };

// `columns` are those with text of people: the entity's name is indexed too, but is no match.
std::string expression(const std::vector<std::string>& words, std::string_view columns,
                       const std::string& entity, Wanted wanted) {
  std::string out = "{" + std::string(columns) + "} : (";
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (at > 0) out += wanted == Wanted::every_word ? " AND " : " OR ";
    out += words[at];
  }
  out += ')';
  if (!entity.empty()) out += " AND entity : " + quoted_word(entity);
  return out;
}

struct Ranked {
  double rank;  // the smaller the better
  Found found;
};

// One passage of each document. What has every word drives out what has not.
void add_documents(Passages& passages, const std::string& words, const std::string& entity,
                   int limit, std::vector<Ranked>& whole, std::vector<Ranked>& partly) {
  std::set<std::int64_t> shown;
  for (auto& hit : passages.find(entity, words, hits_of_a_search)) {
    auto& into = hit.every_word ? whole : partly;
    if (std::ssize(into) >= limit || !shown.insert(hit.document).second) continue;
    into.push_back({-hit.score,
                    {std::move(hit.entity), "document", std::move(hit.key), std::move(hit.title),
                     std::move(hit.marked)}});
  }
}

void add_episodes(Database& database, const std::string& match, const std::string& entity,
                  int limit, std::vector<Ranked>& out) {
  auto row = database.query(
      R"sql(SELECT bm25(episode_words, 0.0, 1.0) AS score, e.entity, e.id, e.kind,
                   snippet(episode_words, 1, '[', ']', '…', 24)
            FROM episode_words JOIN episode e ON e.id = episode_words.rowid
            WHERE episode_words MATCH ? AND (? = '' OR e.entity = ?)
            ORDER BY score LIMIT ?)sql",
      match, entity, entity, limit);
  while (row.next()) {
    out.push_back({row.real(0), {row.text(1), "episode", row.text(2), row.text(3), row.text(4)}});
  }
}

}  // namespace

std::vector<Found> Memory::search(const std::string& entity, const std::string& words, int limit) {
  const auto wanted = words_of(words);
  limit = std::clamp(limit, 0, one_search_max);
  if (wanted.empty() || limit == 0) return {};
  std::vector<Ranked> ranked;
  std::vector<Ranked> partly;
  add_documents(passages, words, entity, limit, ranked, partly);
  // What has every word; if nothing does, what has any.
  add_episodes(database_, expression(wanted, "text", entity, Wanted::every_word), entity, limit,
               ranked);
  if (ranked.empty()) {
    ranked = std::move(partly);
    add_episodes(database_, expression(wanted, "text", entity, Wanted::any_word), entity, limit,
                 ranked);
  }
  std::ranges::sort(ranked, {}, &Ranked::rank);
  std::vector<Found> out;
  for (auto& one : ranked) {
    if (out.size() == static_cast<std::size_t>(limit)) break;
    out.push_back(std::move(one.found));
  }
  return out;
}

}  // namespace vigil::storage
