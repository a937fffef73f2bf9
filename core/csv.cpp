#include "core/csv.hpp"

#include <algorithm>

namespace vigil {

CsvReader::CsvReader(std::string_view text, char separator) : rest_(text), separator_(separator) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
}

// Up to the separator or the end of the line, which stay.
std::string CsvReader::field() {
  std::string out;
  if (!rest_.starts_with('"')) {
    const char ends[] = {separator_, '\n', '\0'};
    const auto text = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(text.size());
    out = text;
    if ((rest_.empty() || rest_.front() == '\n') && out.ends_with('\r')) out.pop_back();
    return out;
  }
  rest_.remove_prefix(1);
  while (true) {
    const auto quote = rest_.find('"');
    const auto piece = rest_.substr(0, quote);
    next_line_ += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
    out += piece;
    rest_.remove_prefix(std::min(rest_.size(), piece.size() + 1));
    if (quote == std::string_view::npos) {
      cut_ = true;
      return out;
    }
    if (!rest_.starts_with('"')) break;
    out += '"';
    rest_.remove_prefix(1);
  }
  // Some write more behind the closing quote; it is kept.
  if (!rest_.empty() && rest_.front() != separator_ && rest_.front() != '\n' &&
      rest_.front() != '\r') {
    out += field();
  } else if (rest_.starts_with("\r\n") || rest_ == "\r") {
    rest_.remove_prefix(1);
  }
  return out;
}

std::optional<std::vector<std::string>> CsvReader::next() {
  while (!rest_.empty() && (rest_.front() == '\n' || rest_.starts_with("\r\n"))) {
    rest_.remove_prefix(rest_.front() == '\n' ? 1 : 2);
    ++next_line_;
  }
  if (rest_.empty()) return std::nullopt;
  line_ = next_line_;
  std::vector<std::string> fields;
  while (true) {
    fields.push_back(field());
    if (rest_.empty()) return fields;
    const bool more = rest_.front() == separator_;
    if (!more && rest_.front() != '\n') {  // a lone \r
      fields.back() += rest_.front();
      rest_.remove_prefix(1);
      if (rest_.empty()) return fields;
      continue;
    }
    rest_.remove_prefix(1);
    if (!more) {
      ++next_line_;
      return fields;
    }
    if (rest_.empty()) {
      fields.emplace_back();
      return fields;
    }
  }
}

}  // namespace vigil
