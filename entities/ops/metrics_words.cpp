#include "entities/ops/metrics_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/log.hpp"

namespace vigil::entities::ops {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace

bool is_metric_name(std::string_view text) {
  if (text.empty() || is_digit(text.front())) return false;
  return std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == ':'; });
}

bool is_label_name(std::string_view text) {
  return is_metric_name(text) && text.find(':') == std::string_view::npos;
}

std::optional<double> metric_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  double value = 0;
  if (is_digit(text.front()) || text.front() == '.') {
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (stop != end) return std::nullopt;
    if (error == std::errc::result_out_of_range) {
      // Too small is nothing, too large is beyond all.
      const bool tiny =
          text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
      value = tiny ? 0.0 : std::numeric_limits<double>::infinity();
    } else if (error != std::errc{}) {
      return std::nullopt;
    }
  } else {
    const auto word = lower(text);
    if (word == "inf" || word == "infinity") {
      value = std::numeric_limits<double>::infinity();
    } else if (word == "nan") {
      value = std::numeric_limits<double>::quiet_NaN();
    } else {
      return std::nullopt;
    }
  }
  return negative ? -value : value;
}

bool LineReader::take(char c) {
  if (next() != c || rest_.empty()) return false;
  rest_.remove_prefix(1);
  return true;
}

bool LineReader::take(std::string_view word) {
  if (!rest_.starts_with(word)) return false;
  rest_.remove_prefix(word.size());
  return true;
}

void LineReader::skip_blanks() {
  while (next() == ' ' || next() == '\t') rest_.remove_prefix(1);
}

std::string_view LineReader::until(std::string_view any_of) {
  const auto word = rest_.substr(0, rest_.find_first_of(any_of));
  rest_.remove_prefix(word.size());
  return word;
}

std::optional<std::string> LineReader::quoted(bool lenient_escapes) {
  std::string out;
  while (!rest_.empty()) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '"') return out;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (rest_.empty()) return std::nullopt;
    const char escaped = rest_.front();
    rest_.remove_prefix(1);
    if (escaped == 'n') {
      out += '\n';
    } else if (escaped == '\\' || escaped == '"') {
      out += escaped;
    } else if (lenient_escapes) {
      out += c;
      out += escaped;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<Labels> labels_in(LineReader& line, LabelRules rules, std::string& why) {
  const bool lenient = rules == LabelRules::lenient;
  const auto refuse = [&](std::string_view what) {
    why = what;
    return std::nullopt;
  };
  const auto blanks = [&] {
    if (lenient) line.skip_blanks();
  };
  Labels labels;
  blanks();
  while (!line.take('}')) {
    blanks();
    const std::string name(line.until(lenient ? "= \t,{}\"" : "=,{}\""));
    if (!is_label_name(name)) return refuse("a label needs a name of letters, digits and _");
    if (lenient && name == "__name__") return refuse("the label __name__ is reserved");
    blanks();
    if (!line.take('=')) return refuse("a label needs = and a value");
    blanks();
    if (!line.take('"')) return refuse("the value of a label stands in double quotes");
    auto value = line.quoted(!lenient);
    if (!value) return refuse("the value of a label does not end, or has an unknown escape");
    if (!is_valid_utf8(*value)) return refuse("the value of a label is not UTF-8");
    if (!labels.emplace(name, std::move(*value)).second) {
      return refuse("a label stands twice");
    }
    blanks();
    if (line.take(',')) {
      blanks();
      if (!lenient && line.next() == '}') return refuse("there is a comma behind the last label");
    } else if (line.next() != '}') {
      return refuse("labels are parted by commas and end with }");
    }
  }
  return labels;
}

std::unexpected<Error> refuse_line(std::size_t number, std::string_view why,
                                   std::string_view line) {
  return fail(ErrorCode::invalid_input,
              fmt::format("line {}: {}: {}", number, why, quoted(line.substr(0, 100))));
}

}  // namespace vigil::entities::ops
