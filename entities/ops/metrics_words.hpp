#pragma once
// The smallest parts of both metric formats: names, numbers, labels. Pure; for metrics_*.cpp.
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

bool is_metric_name(std::string_view text);  // [a-zA-Z_:][a-zA-Z0-9_:]*
bool is_label_name(std::string_view text);   // without colons
// Decimal, or inf, infinity and nan in any case, with a sign; nothing hexadecimal, no underscores.
std::optional<double> metric_number(std::string_view text);

// A line read from the left.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line) {}

  bool done() const { return rest_.empty(); }
  char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char c);
  bool take(std::string_view word);
  void skip_blanks();  // spaces and tabs
  // Up to any of these characters, or to the end.
  std::string_view until(std::string_view any_of);
  std::string_view rest() const { return rest_; }

  // Behind its opening quote. OpenMetrics keeps a backslash before any other letter, the older
  // form refuses it.
  std::optional<std::string> quoted(bool lenient_escapes);

 private:
  std::string_view rest_;
};

enum class LabelRules { strict, lenient };  // strict: no blanks, no comma at the end
// Behind the opening brace; the closing one is taken. Nullopt with `why` when it is malformed.
std::optional<Labels> labels_in(LineReader& line, LabelRules rules, std::string& why);

// "line 3: WHY: TEXT", the text cut.
std::unexpected<Error> refuse_line(std::size_t number, std::string_view why, std::string_view line);

}  // namespace vigil::entities::ops
