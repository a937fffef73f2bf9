#include "entities/feeds/table.hpp"

#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "core/csv.hpp"
#include "core/decimal.hpp"
#include "core/exact_json.hpp"
#include "core/log.hpp"
#include "entities/feeds/charset.hpp"
#include "entities/feeds/dates.hpp"
#include "entities/feeds/html_text.hpp"
#include "entities/reader.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr std::array<std::string_view, 13> numbers{
    "price", "amount", "bid",   "ask",    "bid_size", "ask_size", "open",
    "high",  "low",    "close", "volume", "trades",   "turnover"};
constexpr std::size_t columns_max = 500;
constexpr std::size_t field_bytes_max = 16 * 1024;

bool is_number_word(std::string_view word) {
  return std::ranges::find(numbers, word) != numbers.end();
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blank) - first + 1));
}

std::map<std::string, std::string> texts_of(const json::object& from) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : from) {
    if (value.is_string()) out[name] = std::string(value.get_string());
    if (value.is_number()) out[name] = to_text(value);  // a column by its number
  }
  return out;
}

std::string type_of(const TableForm& form) {
  if (form.columns.contains("close")) return "market.bar";
  if (form.columns.contains("price") || form.columns.contains("bid")) return "market.quote";
  return {};
}

// Without it a row is no quote, and no bar: of what, how much, and of a bar when.
bool is_needed(const TableForm& form, const std::string& type, std::string_view word) {
  if (word == "symbol" || word == "price" || word == "close") return true;
  if (type == "market.bar") return word == "time";
  return type == "market.quote" && !form.columns.contains("price") &&
         (word == "bid" || word == "ask");
}

std::string id_of(const Item& item, const json::object& data) {
  const auto* own = data.if_contains("id");
  if (own != nullptr && own->is_string()) {
    return fmt::format("{} {}", item.subject, std::string_view(own->get_string()));
  }
  if (item.time) return fmt::format("{} {}", item.subject, to_rfc3339(*item.time));
  return item.subject.empty() ? item.digest : item.subject;
}

Result<json::value> items_at(const json::value& document, const std::string& path) {
  const auto* list = path.empty() ? &document : find_path(document, path);
  if (list == nullptr) {
    return fail(ErrorCode::invalid_input,
                fmt::format("there is no {}: correct `items` of the table", vigil::quoted(path)));
  }
  if (list->is_array()) return *list;
  if (list->is_object()) return json::value(json::array{*list});  // a single one
  return fail(ErrorCode::invalid_input,
              "there is no list of rows: say in `items` of the table where it stands");
}

void take_row(Items& items, const TableForm& form, const Look& look, std::size_t number) {
  Item item;
  const auto read = read_row(form, look, item);
  if (read && *read == RowKind::told) items.all.push_back(std::move(item));
  if (read) return;
  if (items.skipped++ == 0) {
    items.problem = fmt::format("row {}: {}", number, read.error().message);
  }
}

Result<Items> read_json_rows(std::string_view document, const TableForm& form) {
  const auto parsed = parse_exact_json(document);
  if (!parsed) return std::unexpected(parsed.error());
  const auto list = items_at(*parsed, form.items);
  if (!list) return std::unexpected(list.error());
  Items items;
  std::size_t number = 0;
  for (const auto& row : list->get_array()) {
    if (++number > rows_max) break;
    const auto look = [&](const std::string& where) { return find_scalar_text(row, where); };
    take_row(items, form, look, number);
  }
  return items;
}

// Which column the name or number means; the names are as in the first row.
std::optional<std::size_t> column_at(const std::vector<std::string>& names,
                                     const std::string& where) {
  const auto found = std::ranges::find(names, where);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(where.data(), where.data() + where.size(), number);
  if (error != std::errc{} || end != where.data() + where.size()) return std::nullopt;
  if (number < 1 || number > columns_max) return std::nullopt;
  return number - 1;
}

Result<std::map<std::string, std::size_t>> columns_of(const std::vector<std::string>& names,
                                                      const TableForm& form) {
  std::map<std::string, std::size_t> out;
  for (const auto* places : {&form.columns, &form.only}) {
    for (const auto& [word, path] : *places) {
      const auto& where = places == &form.only ? word : path;
      const auto at = column_at(names, where);
      if (!at) {
        return fail(ErrorCode::invalid_input,
                    fmt::format("there is no column {}: there are {}", vigil::quoted(where),
                                vigil::quoted(fmt::format("{}", fmt::join(names, ", ")))));
      }
      out[where] = *at;
    }
  }
  return out;
}

Result<Items> read_csv_rows(std::string_view document, const TableForm& form) {
  CsvReader reader(document, form.delimiter);
  std::vector<std::string> names;
  if (form.header) {
    auto first = reader.next();
    if (!first)
      return fail(ErrorCode::invalid_input, "the document is empty: a header is expected");
    for (auto& name : *first) names.push_back(trimmed(name));
  }
  const auto columns = columns_of(names, form);
  if (!columns) return std::unexpected(columns.error());
  Items items;
  std::size_t rows = 0;
  while (auto fields = reader.next()) {
    if (++rows > rows_max) break;
    const auto look = [&](const std::string& where) -> std::optional<std::string> {
      const auto at = columns->at(where);
      if (at >= fields->size()) return std::nullopt;
      return trimmed((*fields)[at]);
    };
    take_row(items, form, look, reader.line());
  }
  if (reader.cut()) items.damage = "the document ends within quotes";
  return items;
}

}  // namespace

Result<TableForm> read_table_form(const json::value& input) {
  Reader reader(input);
  TableForm form;
  form.is_json = reader.text_or("format", "csv") == "json";
  const auto delimiter = reader.text_or("delimiter", ",");
  form.delimiter = delimiter == "tab" ? '\t' : delimiter.empty() ? ',' : delimiter.front();
  form.header = reader.flag_or("header", true);
  form.decimal_comma = reader.flag_or("decimal_comma", false);
  form.items = reader.text_or("items", "");
  form.columns = texts_of(reader.object_or_empty("columns"));
  form.only = texts_of(reader.object_or_empty("only"));
  form.time_format = reader.text_or("time_format", "");
  form.tz = reader.text_or("tz", "UTC");
  form.symbol = reader.text_or("symbol", "");
  form.interval = reader.text_or("interval", "");
  if (form.columns.empty()) {
    reader.fail_at("columns", "expected what = where, such as {\"price\": \"Last\"}");
  }
  if (const auto wrong = reader.error()) return fail(ErrorCode::invalid_input, *wrong);
  return form;
}

Result<std::string> exact_number(std::string_view text, bool decimal_comma) {
  std::string plain;
  const char group = decimal_comma ? '.' : ',';
  const char point = decimal_comma ? ',' : '.';
  int since_group = -1;  // digits behind the last separator of thousands
  bool behind_point = false;
  const auto wrong = [&] {
    return fail(ErrorCode::invalid_input, fmt::format("{} is no number", vigil::quoted(text)));
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == group) {
      if (behind_point || plain.empty() || (since_group >= 0 && since_group != 3)) return wrong();
      since_group = 0;
    } else if (c == point) {
      if (since_group >= 0 && since_group != 3) return wrong();
      behind_point = true;
      since_group = -1;
      plain += '.';
    } else if (c == ' ' || c == '\'') {
      continue;  // 1 234, 1'234
    } else {
      if (since_group >= 0) ++since_group;
      plain += c;
    }
  }
  if (since_group >= 0 && since_group != 3) return wrong();
  const auto number = Decimal::parse(plain);
  if (!number) return wrong();
  return number->text();
}

Result<TimePoint> row_time(std::string_view text, const std::string& format,
                           const std::string& tz) {
  cctz::time_zone zone = cctz::utc_time_zone();
  if (!tz.empty() && !cctz::load_time_zone(tz, &zone)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("there is no time zone {}", vigil::quoted(tz)));
  }
  if (!format.empty()) {
    std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds> at;
    if (cctz::parse(format, std::string(text), zone, &at)) return TimePoint{at.time_since_epoch()};
    return fail(ErrorCode::invalid_input, fmt::format("{} is no time of the form {}",
                                                      vigil::quoted(text), vigil::quoted(format)));
  }
  const bool digits = text.size() >= 9 && text.find_first_not_of("0123456789.") == text.npos;
  if (digits) {
    const auto whole = text.substr(0, text.find('.'));
    std::int64_t value = 0;
    std::from_chars(whole.data(), whole.data() + whole.size(), value);
    std::string fraction(text.substr(std::min(text.size(), whole.size() + 1)));
    fraction.resize(6, '0');
    std::int64_t micros = 0;
    std::from_chars(fraction.data(), fraction.data() + 6, micros);
    // Ten digits are seconds from 2001 to 2286, thirteen milliseconds, and so on.
    if (whole.size() <= 10) return from_unix_us(value * 1'000'000 + micros);
    if (whole.size() <= 13) return from_unix_us(value * 1'000 + micros / 1'000);
    if (whole.size() <= 16) return from_unix_us(value);
    if (whole.size() <= 19) return from_unix_us(value / 1'000);
  }
  const auto read = read_date(text);
  if (!read) {
    return fail(
        ErrorCode::invalid_input,
        fmt::format("{} is no time that is recognised: say its time_format", vigil::quoted(text)));
  }
  if (read->zoned || tz.empty() || tz == "UTC") return read->at;
  const auto civil =
      cctz::convert(std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>(
                        read->at.time_since_epoch()),
                    cctz::utc_time_zone());
  const auto in_zone = std::chrono::time_point_cast<Duration>(cctz::convert(civil, zone));
  return TimePoint{in_zone.time_since_epoch()} +
         read->at.time_since_epoch() % std::chrono::seconds{1};
}

Result<RowKind> read_row(const TableForm& form, const Look& look, Item& item) {
  for (const auto& [where, wanted] : form.only) {
    if (look(where).value_or("") != wanted) return RowKind::passed_over;
  }
  json::object data;
  const auto wrong = [](const std::string& word, const std::string& why) {
    return fail(ErrorCode::invalid_input, fmt::format("{}: {}", word, why));
  };
  item.type = type_of(form);
  if (!form.symbol.empty()) data["symbol"] = form.symbol;
  for (const auto& [word, where] : form.columns) {
    const auto text = look(where);
    if (!text || text->empty()) {
      if (is_needed(form, item.type, word)) return wrong(word, "is missing");
      continue;
    }
    if (word == "time") {
      const auto at = row_time(*text, form.time_format, form.tz);
      if (!at) return wrong(word, at.error().message);
      item.time = *at;
    } else if (is_number_word(word)) {
      auto number = exact_number(*text, form.decimal_comma);
      if (!number) return wrong(word, number.error().message);
      const bool is_last = word == "price" && item.type == "market.quote";
      data[is_last ? "last" : word] = std::move(*number);
    } else {
      data[word] = to_valid_utf8(cut_text(*text, field_bytes_max));
    }
  }
  if (item.time) data["time"] = to_rfc3339(*item.time);
  if (!form.interval.empty()) data["interval"] = form.interval;
  if (item.type == "market.bar") data["closed"] = true;
  const auto* symbol = data.if_contains("symbol");
  if (symbol != nullptr) item.subject = cut_text(symbol->get_string(), subject_bytes_max);
  item.digest = digest_of(to_text(data));
  item.id = short_id(id_of(item, data));
  item.data = std::move(data);
  return RowKind::told;
}

Result<Items> read_table(std::string_view document, const TableForm& form) {
  return form.is_json ? read_json_rows(document, form) : read_csv_rows(document, form);
}

}  // namespace vigil::entities::feeds
