#pragma once
// Reads tables as programs write them (RFC 4180): fields between commas, quotes around what holds
// one, a quote doubled within them. Lines may end with \n or \r\n. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigil {

class CsvReader {
 public:
  // The text must outlive the reader. A byte order mark is passed over.
  explicit CsvReader(std::string_view text, char separator = ',');

  // The fields of the next line that is not empty; nothing at the end.
  std::optional<std::vector<std::string>> next();
  std::size_t line() const { return line_; }  // where the fields last given began, from 1
  bool cut() const { return cut_; }           // the text ended within quotes

 private:
  std::string field();

  std::string_view rest_;
  char separator_;
  std::size_t next_line_ = 1;
  std::size_t line_ = 0;
  bool cut_ = false;
};

}  // namespace vigil
