// Full-text search over documents and episodes.
#include <algorithm>

#include "storage/database.hpp"
#include "storage/memory.hpp"

namespace vigil::storage {
namespace {

constexpr std::size_t words_max = 32;
constexpr int one_search_max = 1'000;

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

std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n\v\f";
  std::vector<std::string> out;
  while (out.size() < words_max) {
    const auto begin = text.find_first_not_of(blank);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(blank), text.size());
    out.push_back(quoted_word(text.substr(0, end)));
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

void add_documents(Database& database, const std::string& match, const std::string& entity,
                   int limit, std::vector<Ranked>& out) {
  auto row = database.query(
      R"sql(SELECT bm25(document_words, 0.0, 4.0, 1.0) AS score, d.entity, d.key, d.title,
                   snippet(document_words, -1, '[', ']', '…', 24)
            FROM document_words JOIN document d ON d.id = document_words.rowid
            WHERE document_words MATCH ? AND (? = '' OR d.entity = ?)
            ORDER BY score LIMIT ?)sql",
      match, entity, entity, limit);
  while (row.next()) {
    out.push_back({row.real(0), {row.text(1), "document", row.text(2), row.text(3), row.text(4)}});
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
  // What has every word; if nothing does, what has any.
  for (const auto how : {Wanted::every_word, Wanted::any_word}) {
    add_documents(database_, expression(wanted, "title body", entity, how), entity, limit, ranked);
    add_episodes(database_, expression(wanted, "text", entity, how), entity, limit, ranked);
    if (!ranked.empty()) break;
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
