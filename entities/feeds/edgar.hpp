#pragma once
// Filings as the SEC's feeds tell them (https://www.sec.gov/about/rss-feeds and EDGAR's current
// events): the form stands in the category, company and number in the title, the rest in escaped
// HTML. Pure; any thread.
#include <optional>
#include <string>
#include <vector>

#include "entities/feeds/feed.hpp"

namespace vigil::entities::feeds {

struct Filing {
  std::string form;     // 8-K/A
  std::string kind;     // 8-K: without what says that it amends
  bool amends = false;  // an earlier one of that kind
  std::string company;
  std::string cik;   // ten digits
  std::string role;  // Filer, Subject, Reporting...
  std::string accession;
  std::string filed;               // 2026-09-01
  std::vector<std::string> items;  // "8.01 Other Events"
};

// Nothing: the entry is no filing.
std::optional<Filing> filing_of(const Entry& entry);
json::object to_json(const Filing& filing);

}  // namespace vigil::entities::feeds
