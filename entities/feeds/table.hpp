#pragma once
// Rows of CSV and JSON as quotes, bars and plain records, by a mapping from the configuration.
// Prices keep the digits that were written. Pure; any thread.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "entities/feeds/item.hpp"

namespace vigil::entities::feeds {

struct TableForm {
  bool is_json = false;
  char delimiter = ',';
  bool header = true;
  bool decimal_comma = false;
  std::string items;
  std::map<std::string, std::string> columns;
  std::map<std::string, std::string> only;
  std::string time_format;
  std::string tz = "UTC";
  std::string symbol;
  std::string interval;
};
// From the input of a task, or from flags. Errors: what is missing, or not to be understood.
Result<TableForm> read_table_form(const json::value& input);

constexpr std::size_t rows_max = 100'000;

// What a row says, by column name or path.
using Look = std::function<std::optional<std::string>(const std::string& where)>;
enum class RowKind { told, passed_over };
// One row. Errors: which column is wrong and why.
Result<RowKind> read_row(const TableForm& form, const Look& look, Item& item);

// The whole document. A row that cannot be read is counted, the first one with its reason. Errors:
// the document is none of that form; a column that the mapping names is not there.
Result<Items> read_table(std::string_view document, const TableForm& form);

// "1,234.50" or "1.234,50" as a decimal.
Result<std::string> exact_number(std::string_view text, bool decimal_comma);
// By the format, else recognised: dates, and Unix time in s, ms, us or ns by its size.
Result<TimePoint> row_time(std::string_view text, const std::string& format, const std::string& tz);

}  // namespace vigil::entities::feeds
