#include "entities/ci/look_at_issues.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <tuple>

#include "core/log.hpp"
#include "entities/ci/sarif.hpp"
#include "entities/ci/sources.hpp"
#include "entities/ci/tool_output.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t text_rows_max = 200;

struct Gathered {
  std::vector<Issue> issues;
  std::vector<std::string> left_out;
  std::size_t suppressed = 0;
};

struct Told {
  std::string tool;
  codebase::Finding finding;
  std::optional<Placed> placed;
  int times = 1;
};

codebase::Finding finding_left_out(std::string_view analyser, const std::string& why) {
  codebase::Finding finding;
  finding.analyser = analyser;
  finding.rule = "not-all-read";
  finding.severity = codebase::Severity::medium;
  finding.title = codebase::one_line(why, 200);
  finding.hint = "look at it by hand: silence about what was not read is no clean bill";
  finding.key = codebase::finding_key(analyser, finding.rule, "", why);
  return finding;
}

std::string counted(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string summary_of(const Gathered& all, const std::vector<Told>& told, bool with_places) {
  const auto of = [&](Level level) {
    return static_cast<std::size_t>(std::ranges::count(all.issues, level, &Issue::level));
  };
  auto summary = fmt::format("{}, {}", counted(of(Level::error), "error"),
                             counted(of(Level::warning), "warning"));
  const auto notes = of(Level::note) + of(Level::none);
  if (notes > 0) summary += fmt::format(", {}", counted(notes, "note"));
  if (with_places) {
    const auto on_added = std::ranges::count_if(
        told, [](const Told& one) { return one.placed && one.placed->where == Where::added_line; });
    summary += fmt::format("; {} on added lines", on_added);
  }
  if (all.suppressed > 0) summary += fmt::format("; {} suppressed", all.suppressed);
  if (!all.left_out.empty()) summary += fmt::format("; {} not read", all.left_out.size());
  return summary;
}

std::string text_of(const std::vector<Told>& told, const std::string& summary) {
  std::string text;
  for (std::size_t i = 0; i < told.size() && i < text_rows_max; ++i) {
    const auto& [tool, finding, placed, times] = told[i];
    text += fmt::format("{}: {}: {}", finding.path.empty() ? tool : codebase::place_of(finding),
                        to_text(finding.severity), finding.title);
    if (!finding.rule.empty()) text += fmt::format(" [{}]", finding.rule);
    if (placed && placed->where != Where::elsewhere) {
      text += fmt::format(" ({})", to_text(placed->where));
    }
    if (times > 1) text += fmt::format(" ({} times)", times);
    text += '\n';
  }
  if (told.size() > text_rows_max)
    text += fmt::format("and {} more\n", told.size() - text_rows_max);
  return to_valid_utf8(text) + summary + "\n";
}

Result<json::value> tell(const Request& request, std::string_view analyser, Gathered all) {
  auto changes = changed_lines_of(request);
  if (!changes) return std::unexpected(changes.error());
  if (*changes) (*changes)->learn_roots(all.issues);
  const auto only = find_text(request.input, "only").value_or("");
  if (!only.empty() && (only != "changed" || !*changes)) {
    return fail(ErrorCode::invalid_input,
                "only: expected \"changed\", together with diff or range");
  }
  std::vector<Told> told;
  for (const auto& issue : all.issues) {
    Told one{issue.tool, finding_of(issue, analyser), std::nullopt, issue.times};
    if (*changes) {
      one.placed = (*changes)->place(issue.path, issue.line);
      if (!only.empty() && one.placed->where == Where::elsewhere) continue;
      if (!one.placed->path.empty()) one.finding.path = one.placed->path;
    }
    told.push_back(std::move(one));
  }
  std::ranges::sort(told, [](const Told& a, const Told& b) {
    const auto where = [](const Told& one) {
      return one.placed ? one.placed->where : Where::elsewhere;
    };
    const auto a_where = where(a);
    const auto b_where = where(b);
    return std::tie(a_where, b.finding.severity, a.finding.path, a.finding.line, a.finding.title) <
           std::tie(b_where, a.finding.severity, b.finding.path, b.finding.line, b.finding.title);
  });
  const auto summary = summary_of(all, told, changes->has_value());
  for (const auto& why : all.left_out) {
    told.insert(told.begin(), {"", finding_left_out(analyser, why), std::nullopt, 1});
  }
  std::vector<codebase::Finding> findings;
  for (const auto& one : told) findings.push_back(one.finding);
  auto out = codebase::analysis(summary, std::move(findings));
  auto& list = out["findings"].as_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (told[i].placed) list[i].as_object()["where"] = to_text(told[i].placed->where);
    if (told[i].times > 1) list[i].as_object()["times"] = told[i].times;
  }
  if (all.suppressed > 0) out["suppressed"] = all.suppressed;
  out["text"] = text_of(told, summary);
  return json::value(std::move(out));
}

}  // namespace

Result<json::value> look_at_sarif(const Request& request) {
  auto sources = sources_of(request);
  if (!sources) return std::unexpected(sources.error());
  Gathered all;
  all.left_out = std::move(sources->left_out);
  std::optional<Error> first;
  std::size_t read = 0;
  for (const auto& [name, text] : sources->all) {
    auto report = read_sarif(text);
    if (!report) {
      auto why = fmt::format("{}: {}", quoted(name), report.error().message);
      if (!first) first = Error{report.error().code, why};
      all.left_out.push_back(std::move(why));
      continue;
    }
    ++read;
    if (report->cut) all.left_out.push_back(fmt::format("{} has too many results", quoted(name)));
    for (auto& issue : report->issues) {
      if (issue.suppressed) {
        ++all.suppressed;
      } else if (all.issues.size() < issues_max) {
        all.issues.push_back(std::move(issue));
      }
    }
  }
  if (read == 0 && first) return std::unexpected(*first);
  return tell(request, "ci.sarif", std::move(all));
}

Result<json::value> look_at_output(const Request& request) {
  auto sources = sources_of(request);
  if (!sources) return std::unexpected(sources.error());
  Gathered all;
  all.left_out = std::move(sources->left_out);
  for (const auto& [name, text] : sources->all) {
    auto output = read_tool_output(text);
    if (output.cut) all.left_out.push_back(fmt::format("{} has too many issues", quoted(name)));
    for (auto& issue : output.issues) {
      if (all.issues.size() < issues_max) all.issues.push_back(std::move(issue));
    }
  }
  return tell(request, "ci.output", std::move(all));
}

}  // namespace vigil::entities::ci
