#include "entities/consolidation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <map>
#include <set>

#include "core/digest.hpp"
#include "core/sorted.hpp"
#include "entities/feeds/html_text.hpp"
#include "entities/logs/mask.hpp"

namespace vigil::entities {
namespace {

using feeds::cut_text;
using storage::Episode;

constexpr std::size_t name_bytes_max = 60;    // of a kind or a field, in a key
constexpr std::size_t quote_bytes_max = 300;  // of what was said
constexpr std::size_t value_bytes_max = 100;  // longer ones are texts, not values
constexpr std::size_t fields_max = 32;        // of one episode
constexpr std::size_t ids_max = 20;           // that are named; how many more there are is said

struct Tally {
  std::string kind;
  std::vector<std::int64_t> ids;
  std::set<std::int64_t> cases;
  TimePoint first, last;
  Taint taint = Taint::trusted;
  std::string quote;  // of the newest
  json::value value;

  void add(const Episode& episode, std::string_view of_kind) {
    if (ids.empty()) first = episode.at;
    kind = of_kind;
    last = episode.at;
    ids.push_back(episode.id);
    cases.insert(episode.case_id.value);
    if (episode.taint == Taint::untrusted) taint = Taint::untrusted;
  }
};

std::string provenance_of(const Tally& tally, std::size_t looked_at) {
  const auto more = tally.ids.size() > ids_max ? tally.ids.size() - ids_max : 0;
  const std::vector<std::int64_t> named(tally.ids.begin() + static_cast<std::ptrdiff_t>(more),
                                        tally.ids.end());
  return fmt::format("{} of {} episodes: {}{}", tally.ids.size(), looked_at, fmt::join(named, " "),
                     more > 0 ? fmt::format(" and {} before", more) : "");
}

Gathered gathered(std::string key, const Tally& tally, std::size_t of, std::size_t looked_at) {
  const auto count = static_cast<double>(tally.ids.size());
  Gathered out;
  out.is_preference = is_of_people(tally.kind);
  out.key = std::move(key);
  out.confidence = count / (count + 1) * count / static_cast<double>(of);
  out.provenance = provenance_of(tally, looked_at);
  out.taint = tally.taint;
  out.newest = tally.ids.back();
  out.value = json::object{{"count", tally.ids.size()},
                           {"cases", tally.cases.size()},
                           {"first", to_rfc3339(tally.first)},
                           {"last", to_rfc3339(tally.last)}};
  return out;
}

// Two texts that differ in numbers, paths, hosts and times alone are the same said twice.
std::string likeness_of(std::string_view text) {
  std::string same;
  for (const auto& token : logs::masked_tokens(text)) same += logs::key_of(token) + ' ';
  return same.empty() ? same : to_hex(as_bytes(sha256(same))).substr(0, 16);
}

bool is_value(const json::value& value) {
  if (value.is_bool() || value.is_int64() || value.is_uint64()) return true;
  return value.is_string() && !value.as_string().empty() &&
         value.as_string().size() <= value_bytes_max;
}

struct Gatherer {
  std::map<std::string, Tally> kinds;
  std::map<std::string, Tally> texts;                          // by kind and likeness
  std::map<std::string, std::map<std::string, Tally>> fields;  // by kind and field, by value

  void look_at(const Episode& episode) {
    const auto kind = cut_text(episode.kind, name_bytes_max);
    kinds[kind].add(episode, kind);
    if (const auto likeness = likeness_of(episode.text); !likeness.empty()) {
      auto& said = texts[fmt::format("{}:{}", kind, likeness)];
      said.add(episode, kind);
      said.quote = cut_text(episode.text, quote_bytes_max);
    }
    if (!episode.data.is_object()) return;
    std::size_t looked_at = 0;
    for (const auto& [field, value] : episode.data.as_object()) {
      if (++looked_at > fields_max) break;
      if (!is_value(value)) continue;
      auto& tally =
          fields[fmt::format("{}:{}", kind, cut_text(field, name_bytes_max))][to_text(value)];
      tally.add(episode, kind);
      tally.value = value;
    }
  }

  std::vector<Gathered> all(std::size_t looked_at) const {
    std::vector<Gathered> out;
    for (const auto& [kind, tally] : kinds) {
      if (tally.ids.size() < gathered_least) continue;
      out.push_back(gathered(fmt::format("{}kind:{}", gathered_prefix, kind), tally,
                             tally.ids.size(), looked_at));
    }
    for (const auto& [name, tally] : texts) {
      if (tally.ids.size() < gathered_least) continue;
      out.push_back(gathered(fmt::format("{}text:{}", gathered_prefix, name), tally,
                             tally.ids.size(), looked_at));
      out.back().value.as_object()["text"] = tally.quote;
    }
    for (const auto& [name, values] : fields) {
      for (const auto& [text, tally] : values) {
        const auto of = kinds.at(tally.kind).ids.size();
        if (tally.ids.size() < gathered_least || tally.ids.size() * 2 <= of) continue;
        out.push_back(
            gathered(fmt::format("{}usual:{}", gathered_prefix, name), tally, of, looked_at));
        out.back().value.as_object()["value"] = tally.value;
        out.back().value.as_object()["of"] = of;
      }
    }
    return out;
  }
};

std::int64_t count_of(const Gathered& one) { return find_integer(one.value, "count").value_or(0); }

}  // namespace

bool is_of_people(std::string_view kind) {
  return kind == "feedback" || kind == "learned" || kind == "order";
}

std::vector<Gathered> gather(const std::vector<Episode>& episodes) {
  Gatherer gatherer;
  for (const auto& episode : episodes) gatherer.look_at(episode);
  auto out = gatherer.all(episodes.size());
  if (out.size() > gathered_max) {
    sort_stably(out, [](const Gathered& one, const Gathered& other) {
      return count_of(one) > count_of(other);
    });
    out.resize(gathered_max);
  }
  sort_stably(out, [](const Gathered& one, const Gathered& other) { return one.key < other.key; });
  return out;
}

}  // namespace vigil::entities
