#include "entities/logs/miner.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <ranges>

#include "entities/logs/mask.hpp"
#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::size_t keys_per_template = 8;
constexpr std::uint64_t takes_any = 0;
const std::string any_token(1, static_cast<char>(Mark::any));

// So many templates that differ in the same words alone are one; two are enough where one of them
// has a value, or after a word that announces a name.
constexpr std::size_t same_from = 4;
constexpr std::array<std::string_view, 6> announces{"user", "username", "login",
                                                    "host", "account",  "named"};

constexpr std::size_t begins_from = 8;
constexpr std::ptrdiff_t begins_words_least = 3;

std::uint64_t hash_of(std::string_view text) {
  const std::uint64_t hash = std::hash<std::string_view>{}(text);
  return hash == takes_any ? 1 : hash;
}

struct Keyed {
  std::vector<std::uint64_t> words;
  std::string key;
  std::uint64_t alike = 0;
  std::uint64_t tail = 0;
};

Keyed keyed(const std::vector<std::string>& tokens) {
  Keyed out;
  out.words.reserve(tokens.size());
  for (const auto& token : tokens) {
    const auto key = key_of(token);
    out.words.push_back(hash_of(key));
    out.key += key;
    out.key += ' ';
  }
  const auto first = out.words.empty() ? 1 : out.words.front();
  out.alike = first * 0x9E3779B97F4A7C15U + tokens.size();
  const auto begin = tokens.empty() ? 0 : out.key.find(' ');
  out.tail = hash_of(std::string_view(out.key).substr(begin));
  return out;
}

// Those that differ from a new one in the same places.
struct Group {
  std::vector<std::uint64_t> ids;
  bool sure = false;
};

// chdir(<path>) and chdir(pwd): a word where the other has a value, in the same frame.
bool is_value_of(std::string_view word, std::string_view token) {
  if (has_mark(word)) return false;
  const auto mark = std::ranges::find_if(token, [](char c) { return has_mark({&c, 1}); });
  if (mark == token.end()) return false;
  const auto before = token.substr(0, static_cast<std::size_t>(mark - token.begin()));
  const auto after = token.substr(before.size() + 1);
  if ((!before.empty() && is_alnum(before.back())) || (!after.empty() && is_alnum(after.front()))) {
    return false;
  }
  return word.size() > before.size() + after.size() && word.starts_with(before) &&
         word.ends_with(after);
}

bool is_value_at(std::size_t place, const Template& a, const Template& b) {
  const auto is_bare = [](std::string_view token) { return token.size() == 1 && has_mark(token); };
  const std::string_view x = a.tokens[place];
  const std::string_view y = b.tokens[place];
  if (is_bare(x) != is_bare(y) || is_value_of(x, y) || is_value_of(y, x)) return true;
  if (place == 0) return false;
  return std::ranges::find(announces, a.tokens[place - 1]) != announces.end();
}

bool has_letters(std::string_view token) { return std::ranges::any_of(token, is_letter); }

// Where two of the same length differ; nullopt when that is too much to be one statement.
std::optional<std::vector<std::size_t>> difference(const std::vector<std::uint64_t>& a,
                                                   const std::vector<std::uint64_t>& b) {
  const std::size_t places_max = std::max<std::size_t>(1, a.size() / 4);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || a[i] == takes_any || b[i] == takes_any) continue;
    places.push_back(i);
    if (places.size() > places_max) return std::nullopt;
  }
  return places;
}

}  // namespace

std::string Template::text() const {
  std::string out;
  for (const auto& token : tokens) {
    if (!out.empty()) out += ' ';
    out += shown(token);
  }
  return out;
}

Miner::Miner(MinerLimits limits) : limits_(limits) {}

const Template* Miner::find(std::uint64_t id) const {
  const auto found = templates_.find(id);
  return found == templates_.end() ? nullptr : &found->second.pattern;
}

void Miner::remember(const std::string& key, std::uint64_t id) {
  if (by_key_.size() >= limits_.templates_max * keys_per_template) by_key_.clear();
  by_key_[key] = id;
}

Miner::Entry& Miner::add(std::vector<std::string> tokens, std::uint64_t id) {
  auto key = keyed(tokens);
  Entry entry;
  entry.pattern.id = id;
  entry.pattern.tokens = std::move(tokens);
  entry.words = std::move(key.words);
  for (std::size_t i = 0; i < entry.words.size(); ++i) {
    if (entry.pattern.tokens[i] == any_token) entry.words[i] = takes_any;
  }
  entry.key = std::move(key.key);
  entry.alike = key.alike;
  entry.tail = key.tail;
  entry.age = by_age_.insert(by_age_.end(), id);
  alike_[entry.alike].push_back(id);
  tails_[entry.tail].push_back(id);
  return templates_.insert_or_assign(id, std::move(entry)).first->second;
}

Miner::Entry* Miner::find_matching(const std::vector<std::uint64_t>& words, std::uint64_t alike) {
  const auto found = alike_.find(alike);
  if (found == alike_.end()) return nullptr;
  Entry* best = nullptr;
  std::ptrdiff_t best_any = 0;
  for (const auto id : found->second) {
    auto& entry = templates_.at(id);
    if (entry.words.size() != words.size()) continue;
    const bool fits = std::ranges::equal(entry.words, words, [](std::uint64_t a, std::uint64_t b) {
      return a == b || a == takes_any;
    });
    if (!fits) continue;
    const auto any = std::ranges::count(entry.words, takes_any);
    if (best == nullptr || any < best_any) {
      best = &entry;
      best_any = any;
    }
  }
  return best;
}

Seen Miner::observe(std::string_view message) {
  const auto text = is_valid_utf8(message) ? std::string() : to_valid_utf8(message);
  auto tokens = masked_tokens(text.empty() ? message : text);
  Seen seen;
  std::string key;
  for (const auto& token : tokens) key += key_of(token) + ' ';
  Entry* entry = nullptr;
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    const auto found = templates_.find(known->second);
    if (found != templates_.end()) entry = &found->second;
  }
  if (entry == nullptr) {
    const auto parts = keyed(tokens);
    entry = find_matching(parts.words, parts.alike);
    if (entry == nullptr) entry = find_open_begin(parts.tail);
    if (entry == nullptr) {
      entry = &add(tokens, next_id_++);
      seen.is_new = true;
      merge_alike(*entry, seen);
      if (seen.absorbed.empty()) merge_begins(*entry, seen);
    }
    remember(key, entry->pattern.id);
  }
  seen.id = entry->pattern.id;
  ++entry->pattern.lines;
  // A place that held values of one kind and now another takes any kind.
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    auto& mine = entry->pattern.tokens[i];
    if (mine != tokens[i] && entry->words[i] != takes_any) mine = key_of(mine);
  }
  by_age_.splice(by_age_.end(), by_age_, entry->age);
  while (templates_.size() > limits_.templates_max) {
    seen.forgotten.push_back(by_age_.front());
    remove(by_age_.front());
  }
  return seen;
}

void Miner::absorb(Entry& into, const Entry& other) {
  for (std::size_t i = 0; i < into.words.size(); ++i) {
    auto& mine = into.pattern.tokens[i];
    if (into.words[i] != other.words[i]) {
      into.words[i] = takes_any;
      mine = any_token;
    } else if (mine != other.pattern.tokens[i]) {
      mine = key_of(mine);
    }
  }
  into.pattern.lines += other.pattern.lines;
}

void Miner::merge_alike(Entry& entry, Seen& seen) {
  const auto& alike = alike_[entry.alike];
  std::map<std::vector<std::size_t>, Group> by_places;
  for (const auto id : alike | std::views::reverse | std::views::take(limits_.alike_max)) {
    if (id == entry.pattern.id) continue;
    const auto& other = templates_.at(id);
    if (other.words.size() != entry.words.size()) continue;
    const auto places = difference(entry.words, other.words);
    if (!places || places->empty()) continue;
    // What is left must say something.
    std::size_t same = 0;
    for (std::size_t i = 0; i < entry.words.size(); ++i) {
      same += entry.words[i] == other.words[i] && has_letters(entry.pattern.tokens[i]) ? 1 : 0;
    }
    if (same < places->size()) continue;
    auto& there = by_places[*places];
    there.ids.push_back(id);
    there.sure |= places->size() == 1 && is_value_at(places->front(), entry.pattern, other.pattern);
  }
  const std::vector<std::uint64_t>* chosen = nullptr;
  std::size_t least = 0;
  for (const auto& [places, group] : by_places) {
    const auto& ids = group.ids;
    if ((ids.size() + 1 < same_from && !group.sure) ||
        (chosen != nullptr && places.size() >= least))
      continue;
    chosen = &ids;
    least = places.size();
  }
  if (chosen == nullptr) return;
  for (const auto id : *chosen) {
    absorb(entry, templates_.at(id));
    seen.absorbed.push_back(id);
  }
  for (const auto id : *chosen) remove(id);
}

// "<*> has joined the channel": such a template is the only one of its tail from then on.
Miner::Entry* Miner::find_open_begin(std::uint64_t tail) {
  const auto found = tails_.find(tail);
  if (found == tails_.end()) return nullptr;
  auto& entry = templates_.at(found->second.front());
  const bool is_open = !entry.words.empty() && entry.words.front() == takes_any;
  return is_open ? &entry : nullptr;
}

// The first word is mostly what a statement is known by, so more is asked of it than of others.
void Miner::merge_begins(Entry& entry, Seen& seen) {
  const auto alike = tails_.at(entry.tail);
  if (alike.size() < begins_from || has_mark(entry.pattern.tokens.front())) return;
  const auto said = std::ranges::count_if(entry.pattern.tokens | std::views::drop(1), has_letters);
  if (said < begins_words_least) return;
  for (const auto id : alike) {
    if (id == entry.pattern.id) continue;
    absorb(entry, templates_.at(id));
    seen.absorbed.push_back(id);
    remove(id);
  }
}

void Miner::remove(std::uint64_t id) {
  const auto found = templates_.find(id);
  if (found == templates_.end()) return;
  auto& alike = alike_[found->second.alike];
  std::erase(alike, id);
  if (alike.empty()) alike_.erase(found->second.alike);
  auto& tail = tails_[found->second.tail];
  std::erase(tail, id);
  if (tail.empty()) tails_.erase(found->second.tail);
  by_age_.erase(found->second.age);
  templates_.erase(found);
}

json::object to_json(const Template& pattern) {
  json::array tokens;
  for (const auto& token : pattern.tokens) tokens.emplace_back(to_valid_utf8(token));
  return {{"id", pattern.id}, {"lines", pattern.lines}, {"tokens", std::move(tokens)}};
}

json::array Miner::to_json() const {
  json::array out;
  for (const auto id : by_age_) out.push_back(logs::to_json(templates_.at(id).pattern));
  return out;
}

void Miner::load(const json::array& templates) {
  for (const auto& value : templates) {
    if (templates_.size() >= limits_.templates_max) return;
    const auto id = find_integer(value, "id").value_or(0);
    const auto lines = find_integer(value, "lines").value_or(0);
    const auto* list = find_path(value, "tokens");
    if (id <= 0 || lines < 0 || list == nullptr || !list->is_array()) continue;
    if (list->get_array().size() > tokens_max) continue;
    std::vector<std::string> tokens;
    for (const auto& token : list->get_array()) {
      if (!token.is_string()) continue;
      tokens.emplace_back(std::string_view(token.get_string()).substr(0, 2 * token_bytes_max));
    }
    if (tokens.size() != list->get_array().size() ||
        templates_.contains(static_cast<std::uint64_t>(id))) {
      continue;
    }
    auto& entry = add(std::move(tokens), static_cast<std::uint64_t>(id));
    entry.pattern.lines = static_cast<std::uint64_t>(lines);
    next_id_ = std::max(next_id_, entry.pattern.id + 1);
  }
}

}  // namespace vigil::entities::logs
