#include "entities/market/news.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "entities/ops/alert.hpp"

namespace vigil::entities::market {
namespace {

constexpr std::size_t items_max = 50;  // for each watch
constexpr std::size_t symbol_least = 3;

char lower(char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}
std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

bool holds_word(const std::string& text, std::string_view wanted) {
  const auto word = lower(wanted);
  if (word.empty()) return false;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !is_word(text[at - 1]) || !is_word(word.front());
    const auto end = at + word.size();
    if (begins && (end == text.size() || !is_word(text[end]) || !is_word(word.back()))) return true;
  }
  return false;
}

// By what the feed made of the entry; of events from elsewhere by the title, "8-K - EXAMPLE CORP
// (0000320193) (Filer)", where the number has ten digits.
bool is_filing_of(const NewsItem& item, std::string_view cik) {
  if (cik.empty()) return false;
  const auto digits = fmt::format("{:0>10}", cik);
  if (!item.cik.empty()) return item.cik == digits;
  return item.title.find("(" + digits + ")") != std::string::npos;
}

// An amended filing ("8-K/A") is not asked for by the form that it amends.
bool is_of_form(const NewsItem& item, const std::string& form) {
  if (!item.form.empty()) return lower(item.form) == form;
  const auto same = [&](const std::string& category) { return lower(category) == form; };
  return std::ranges::any_of(item.categories, same) || lower(item.title).starts_with(form + " ");
}

bool is_asked_for(const Condition& condition, const config::MarketWatch& watch,
                  const NewsItem& item) {
  if (condition.form == Form::filing) {
    if (!is_filing_of(item, watch.cik)) return false;
    return condition.word.empty() || is_of_form(item, condition.word);
  }
  if (condition.form != Form::news) return false;
  return condition.word.empty() ||
         holds_word(lower(item.title + " " + item.summary), condition.word);
}

json::object to_json(const NewsItem& item) {
  json::object out{{"id", item.id},
                   {"title", item.title},
                   {"link", item.link},
                   {"at", to_rfc3339(item.at)},
                   {"feed", item.feed}};
  if (!item.form.empty()) out["form"] = item.form;
  return out;
}

// Newest last; one that is there already is not kept twice.
bool keep_item(json::array& items, const NewsItem& item) {
  for (const auto& known : items) {
    if (find_text(known, "id") == item.id) return false;
  }
  const auto text = to_rfc3339(item.at);
  auto at = items.begin();
  while (at != items.end() && find_text(*at, "at").value_or("") <= text) ++at;
  items.insert(at, to_json(item));
  while (items.size() > items_max) items.erase(items.begin());
  return true;
}

void tell_item(const MarketSetup& setup, const config::MarketWatch& watch, const Rule& rule,
               const NewsItem& item, Decision& decision) {
  const auto text =
      fmt::format("{} {}: {}{}{} ({})", watch.name, rule.settings.name, ops::marked(item.title),
                  item.link.empty() ? "" : " ", item.link, to_rfc3339(item.at).substr(0, 16) + "Z");
  decision.episodes.push_back({"news", text, to_json(item)});
  if (setup.settings.report_sink.empty()) return;
  decision.actions.push_back({"notify",
                              setup.settings.report_sink,
                              {{"text", text},
                               {"watch", watch.name},
                               {"severity", rule.settings.severity},
                               {"news", to_json(item)}},
                              fmt::format("{}/{}", watch.name, item.id).substr(0, 300),
                              {}});
}

}  // namespace

bool is_about(const config::MarketWatch& watch, const NewsItem& item) {
  if (is_filing_of(item, watch.cik)) return true;
  const auto text = lower(item.title + " " + item.summary);
  const auto& symbol = watch.symbol.empty() ? watch.name : watch.symbol;
  if (symbol.size() >= symbol_least && holds_word(text, symbol)) return true;
  return std::ranges::any_of(watch.words,
                             [&](const std::string& word) { return holds_word(text, word); });
}

Decision decide_on_news(const MarketSetup& setup, const Wake& wake, const Recollection& memory) {
  Decision out;
  out.rule = "news";
  const auto* arrived = std::get_if<EventsArrived>(&wake.because);
  if (arrived == nullptr) {
    out.verdict = Verdict::noted;
    out.why = "news are listened to";
    return out;
  }
  std::map<std::string, json::array> lists;
  std::size_t kept = 0;
  std::size_t known = 0;
  for (const auto& event : arrived->events) {
    const auto item = read_news(*event);
    if (!item) continue;
    for (const auto& watch : setup.settings.watches) {
      if (!is_about(watch, *item)) continue;
      const auto key = "news:" + watch.name;
      if (!lists.contains(key)) {
        const auto before = memory.fact(key);
        lists[key] = before && before->value.is_array() ? before->value.get_array() : json::array{};
      }
      if (!keep_item(lists[key], *item)) {
        ++known;
        continue;
      }
      ++kept;
      for (const auto& rule : setup.rules) {
        if (!rule.concerns(watch.name) || !is_asked_for(rule.when.front(), watch, *item)) continue;
        tell_item(setup, watch, rule, *item, out);
      }
    }
  }
  for (auto& [key, items] : lists) out.facts.push_back({key, std::move(items), 1, "feeds"});
  out.verdict = !out.actions.empty() ? Verdict::acted : Verdict::noted;
  out.why =
      fmt::format("{} items were kept, {} known before, {} told", kept, known, out.actions.size());
  return out;
}

}  // namespace vigil::entities::market
