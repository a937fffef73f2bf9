#include "entities/codebase/codeowners.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "core/log.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/codebase/paths.hpp"

namespace vigil::entities::codebase {
namespace {

// Words between blanks; `\ ` is a blank within one, `#` at the start of one ends the line.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    const char c = i < line.size() ? line[i] : ' ';
    if (c == '\\' && i + 1 < line.size() && (line[i + 1] == ' ' || line[i + 1] == '#')) {
      word += line[++i];
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
    } else if (c == '#' && word.empty()) {
      break;
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

bool is_owner(std::string_view word) {
  const auto at = word.find('@');
  return at != std::string_view::npos && word.size() > 1 && at + 1 < word.size();
}

// [Section], ^[Optional][2] @default owners
bool is_section(std::string_view line) {
  if (line.starts_with('^')) line.remove_prefix(1);
  return line.starts_with('[') && line.find(']') != std::string_view::npos;
}

std::vector<std::string> section_owners(std::string_view line) {
  const auto words = words_of(line.substr(line.rfind(']') + 1));
  std::vector<std::string> owners;
  std::ranges::copy_if(words, std::back_inserter(owners), is_owner);
  return owners;
}

}  // namespace

Codeowners Codeowners::parse(std::string_view text) {
  Codeowners owners;
  std::vector<std::string> defaults;
  int section = 0;
  for (int number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    if (is_section(line.substr(begin))) {
      defaults = section_owners(line);
      ++section;
      continue;
    }
    auto words = words_of(line);
    if (words.empty()) continue;
    Rule rule{words.front(), {}, section};
    if (rule.pattern.starts_with('!')) {
      owners.mistakes_.push_back({number, "a pattern with ! is not understood by forges"});
      continue;
    }
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (is_owner(words[i])) {
        rule.owners.push_back(words[i]);
      } else {
        owners.mistakes_.push_back(
            {number,
             fmt::format("{} is neither @name, @org/team nor an address", quoted(words[i]))});
      }
    }
    if (words.size() == 1) rule.owners = defaults;
    owners.rules_.push_back(std::move(rule));
  }
  return owners;
}

std::vector<std::string> Codeowners::owners_of(std::string_view path) const {
  std::map<int, const Rule*> deciding;  // the last of each section
  for (const auto& rule : rules_) {
    if (matches_pattern(rule.pattern, path)) deciding[rule.section] = &rule;
  }
  std::vector<std::string> all;
  for (const auto& [section, rule] : deciding) {
    for (const auto& owner : rule->owners) {
      if (std::ranges::find(all, owner) == all.end()) all.push_back(owner);
    }
  }
  return all;
}

const std::vector<std::string>& codeowners_places() {
  static const std::vector<std::string> places{".github/CODEOWNERS", "CODEOWNERS",
                                               "docs/CODEOWNERS", ".gitlab/CODEOWNERS",
                                               ".gitea/CODEOWNERS"};
  return places;
}

namespace {

struct Tally {
  std::map<std::string, int> files_by_owner;
  int unowned = 0;
  int files = 0;
};

Tally tally(const Codeowners& owners, const json::value& changes) {
  Tally tally;
  const auto* files = find_path(changes, "files");
  if (files == nullptr || !files->is_array()) return tally;
  for (const auto& file : files->get_array()) {
    const auto path = find_text(file, "path").value_or("");
    const auto of = owners.owners_of(path);
    ++tally.files;
    tally.unowned += of.empty() ? 1 : 0;
    for (const auto& owner : of) ++tally.files_by_owner[owner];
  }
  return tally;
}

std::vector<Finding> mistakes_as_findings(const Codeowners& owners, const std::string& place) {
  std::vector<Finding> findings;
  for (const auto& mistake : owners.mistakes()) {
    Finding finding;
    finding.analyser = "owners";
    finding.rule = "codeowners-mistake";
    finding.severity = Severity::low;
    finding.path = place;
    finding.line = mistake.line;
    finding.title = mistake.what;
    finding.hint = "forges skip such a line in silence: correct it";
    finding.key = finding_key("owners", finding.rule, place, mistake.what);
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace

Result<json::value> run_owners(const Request& request) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  for (const auto& place : codeowners_places()) {
    // The rules that hold are those of the branch the change goes to.
    auto text = look->git().file_at(look->base(), place);
    const auto proposed = look->git().file_at(look->head(), place);
    if (!text) text = proposed;
    if (!text) continue;
    const auto owners = Codeowners::parse(*text);
    const auto counted = tally(owners, look->changes());
    std::vector<std::pair<std::string, int>> order(counted.files_by_owner.begin(),
                                                   counted.files_by_owner.end());
    std::ranges::sort(order, [](const auto& one, const auto& other) {
      return one.second != other.second ? one.second > other.second : one.first < other.first;
    });
    json::array names;
    for (const auto& [owner, files] : order) names.emplace_back(to_valid_utf8(owner));
    std::vector<Finding> findings;
    if (proposed && proposed != look->git().file_at(look->base(), place)) {
      findings = mistakes_as_findings(Codeowners::parse(*proposed), place);
    }
    auto out = analysis(fmt::format("{} owners of {} files by {}; {} files have none", order.size(),
                                    counted.files, place, counted.unowned),
                        std::move(findings));
    out["owners"] = std::move(names);
    out["unowned"] = counted.unowned;
    return json::value(std::move(out));
  }
  return json::value(analysis("there is no CODEOWNERS file", {}));
}

}  // namespace vigil::entities::codebase
