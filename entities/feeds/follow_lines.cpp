// The new lines of one file as items.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/csv.hpp"
#include "core/exact_json.hpp"
#include "core/log.hpp"
#include "entities/feeds/dates.hpp"
#include "entities/feeds/follow.hpp"
#include "entities/feeds/html_text.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr std::size_t items_max = 500;  // of one look: they are stored in one commit
constexpr std::size_t header_bytes_max = 64 * 1024;

std::string without_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return std::string(line);
}

struct Cutter {
  const FollowForm& form;
  const std::string& name;
  std::uint64_t inode;
  Items& items;

  void skip(std::uint64_t offset, const std::string& why) {
    if (items.skipped++ == 0) items.problem = fmt::format("{} at byte {}: {}", name, offset, why);
  }

  void add(Item item, std::uint64_t offset) {
    item.id = fmt::format("{}:{}:{}", inode, offset, name);
    item.id = short_id(item.id);
    items.all.push_back(std::move(item));
  }

  void add_line(std::string_view line, std::uint64_t offset) {
    const auto text = without_end(line);
    if (text.empty()) return;
    if (form.form == LineForm::lines) {
      Item item;
      item.subject = name;
      json::object data{{"text", to_valid_utf8(cut_text(text, form.line_bytes_max))},
                        {"file", to_valid_utf8(name)}};
      if (text.size() > form.line_bytes_max) data["cut"] = true;
      item.data = std::move(data);
      return add(std::move(item), offset);
    }
    if (text.size() > form.line_bytes_max) return skip(offset, "the line is too long");
    if (form.form == LineForm::json) return add_document(text, offset);
    const auto row = parse_exact_json(text);
    if (!row) return skip(offset, row.error().message);
    add_row([&](const std::string& where) { return find_scalar_text(*row, where); }, offset);
  }

  void add_document(const std::string& text, std::uint64_t offset) {
    auto document = parse_json(text);
    if (!document) return skip(offset, document.error().message);
    Item item;
    const auto subject = find_scalar_text(*document, form.subject_path);
    item.subject = form.subject_path.empty() || !subject ? name : *subject;
    item.subject = cut_text(item.subject, subject_bytes_max);
    if (!form.time_path.empty()) {
      item.time = parse_date(find_text(*document, form.time_path).value_or(""));
    }
    item.data = std::move(*document);
    add(std::move(item), offset);
  }

  void add_row(const Look& look, std::uint64_t offset) {
    Item item;
    const auto read = read_row(form.table, look, item);
    if (!read) return skip(offset, read.error().message);
    if (*read == RowKind::told) add(std::move(item), offset);
  }
};

// Which bytes of the chunk were read as lines.
std::size_t cut_lines(std::string_view chunk, std::uint64_t offset, Tail tail, Cutter& cutter) {
  std::size_t at = 0;
  while (at < chunk.size() && cutter.items.all.size() < items_max) {
    const auto end = chunk.find('\n', at);
    if (end == std::string_view::npos && tail == Tail::may_grow) break;
    const auto length = (end == std::string_view::npos ? chunk.size() : end + 1) - at;
    cutter.add_line(chunk.substr(at, length), offset + at);
    at += length;
  }
  return at;
}

std::size_t start_of_line(std::string_view text, std::size_t number) {
  std::size_t at = 0;
  for (; number > 1 && at != std::string_view::npos; --number) {
    const auto end = text.find('\n', at);
    at = end == std::string_view::npos ? text.size() : end + 1;
  }
  return at;
}

// Rows may hold line ends within quotes: a row that is open at the end of the chunk waits.
std::size_t cut_rows(std::string_view chunk, std::uint64_t offset, Tail tail,
                     const std::vector<std::string>& names, Cutter& cutter) {
  const auto whole = tail == Tail::is_complete ? chunk.size() : chunk.rfind('\n') + 1;
  const auto text = chunk.substr(0, whole);
  CsvReader reader(text, cutter.form.table.delimiter);
  while (cutter.items.all.size() < items_max) {
    const auto fields = reader.next();
    if (!fields) return whole;
    const auto at = start_of_line(text, reader.line());
    if (reader.cut() && tail == Tail::may_grow) return at;
    if (offset + at == 0 && cutter.form.table.header) continue;
    const auto look = [&](const std::string& where) -> std::optional<std::string> {
      const auto found = std::ranges::find(names, where);
      auto column = static_cast<std::size_t>(found - names.begin());
      if (found == names.end()) {
        const bool digits = !where.empty() && where.find_first_not_of("0123456789") == where.npos;
        if (!digits || where.size() > 3) return std::nullopt;
        column = static_cast<std::size_t>(std::stoi(where)) - 1;
      }
      if (column >= fields->size()) return std::nullopt;
      return (*fields)[column];
    };
    cutter.add_row(look, offset + at);
    if (cutter.items.all.size() >= items_max) {
      // The next row begins where the reader stands.
      const auto next = reader.next();
      return next ? start_of_line(text, reader.line()) : whole;
    }
  }
  return 0;
}

std::vector<std::string> header_of(const OpenFile& file, const TableForm& form) {
  const auto head = file.read(0, header_bytes_max);
  CsvReader reader(head, form.delimiter);
  auto names = reader.next();
  return names ? *names : std::vector<std::string>{};
}

}  // namespace

bool read_on(const OpenFile& file, const std::string& name, const FollowForm& form, Tail tail,
             Mark& mark, Items& items) {
  auto chunk = file.read(mark.offset, form.read_bytes_max);
  const bool to_end = mark.offset + chunk.size() >= file.size();
  std::size_t used = 0;
  if (mark.skipping) {
    const auto end = chunk.find('\n');
    used = end == std::string::npos ? chunk.size() : end + 1;
    mark.skipping = end == std::string::npos;
  }
  const auto rest = std::string_view(chunk).substr(used);
  Cutter cutter{form, name, file.inode(), items};
  const auto last = to_end ? tail : Tail::may_grow;
  const auto start = mark.offset + used;
  const bool of_csv = form.form == LineForm::table && !form.table.is_json;
  std::vector<std::string> names;
  if (of_csv && form.table.header) names = header_of(file, form.table);
  const auto cut =
      of_csv ? cut_rows(rest, start, last, names, cutter) : cut_lines(rest, start, last, cutter);
  used += cut;
  if (used == 0 && !chunk.empty() && chunk.size() >= form.line_bytes_max) {
    // A line without an end in sight: its beginning is told, the rest passed over.
    cutter.add_line(chunk, mark.offset);
    used = chunk.size();
    mark.skipping = true;
  }
  const auto skipping = mark.skipping;
  mark = file.mark_at(mark.offset + used);
  mark.skipping = skipping;
  return used > 0 && mark.offset < file.size() &&
         (!to_end || items.all.size() >= items_max || tail == Tail::is_complete);
}

}  // namespace vigil::entities::feeds
