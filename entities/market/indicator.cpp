#include "entities/market/indicator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/digest.hpp"
#include "core/log.hpp"

namespace vigil::entities::market {
namespace {

constexpr double parameter_max = 1000;

std::vector<IndicatorKind> gather() {
  std::vector<IndicatorKind> all;
  for (const auto part : {average_kinds(), momentum_kinds(), range_kinds(), pattern_kinds()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(' ');
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(' ') - from + 1));
}

Result<std::vector<double>> parameters_of(const IndicatorKind& kind, std::string_view inside) {
  std::vector<double> out;
  while (!inside.empty()) {
    const auto comma = std::min(inside.find(','), inside.size());
    const auto word = trimmed(inside.substr(0, comma));
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    const bool good = error == std::errc{} && end == word.data() + word.size() && value > 0 &&
                      value <= parameter_max;
    const auto usual = out.size() < kind.defaults.size() ? kind.defaults[out.size()] : 0;
    const bool counts = std::trunc(usual) == usual && usual >= 3;
    if (!good || (counts && (std::trunc(value) != value || value < 2))) {
      return fail(
          ErrorCode::invalid_input,
          fmt::format("{}: a parameter is a number up to {} (of bars: a whole one, at least "
                      "2), not {}",
                      kind.name, parameter_max, vigil::quoted(word)));
    }
    out.push_back(value);
    inside = comma == inside.size() ? std::string_view{} : inside.substr(comma + 1);
  }
  if (out.size() > kind.defaults.size()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} has {} parameters: {}", kind.name, kind.defaults.size(),
                            fmt::join(kind.defaults, ", ")));
  }
  out.insert(out.end(), kind.defaults.begin() + static_cast<std::ptrdiff_t>(out.size()),
             kind.defaults.end());
  return out;
}

}  // namespace

void Archive::write(std::string_view word) {
  if (!out_.empty()) out_ += ' ';
  out_ += word;
}

void Archive::operator()(double& value) {
  if (!reads_) return write(std::isnan(value) ? "-" : fmt::format("{}", value));
  const auto text = word();
  if (text == "-") {
    value = unknown;
    return;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  good_ = good_ && error == std::errc{} && end == text.data() + text.size();
}

void Archive::operator()(std::size_t& value) {
  auto number = static_cast<double>(value);
  (*this)(number);
  if (!reads_) return;
  good_ = good_ && number >= 0 && number < 1e15;
  value = good_ ? static_cast<std::size_t>(number) : 0;
}

void Archive::operator()(bool& value) {
  std::size_t number = value ? 1 : 0;
  (*this)(number);
  value = number == 1;
}

void Archive::operator()(Decimal& value) {
  if (!reads_) return write(value.text());
  const auto number = Decimal::parse(word());
  good_ = good_ && number.has_value();
  value = number ? *number : Decimal();
}

void Archive::operator()(TimePoint& value) {
  auto us = to_unix_us(value);
  if (!reads_) return write(fmt::format("{}", us));
  const auto text = word();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), us);
  good_ = good_ && error == std::errc{} && end == text.data() + text.size();
  value = from_unix_us(us);
}

void Archive::bytes(std::string& value) {
  if (!reads_) return write(to_base64(value));
  const auto read = from_base64(word());
  good_ = good_ && read.has_value();
  value = read.value_or("");
}

std::string_view Archive::word() {
  const auto end = std::min(text_.find(' '), text_.size());
  const auto out = text_.substr(0, end);
  text_.remove_prefix(std::min(end + 1, text_.size()));
  good_ = good_ && !out.empty();
  return out;
}

void Ring::push(double value) {
  values_[next_] = value;
  next_ = next_ + 1 == values_.size() ? 0 : next_ + 1;
  count_ = std::min(count_ + 1, values_.size());
}

double Ring::at(std::size_t place) const {
  auto index = place + (full() ? next_ : 0);
  if (index >= values_.size()) index -= values_.size();
  return values_[index];
}

double Ring::mean() const {
  double sum = 0;
  for (std::size_t i = 0; i < count_; ++i) sum += at(i);
  return ratio(sum, static_cast<double>(count_));
}

double Ring::deviation(double mean) const {
  double sum = 0;
  for (std::size_t i = 0; i < count_; ++i) sum += (at(i) - mean) * (at(i) - mean);
  return std::sqrt(ratio(sum, static_cast<double>(count_)));
}

double Ring::highest() const {
  return *std::max_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(count_));
}

double Ring::lowest() const {
  return *std::min_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(count_));
}

void Ring::keep(Archive& archive) {
  auto count = count_;
  archive(count);
  count = std::min(count, values_.size());
  std::vector<double> ordered(count);
  for (std::size_t i = 0; i < count && !archive.reads(); ++i) ordered[i] = at(i);
  for (auto& value : ordered) archive(value);
  if (!archive.reads()) return;
  next_ = count_ = 0;
  for (const auto value : ordered) push(value);
}

std::span<const IndicatorKind> indicator_kinds() {
  static const std::vector<IndicatorKind> all = gather();
  return all;
}

std::string IndicatorName::without_output() const {
  if (parameters.empty()) return std::string(kind->name);
  return fmt::format("{}({})", kind->name, fmt::join(parameters, ","));
}

std::string IndicatorName::text() const {
  if (output == 0) return without_output();
  return fmt::format("{}.{}", without_output(), kind->outputs[output]);
}

Result<IndicatorName> parse_indicator(std::string_view text) {
  const auto name = text.substr(0, text.find_first_of("(."));
  const auto kinds = indicator_kinds();
  const auto kind = std::ranges::find(kinds, name, &IndicatorKind::name);
  if (kind == kinds.end()) {
    std::vector<std::string_view> known;
    for (const auto& one : kinds) known.push_back(one.name);
    return fail(ErrorCode::invalid_input, fmt::format("{} is no indicator; there are: {}",
                                                      vigil::quoted(name), fmt::join(known, " ")));
  }
  IndicatorName out{&*kind, {}, 0};
  auto rest = text.substr(name.size());
  std::string_view inside;
  if (rest.starts_with('(')) {
    const auto end = rest.find(')');
    if (end == std::string_view::npos) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("{} has no closing )", vigil::quoted(text)));
    }
    inside = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  }
  auto parameters = parameters_of(*kind, inside);
  if (!parameters) return std::unexpected(parameters.error());
  out.parameters = std::move(*parameters);
  if (rest.empty()) return out;
  const auto output = std::ranges::find(kind->outputs, rest.substr(1));
  if (rest.front() != '.' || output == kind->outputs.end()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} has no {}; it has: {}", kind->name, vigil::quoted(rest),
                            fmt::join(kind->outputs, " ")));
  }
  out.output = static_cast<std::size_t>(output - kind->outputs.begin());
  return out;
}

std::string kept(Indicator& indicator) {
  Archive archive;
  indicator.keep(archive);
  return std::move(archive).written();
}

bool restore(Indicator& indicator, std::string_view text) {
  Archive archive(text);
  indicator.keep(archive);
  return archive.whole();
}

std::vector<std::array<double, Indicator::outputs_max>> compute(const IndicatorName& name,
                                                                std::span<const Candle> candles) {
  const auto indicator = name.kind->make(name.parameters);
  std::vector<std::array<double, Indicator::outputs_max>> out(candles.size());
  for (std::size_t i = 0; i < candles.size(); ++i) {
    indicator->take(candles[i]);
    std::ranges::copy(indicator->values(), out[i].begin());
  }
  return out;
}

}  // namespace vigil::entities::market
