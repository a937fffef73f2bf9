#include "entities/codebase/reviewers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <cmath>
#include <map>

#include "entities/codebase/changed_files.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t paths_max = 50;  // the history of more says nothing of anybody
constexpr int commits_max = 400;
constexpr int steps_back_max =
    3000;  // along first parents: a long history is not walked to its end
constexpr std::size_t reviewers_max = 3;
constexpr double half_life_s = 182.0 * 24 * 3600;
constexpr double applied_weight = 0.5;
constexpr double share_min = 0.1;
constexpr std::string_view format =
    "--format=%aN%x1f%cN%x1f%ct%x1f%(trailers:key=Reviewed-by,valueonly,separator=%x1e)%x1e"
    "%(trailers:key=Acked-by,valueonly,separator=%x1e)";

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "Jane Doe <jane@example.org>": the name.
std::string name_of(std::string_view person) {
  person = person.substr(0, person.find('<'));
  while (!person.empty() && (person.back() == ' ' || person.back() == '\n')) {
    person.remove_suffix(1);
  }
  while (!person.empty() && (person.front() == ' ' || person.front() == '\n')) {
    person.remove_prefix(1);
  }
  return std::string(person);
}

// Forges commit in their own name.
bool is_program(std::string_view name) {
  return name.empty() || name == "GitHub" || name == "GitLab" || name.ends_with("[bot]");
}

std::vector<std::string> paths_of(const Look& look) {
  std::vector<std::string> paths;
  for (const auto& file : files_of(look.changes())) {
    if (paths.size() >= paths_max) break;
    const auto& path = file.old_path.empty() ? file.path : file.old_path;
    if (path.find("\xEF\xBF\xBD") == std::string::npos) paths.push_back(path);
  }
  return paths;
}

Result<std::vector<Touch>> touches_of(const Git& git, std::vector<std::string> commits,
                                      const std::vector<std::string>& paths) {
  std::vector<std::string> arguments{"log", "-z", "--no-merges", std::string(format),
                                     fmt::format("--max-count={}", commits_max)};
  arguments.emplace_back("--end-of-options");
  std::ranges::move(commits, std::back_inserter(arguments));
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  auto text = git.run(std::move(arguments));
  if (!text) return std::unexpected(text.error());
  return read_touches(*text);
}

std::string told(const Reviewer& reviewer) {
  auto text = one_line(reviewer.name, 60);
  if (reviewer.wrote > 0) text += fmt::format(" (wrote {}", reviewer.wrote);
  if (reviewer.reviewed > 0) {
    text += fmt::format("{}reviewed {}", reviewer.wrote > 0 ? ", " : " (", reviewer.reviewed);
  }
  return text + ")";
}

}  // namespace

std::vector<Touch> read_touches(std::string_view text) {
  std::vector<Touch> touches;
  for (const auto record : split(text, '\0')) {
    const auto fields = split(record, '\x1f');
    if (fields.size() != 4) continue;
    Touch touch{name_of(fields[0]), name_of(fields[1]), {}, 0};
    std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), touch.at_s);
    for (const auto person : split(fields[3], '\x1e')) {
      if (auto name = name_of(person); !name.empty()) touch.reviewers.push_back(std::move(name));
    }
    touches.push_back(std::move(touch));
  }
  return touches;
}

std::vector<Reviewer> rank_reviewers(const std::vector<Touch>& touches,
                                     const std::vector<std::string>& authors, std::int64_t now_s,
                                     std::size_t most) {
  std::map<std::string, Reviewer> people;
  for (const auto& touch : touches) {
    const auto age = static_cast<double>(std::max<std::int64_t>(now_s - touch.at_s, 0));
    const double weight = std::exp2(-age / half_life_s);
    auto& author = people[touch.author];
    author.weight += weight;
    ++author.wrote;
    for (const auto& name : touch.reviewers) {
      if (name == touch.author) continue;
      auto& reviewer = people[name];
      reviewer.weight += weight;
      ++reviewer.reviewed;
    }
    const bool named = std::ranges::find(touch.reviewers, touch.committer) != touch.reviewers.end();
    if (touch.committer != touch.author && !named) {
      auto& applier = people[touch.committer];
      applier.weight += weight * applied_weight;
      ++applier.reviewed;
    }
  }
  std::vector<Reviewer> ranked;
  for (auto& [name, person] : people) {
    if (is_program(name) || std::ranges::find(authors, name) != authors.end()) continue;
    person.name = name;
    ranked.push_back(std::move(person));
  }
  std::ranges::sort(ranked, [](const Reviewer& one, const Reviewer& other) {
    return one.weight != other.weight ? one.weight > other.weight : one.name < other.name;
  });
  if (ranked.size() > most) ranked.resize(most);
  std::erase_if(ranked, [least = ranked.empty() ? 0 : ranked.front().weight * share_min](
                            const Reviewer& one) { return one.weight < least; });
  return ranked;
}

Result<json::value> run_reviewers(const Request& request) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  const auto paths = paths_of(*look);
  const auto base = look->git().commit_of(look->base());
  if (!base || paths.empty()) {
    return json::value(analysis("there is no history to know anybody by", {}));
  }
  auto made = touches_of(look->git(), {look->head(), "^" + *base}, {});
  if (!made) return std::unexpected(made.error());
  std::vector<std::string> before{*base};
  if (const auto end = look->git().commit_of(fmt::format("{}~{}", *base, steps_back_max))) {
    before.push_back("^" + *end);
  }
  auto earlier = touches_of(look->git(), std::move(before), paths);
  if (!earlier) return std::unexpected(earlier.error());
  std::vector<std::string> authors;
  std::int64_t now_s = 0;
  for (const auto& touch : *made) {
    authors.push_back(touch.author);
    now_s = std::max(now_s, touch.at_s);
  }
  const auto ranked = rank_reviewers(*earlier, authors, now_s, reviewers_max);
  std::vector<Finding> findings;
  json::array names;
  std::string text;
  for (const auto& reviewer : ranked) {
    names.emplace_back(to_valid_utf8(reviewer.name));
    text += (text.empty() ? "" : ", ") + told(reviewer);
  }
  if (!ranked.empty()) {
    Finding finding;
    finding.analyser = "reviewers";
    finding.rule = "suggested";
    finding.title = fmt::format("these know what it changes: {}", text);
    finding.key = finding_key("reviewers", finding.rule, "", vigil::to_text(json::value(names)));
    findings.push_back(std::move(finding));
  }
  auto out = analysis(
      ranked.empty() ? fmt::format("nobody else is known by {} earlier commits", earlier->size())
                     : fmt::format("{} of {} earlier commits", text, earlier->size()),
      std::move(findings));
  out["reviewers"] = std::move(names);
  return json::value(std::move(out));
}

}  // namespace vigil::entities::codebase
