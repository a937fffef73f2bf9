#include "entities/deps/analysers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>
#include <iterator>

#include "entities/deps/advisory_sources.hpp"
#include "entities/deps/scan.hpp"

namespace vigil::entities::deps {
namespace {

std::string text_of(const Request& request, std::string_view key) {
  return std::string(find_text(request.input, key).value_or(""));
}

std::filesystem::path path_of(const Request& request, std::string_view key) {
  const auto given = text_of(request, key);
  const auto root = text_of(request, "repository");
  if (given.empty() || root.empty()) return given;
  return std::filesystem::path(root) / given;  // an absolute one stays as it is
}

Result<OpenedIndex> advisories_for(const Request& request) {
  const auto where = path_of(request, "advisories");
  const auto keep = path_of(request, "index");
  if (where.empty() && keep.empty()) {
    return fail(ErrorCode::invalid_input,
                "advisories is missing: give a folder of OSV files (*.json, *.jsonl), or the "
                "index of one");
  }
  return where.empty() ? open_advisories(keep, {}) : open_advisories(where, keep);
}

Result<KnownVersions> known_versions(const Request& request) {
  const auto path = path_of(request, "versions");
  if (path.empty()) return KnownVersions{};
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(ErrorCode::not_found, fmt::format("{}: cannot be opened", path.string()));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto value = parse_json(text);
  auto known = value ? read_known_versions(*value) : std::unexpected(value.error());
  if (!known) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{}: {}", path.string(), known.error().message));
  }
  return known;
}

// What was not read of the advisories themselves.
std::vector<Finding> problems_of(const AdvisoryIndex& index) {
  if (index.problems() == 0) return {};
  Finding finding;
  finding.analyser = "deps";
  finding.rule = "advisories-not-read";
  finding.severity = codebase::Severity::medium;
  finding.title = codebase::one_line(
      fmt::format("{} advisories could not be read: {}", index.problems(), index.problem_text()),
      400);
  finding.hint = "fetch the advisories again; what the unreadable ones say is not known";
  finding.key = codebase::finding_key("deps", finding.rule, "", "");
  return {finding};
}

json::object describe(const OpenedIndex& opened) {
  json::object about{{"advisories", opened.index.advisories()},
                     {"packages", opened.index.packages()},
                     {"withdrawn", opened.index.withdrawn()},
                     {"bytes", opened.index.bytes()},
                     {"made", opened.fate != IndexFate::kept}};
  if (!opened.why.empty()) about["not_kept"] = to_valid_utf8(opened.why);
  return about;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return count == 0 ? fmt::format("no {}", many)
                    : fmt::format("{} {}", count, count == 1 ? one : many);
}

Result<json::value> run_scan(const Request& request) {
  const auto opened = advisories_for(request);
  if (!opened) return std::unexpected(opened.error());
  const auto known = known_versions(request);
  if (!known) return std::unexpected(known.error());
  auto sources = lock_sources(request);
  if (!sources) return std::unexpected(sources.error());
  auto result = scan(opened->index, sources->files, *known);
  const bool change = std::ranges::any_of(
      sources->files, [](const LockSource& file) { return file.before.has_value(); });
  auto summary = fmt::format(
      "{} in {} of {}{}", counted(result.findings.size(), "known flaw", "known flaws"),
      result.affected,
      counted(result.looked_at, change ? "new package" : "package",
              change ? "new packages" : "packages"),
      sources->files.size() == 1 ? "" : fmt::format(" of {} lock files", sources->files.size()));
  if (result.settled > 0) {
    summary +=
        fmt::format("; the change settles {}", counted(result.settled, "advisory", "advisories"));
  }
  if (result.unpinned > 0) summary += fmt::format("; {} without a version", result.unpinned);
  auto findings = problems_of(opened->index);
  std::ranges::move(sources->unread, std::back_inserter(findings));
  std::ranges::move(result.findings, std::back_inserter(findings));
  auto out = codebase::analysis(std::move(summary), std::move(findings));
  out["packages"] = result.looked_at;
  out["affected"] = result.affected;
  out["settled"] = result.settled;
  out["advisories"] = describe(*opened);
  return json::value(std::move(out));
}

json::object to_json(const Locked& package) {
  json::object out{{"ecosystem", package.ecosystem},
                   {"name", package.name},
                   {"version", package.version},
                   {"line", package.line}};
  if (package.purpose != Purpose::normal) out["purpose"] = to_text(package.purpose);
  return out;
}

Result<json::value> run_list(const Request& request) {
  const auto sources = lock_sources(request);
  if (!sources) return std::unexpected(sources.error());
  json::array files;
  std::string text;
  std::size_t total = 0;
  for (const auto& file : sources->files) {
    json::array packages;
    for (const auto& package : new_packages(file.now, file.before)) {
      fmt::format_to(
          std::back_inserter(text), "{}:{}: {} {} {}{}\n", codebase::one_line(file.path, 200),
          package.line, package.ecosystem, package.name,
          package.version.empty() ? "(no version)" : package.version,
          package.purpose == Purpose::normal ? "" : fmt::format(" ({})", to_text(package.purpose)));
      packages.emplace_back(to_json(package));
    }
    total += packages.size();
    files.emplace_back(json::object{{"path", to_valid_utf8(file.path)},
                                    {"format", file.now.format},
                                    {"packages", std::move(packages)}});
  }
  const auto summary = fmt::format("{} in {}", counted(total, "package", "packages"),
                                   counted(files.size(), "lock file", "lock files"));
  for (const auto& finding : sources->unread) {
    fmt::format_to(std::back_inserter(text), "{}: {}\n", codebase::place_of(finding),
                   finding.title);
  }
  auto out = codebase::analysis(summary, sources->unread);
  out["files"] = std::move(files);
  out["text"] = text + summary + "\n";
  return json::value(std::move(out));
}

json::array to_json(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

json::object to_json(const Upgrade& upgrade) {
  json::array steps;
  for (const auto& step : upgrade.steps) {
    steps.emplace_back(json::object{{"id", step.id}, {"to", step.to}});
  }
  json::object out{{"ecosystem", upgrade.ecosystem}, {"name", upgrade.name},
                   {"from", upgrade.from},           {"to", upgrade.to},
                   {"breaking", upgrade.breaking},   {"steps", std::move(steps)},
                   {"left", to_json(upgrade.left)}};
  if (!upgrade.held_by.empty()) {
    out["held_by"] = to_json(upgrade.held_by);
    out["allowed"] = upgrade.allowed;
    out["allowed_left"] = to_json(upgrade.allowed_left);
  }
  if (!upgrade.within.empty()) {
    out["within"] = upgrade.within;
    out["within_left"] = to_json(upgrade.within_left);
  }
  return out;
}

std::string line_for(const Upgrade& upgrade) {
  const auto settled = upgrade.steps.size() - std::min(upgrade.left.size(), upgrade.steps.size());
  if (upgrade.to.empty()) {
    return fmt::format("{} {} {}: no better version is known, {} stay\n", upgrade.ecosystem,
                       upgrade.name, upgrade.from, upgrade.left.size());
  }
  auto line = fmt::format("{} {} {} -> {}{}: settles {} of {}", upgrade.ecosystem, upgrade.name,
                          upgrade.from, upgrade.to, upgrade.breaking ? " (may break)" : "", settled,
                          upgrade.steps.size());
  if (!upgrade.within.empty()) {
    line +=
        fmt::format("; without breaking {}, {} stay", upgrade.within, upgrade.within_left.size());
  }
  if (!upgrade.held_by.empty()) {
    line += fmt::format(
        "; held by {}: {}", codebase::one_line(upgrade.held_by.front()),
        upgrade.allowed.empty() ? "nothing better is allowed" : upgrade.allowed + " is allowed");
  }
  return line + "\n";
}

Result<json::value> run_upgrades(const Request& request) {
  const auto opened = advisories_for(request);
  if (!opened) return std::unexpected(opened.error());
  const auto known = known_versions(request);
  if (!known) return std::unexpected(known.error());
  const auto sources = lock_sources(request);
  if (!sources) return std::unexpected(sources.error());
  std::vector<Locked> packages;
  std::vector<Asked> asked;
  for (const auto& file : sources->files) {
    asked.insert(asked.end(), file.now.asked.begin(), file.now.asked.end());
    std::ranges::move(new_packages(file.now, file.before), std::back_inserter(packages));
  }
  json::array upgrades;
  std::string text;
  std::size_t possible = 0;
  for (const auto& upgrade : plan_upgrades(opened->index, packages, *known, asked)) {
    possible += upgrade.to.empty() ? 0 : 1;
    text += line_for(upgrade);
    upgrades.emplace_back(to_json(upgrade));
  }
  const auto summary =
      fmt::format("{} affected, {}", counted(upgrades.size(), "package is", "packages are"),
                  counted(possible, "upgrade", "upgrades"));
  auto unread = problems_of(opened->index);
  unread.insert(unread.end(), sources->unread.begin(), sources->unread.end());
  for (const auto& finding : unread) {
    fmt::format_to(std::back_inserter(text), "{}: {}\n", codebase::place_of(finding),
                   finding.title);
  }
  auto out = codebase::analysis(summary, std::move(unread));
  out["upgrades"] = std::move(upgrades);
  out["text"] = text + summary + "\n";
  out["advisories"] = describe(*opened);
  return json::value(std::move(out));
}

constexpr std::string_view which_files =
    "files (lock files; none: all below repository), format, or range \"A..B\", base, head";
constexpr std::string_view which_files_and_advisories =
    "advisories (a folder or file of OSV advisories), index (where it is kept, made anew when "
    "they change), versions (JSON of known versions); files (lock files; none: all below "
    "repository), format, or range \"A..B\", base, head for what a change brings";

constexpr std::array table{
    Analyser{"deps.list", "the packages that lock files pin", which_files, run_list},
    Analyser{"deps.scan", "packages of lock files that advisories warn of",
             which_files_and_advisories, run_scan},
    Analyser{"deps.upgrades", "the smallest later versions that are free of known flaws",
             which_files_and_advisories, run_upgrades},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

}  // namespace vigil::entities::deps
