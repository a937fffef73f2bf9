#include "daemon/admin/news.hpp"

#include <algorithm>

namespace vigil::admin {
namespace {

std::string_view text_at(const json::object& item, std::string_view member) {
  const auto* value = item.if_contains(member);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view{};
}

std::int64_t integer_at(const json::object& item, std::string_view member) {
  const auto* value = item.if_contains(member);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

bool is_or_any(const std::string& wanted, std::string_view given) {
  return wanted.empty() || wanted == given;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // Greedy with one step back: enough for `*` alone, and linear in practice.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool matches(const NewsFilter& filter, const json::object& item) {
  const auto topic = text_at(item, "topic");
  if (!filter.topics.empty() && std::ranges::find(filter.topics, topic) == filter.topics.end()) {
    return false;
  }
  if (filter.swarm != 0) {
    const auto id = integer_at(item, topic == "swarm" ? "id" : "swarm");
    if (id != filter.swarm || (topic != "swarm" && topic != "task")) return false;
  }
  return is_or_any(filter.entity, text_at(item, "entity")) &&
         is_or_any(filter.case_key, text_at(item, "case")) &&
         is_or_any(filter.source, text_at(item, "source")) &&
         (filter.type.empty() || matches_pattern(filter.type, text_at(item, "type")));
}

std::string sse_text(const json::object& item) {
  // JSON text holds no raw newline, so one data line is always enough.
  return "event: " + std::string(text_at(item, "topic")) + "\ndata: " + to_text(item) + "\n\n";
}

}  // namespace vigil::admin
