#include "entities/feeds/edgar.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/feeds/html_text.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr std::size_t text_bytes = 16 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

// "8-K - First Eagle Private Credit Fund (0001890107) (Filer)"; the company's name may hold
// brackets and dashes of its own.
void read_title(std::string_view title, Filing& filing) {
  const auto start = filing.form + " - ";
  if (title.starts_with(start)) title.remove_prefix(start.size());
  while (title.ends_with(')')) {
    const auto open = title.rfind('(');
    if (open == std::string_view::npos) break;
    const auto within = title.substr(open + 1, title.size() - open - 2);
    const bool number = within.size() == 10 && std::ranges::all_of(within, is_digit);
    if (!number && !filing.role.empty()) break;
    (number ? filing.cik : filing.role) = std::string(within);
    title.remove_suffix(title.size() - open);
    while (title.ends_with(' ')) title.remove_suffix(1);
    if (number) break;
  }
  filing.company = trimmed(title);
}

// What stands behind the word, up to the next blank.
std::string word_after(std::string_view text, std::string_view word) {
  const auto at = text.find(word);
  if (at == std::string_view::npos) return {};
  auto rest = text.substr(at + word.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return std::string(rest.substr(0, rest.find(' ')));
}

// "Item 8.01: Other Events" stands on a line of its own.
std::vector<std::string> items_in(std::string_view html) {
  std::vector<std::string> out;
  while (out.size() < 50) {
    const auto at = html.find("Item ");
    if (at == std::string_view::npos) break;
    html.remove_prefix(at + 5);
    const auto line = plain_text(html.substr(0, html.find_first_of("<\n")), 200);
    const auto colon = line.find(':');
    if (line.empty() || !is_digit(line[0]) || colon == std::string::npos) continue;
    out.push_back(line.substr(0, colon) + line.substr(colon + 1));
  }
  return out;
}

}  // namespace

std::optional<Filing> filing_of(const Entry& entry) {
  const auto of_sec = [](const Category& category) {
    return category.scheme.find("sec.gov") != std::string::npos && category.label == "form type";
  };
  const auto category = std::ranges::find_if(entry.categories, of_sec);
  if (category == entry.categories.end() || category->term.empty()) return std::nullopt;
  Filing filing;
  filing.form = category->term;
  filing.amends = filing.form.ends_with("/A");
  filing.kind = filing.amends ? filing.form.substr(0, filing.form.size() - 2) : filing.form;
  read_title(entry.title, filing);
  const auto text = plain_text(entry.summary, text_bytes);
  filing.filed = word_after(text, "Filed:");
  filing.accession = word_after(text, "AccNo:");
  constexpr std::string_view in_id = "accession-number=";
  const auto at = entry.id.find(in_id);
  if (at != std::string::npos) filing.accession = entry.id.substr(at + in_id.size());
  filing.items = items_in(entry.summary);
  return filing;
}

json::object to_json(const Filing& filing) {
  json::object out{{"form", filing.form}, {"kind", filing.kind}, {"amends", filing.amends}};
  const auto put = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out[name] = text;
  };
  put("company", filing.company);
  put("cik", filing.cik);
  put("role", filing.role);
  put("accession", filing.accession);
  put("filed", filing.filed);
  if (!filing.items.empty()) out["items"] = json::array(filing.items.begin(), filing.items.end());
  return out;
}

}  // namespace vigil::entities::feeds
