#include "entities/market/condition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "core/log.hpp"

namespace vigil::entities::market {
namespace {

constexpr std::array<std::string_view, 6> fields{"open",  "high",   "low",
                                                 "close", "volume", "spread"};
constexpr int bars_most = 1000;
constexpr Duration within_most = std::chrono::days{31};

Error wrong(std::string message) { return {ErrorCode::invalid_input, std::move(message)}; }

// Words; what stands within ( ) or " " is one, without its blanks or its quotes.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  bool open = false;
  int depth = 0;
  bool quoted_word = false;
  for (const char c : text) {
    if (c == '"') {
      quoted_word = !quoted_word;
      if (quoted_word) out.emplace_back();
      open = quoted_word;
    } else if (c == ' ' && !quoted_word) {
      if (depth == 0) open = false;
    } else {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (!open) out.emplace_back();
      open = true;
      out.back() += c;
    }
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  });
  return out;
}

Result<Term> parse_term(std::string_view word) {
  Term out;
  if (const auto field = std::ranges::find(fields, word); field != fields.end()) {
    out.field = static_cast<Field>(field - fields.begin());
    return out;
  }
  const bool begins_as_number =
      !word.empty() && (word[0] == '-' || word[0] == '.' || (word[0] >= '0' && word[0] <= '9'));
  if (begins_as_number) {
    auto number = Decimal::parse(word);
    if (!number) return std::unexpected(number.error());
    out.number = *number;
    return out;
  }
  auto indicator = parse_indicator(word);
  if (!indicator) {
    return std::unexpected(wrong(fmt::format(
        "expected a number, one of open high low close volume spread, or an indicator such as "
        "sma(50): {}",
        indicator.error().message)));
  }
  out.indicator = std::move(*indicator);
  return out;
}

using Words = std::span<const std::string>;

// TERM, or FACTOR * TERM.
Result<Term> parse_right(Words words) {
  if (words.size() == 1) return parse_term(words[0]);
  if (words.size() != 3 || words[1] != "*") {
    return std::unexpected(
        wrong("expected a number or a series on the right, such as 70000, "
              "sma(50) or 3 * volume_sma(20)"));
  }
  auto factor = Decimal::parse(words[0]);
  if (!factor) return std::unexpected(factor.error());
  auto term = parse_term(words[2]);
  if (term) term->factor = *factor;
  return term;
}

Way way_of(std::string_view word) {
  if (word == "above" || word == "rises") return Way::up;
  return word == "below" || word == "falls" ? Way::down : Way::either;
}

Result<Condition> parse_comparison(Condition out, Words words) {
  auto left = parse_term(words[0]);
  if (!left) return std::unexpected(left.error());
  std::size_t from = 1;
  if (words[from] == "is" && words.size() > from + 1) ++from;
  out.form = words[from] == "crosses" ? Form::crossing : Form::level;
  if (out.form == Form::crossing) ++from;
  if (from < words.size()) out.way = way_of(words[from]);
  if (out.way != Way::either) ++from;
  auto right = parse_right(words.subspan(std::min(from, words.size())));
  if (!right) return std::unexpected(right.error());
  out.left = std::move(*left);
  out.right = std::move(*right);
  if (out.left.number) return std::unexpected(wrong("a series stands on the left, a level right"));
  return out;
}

Result<void> read_within(Condition& out, std::string_view amount, std::string_view unit) {
  if (unit == "bars" || unit == "bar") {
    const auto [end, error] =
        std::from_chars(amount.data(), amount.data() + amount.size(), out.bars);
    if (error != std::errc{} || end != amount.data() + amount.size() || out.bars < 1 ||
        out.bars > bars_most) {
      return std::unexpected(wrong(fmt::format("expected 1 to {} bars", bars_most)));
    }
    return {};
  }
  const auto within = parse_duration(amount);
  if (!unit.empty() || !within || *within <= Duration{0} || *within > within_most) {
    return std::unexpected(wrong("expected a time up to 31d such as 1h, or 5 bars"));
  }
  out.within = *within;
  return {};
}

// [close] moves|rises|falls 5% within 1h
Result<Condition> parse_move(Condition out, Words words) {
  if (words[0] == "close") words = words.subspan(1);
  out.form = Form::move;
  out.way = way_of(words[0]);
  if (words.size() < 4 || words.size() > 5 || words[2] != "within" || !words[1].ends_with('%')) {
    return std::unexpected(wrong("expected a move like: close falls 5% within 1h"));
  }
  const auto percent = Decimal::parse(std::string_view(words[1]).substr(0, words[1].size() - 1));
  if (!percent || percent->is_negative() || percent->is_zero()) {
    return std::unexpected(
        wrong(fmt::format("{} is no percentage above 0", vigil::quoted(words[1]))));
  }
  out.amount = *percent;
  auto within = read_within(out, words[3], words.size() == 5 ? words[4] : "");
  if (!within) return std::unexpected(within.error());
  return out;
}

// volume spikes 3x over 20 bars
Result<Condition> parse_spike(Condition out, Words words) {
  out.form = Form::spike;
  const bool good = words.size() == 6 && words[0] == "volume" && words[2].ends_with('x') &&
                    words[3] == "over" && words[5] == "bars";
  if (!good) return std::unexpected(wrong("expected: volume spikes 3x over 20 bars"));
  const auto factor = Decimal::parse(std::string_view(words[2]).substr(0, words[2].size() - 1));
  if (!factor || *factor <= Decimal::parse("1").value()) {
    return std::unexpected(wrong("a spike is more than 1x"));
  }
  out.amount = *factor;
  auto bars = read_within(out, words[4], "bars");
  if (!bars) return std::unexpected(bars.error());
  return out;
}

Result<Condition> parse_words(Condition out, Words words) {
  const auto& first = words[0];
  if (first == "signal" || first == "news" || first == "filing") {
    out.form = first == "signal" ? Form::signal : first == "news" ? Form::news : Form::filing;
    if (words.size() > 2) {
      return std::unexpected(wrong(fmt::format("expected {} and one text in quotes", first)));
    }
    if (words.size() == 2) out.word = lower(words[1]);
    return out;
  }
  if (words.size() < 2) return std::unexpected(wrong("expected a condition: close above 70000"));
  if (words.size() == 3 && words[0] == "close" && words[1] == "is" && words[2] == "unusual") {
    out.form = Form::unusual;
    return out;
  }
  if (words[1] == "spikes") return parse_spike(std::move(out), words);
  const auto& verb = words[0] == "close" ? words[1] : words[0];
  if (verb == "moves" || verb == "rises" || verb == "falls") {
    return parse_move(std::move(out), words);
  }
  const auto& how = words[1] == "is" && words.size() > 2 ? words[2] : words[1];
  if (how != "above" && how != "below" && how != "crosses") {
    return std::unexpected(
        wrong(fmt::format("expected above, below, crosses, moves, rises, falls or spikes, not {}",
                          vigil::quoted(how))));
  }
  return parse_comparison(std::move(out), words);
}

std::string_view word_of(Way way) {
  return way == Way::up ? " above" : way == Way::down ? " below" : "";
}

}  // namespace

std::string_view to_text(Field field) { return fields[static_cast<std::size_t>(field)]; }

std::string Term::text() const {
  const auto plain = number  ? number->text()
                     : field ? std::string(to_text(*field))
                             : indicator->text();
  return factor ? factor->text() + " * " + plain : plain;
}

std::string Condition::text() const {
  const auto span = bars > 0 ? fmt::format("{} bars", bars) : vigil::to_text(within);
  switch (form) {
    case Form::level:
      return fmt::format("{}{} {}", left.text(), word_of(way), right.text());
    case Form::crossing:
      return fmt::format("{} crosses{} {}", left.text(), word_of(way), right.text());
    case Form::move:
      return fmt::format("close {} {}% within {}",
                         way == Way::up     ? "rises"
                         : way == Way::down ? "falls"
                                            : "moves",
                         amount.text(), span);
    case Form::spike:
      return fmt::format("volume spikes {}x over {}", amount.text(), span);
    case Form::unusual:
      return "close is unusual";
    case Form::signal:
    case Form::news:
    case Form::filing:
      break;
  }
  const auto name = form == Form::signal ? "signal" : form == Form::news ? "news" : "filing";
  return word.empty() ? name : fmt::format("{} \"{}\"", name, word);
}

Result<Condition> parse_condition(std::string_view text) {
  const auto words = words_of(text);
  if (words.empty() || text.size() > 300) {
    return std::unexpected(wrong("expected a condition: close above 70000"));
  }
  auto out = parse_words({}, words);
  if (!out) {
    return fail(out.error().code, fmt::format("{}: {}", vigil::quoted(text), out.error().message));
  }
  return out;
}

std::optional<Condition> with_threshold(const Condition& condition, double factor) {
  const auto scaled = [&](const Decimal& number) {
    return Decimal::parse(fmt::format("{:.6g}", number.number() * factor));
  };
  auto out = condition;
  if (condition.form == Form::move || condition.form == Form::spike) {
    const auto amount = scaled(condition.amount);
    if (!amount) return std::nullopt;
    out.amount = *amount;
    return out;
  }
  // Levels of prices are the user's own; those of indicators are a matter of experience.
  const bool is_level = condition.form == Form::level || condition.form == Form::crossing;
  if (!is_level || condition.way == Way::either || condition.left.is_exact()) return std::nullopt;
  if (!condition.right.number || condition.right.number->is_negative()) return std::nullopt;
  // Rarer is further out: more for what is above, less for what is below.
  auto number =
      condition.way == Way::up
          ? scaled(*condition.right.number)
          : Decimal::parse(fmt::format("{:.6g}", condition.right.number->number() / factor));
  if (!number) return std::nullopt;
  out.right.number = *number;
  return out;
}

}  // namespace vigil::entities::market
