#include "entities/codebase/orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "entities/codebase/finding.hpp"
#include "entities/forge_facts.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t orders_max = 20;
constexpr Duration snooze_max = std::chrono::days{90};
constexpr std::array<std::pair<std::string_view, Verb>, 6> verbs{{{"/retest", Verb::retest},
                                                                  {"/hold", Verb::hold},
                                                                  {"/unhold", Verb::unhold},
                                                                  {"/mute", Verb::mute},
                                                                  {"/unmute", Verb::unmute},
                                                                  {"/snooze", Verb::snooze}}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const auto begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

bool is_rule(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-.:/").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, is_plain);
}

// Days are what people snooze by; parse_duration has none.
std::optional<Duration> wait_of(std::string_view text) {
  if (text.ends_with('d') && text.size() > 1 && text.size() <= 3) {
    const auto digits = text.substr(0, text.size() - 1);
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return std::chrono::hours{24} * std::stoi(std::string(digits));
  }
  const auto parsed = parse_duration(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

// Why the argument does not fit; empty: it does.
std::string take_argument(Order& order, std::string_view argument) {
  switch (order.verb) {
    case Verb::mute:
    case Verb::unmute:
      if (!is_rule(argument)) return "it needs the name of a rule or analyser, as findings show it";
      order.rule = argument;
      return {};
    case Verb::snooze: {
      const auto wait = wait_of(argument);
      if (!wait || *wait <= Duration{0} || *wait > snooze_max) {
        return "it needs a time up to 90d, as 2d or 4h";
      }
      order.wait = *wait;
      return {};
    }
    default:
      return argument.empty() ? "" : "it takes no argument";
  }
}

// Written by GitHub, not by the sender of the comment.
bool may_write(const Event& event) {
  const auto association = find_text(event.data, "comment.author_association").value_or("");
  return association == "OWNER" || association == "MEMBER" || association == "COLLABORATOR";
}

}  // namespace

Orders read_orders(const Event& event, const std::vector<std::string>& from) {
  Orders orders;
  // An edited comment was obeyed when it was new.
  const auto facts = read_forge_facts(event.type, event.data);
  const bool is_new = facts.kind == "comment" && facts.action == "created";
  if (!is_new || !facts.on_pull_request || facts.number <= 0 || facts.repository.empty()) {
    return orders;
  }
  std::string_view left = facts.body;
  while (!left.empty() && orders.all.size() < orders_max) {
    const auto line = trimmed(left.substr(0, left.find('\n')));
    left.remove_prefix(std::min(left.size(), left.find('\n')));
    if (!left.empty()) left.remove_prefix(1);
    const auto word = line.substr(0, line.find_first_of(" \t"));
    const auto known = std::ranges::find(verbs, word, &std::pair<std::string_view, Verb>::first);
    if (known == verbs.end()) continue;
    Order order;
    order.verb = known->second;
    order.spoken = one_line(line, 100);
    const auto wrong = take_argument(order, trimmed(line.substr(word.size())));
    if (wrong.empty()) {
      orders.all.push_back(std::move(order));
    } else if (orders.not_understood.size() < orders_max) {
      orders.not_understood.push_back(fmt::format("{}: {}", order.spoken, wrong));
    }
  }
  if (orders.all.empty() && orders.not_understood.empty()) return orders;
  orders.case_key = fmt::format("{}#{}", one_line(facts.repository, 180), facts.number);
  orders.sender = one_line(facts.sender, 100);
  orders.may = may_write(event) || std::ranges::find(from, facts.sender) != from.end();
  return orders;
}

}  // namespace vigil::entities::codebase
