// How an incident is told.
#include <fmt/format.h>

#include <algorithm>

#include "entities/ops/incident.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t alerts_told = 20;
constexpr std::size_t moments_told = 12;

std::string alert_line(const Known& known) {
  auto line = fmt::format("- {} **{}**", known.status == Status::firing ? "firing" : "resolved",
                          marked(known.name));
  std::string labels;
  for (const auto& [name, value] : known.labels) {
    if (name == "alertname" || name == "severity") continue;
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ", ", marked(name), marked(value, 80));
  }
  if (!labels.empty()) line += " (" + labels + ")";
  if (!known.summary.empty()) line += ": " + marked(known.summary);
  if (!known.value.empty()) line += " [" + marked(known.value, 100) + "]";
  if (!known.link.empty()) line += " <" + known.link + ">";
  return line + "\n";
}

std::string alerts_text(const Incident& incident) {
  std::string out;
  std::size_t told = 0;
  for (const auto status : {Status::firing, Status::resolved}) {
    for (const auto& [fingerprint, known] : incident.alerts) {
      if (known.status == status && told++ < alerts_told) out += alert_line(known);
    }
  }
  if (told > alerts_told) out += fmt::format("- and {} more\n", told - alerts_told);
  if (incident.truncated > 0) {
    out += fmt::format("- and {} that the sender left out\n", incident.truncated);
  }
  if (incident.dropped > 0) {
    out += fmt::format("- and {} beyond what a case can hold\n", incident.dropped);
  }
  return out;
}

std::string timeline_text(const Incident& incident, std::size_t most) {
  std::string out;
  const auto& all = incident.timeline;
  const auto from = all.size() > most ? all.size() - most : 0;
  if (from > 0 || incident.moments_dropped > 0) {
    out += fmt::format("- ({} earlier entries are not shown)\n", from + incident.moments_dropped);
  }
  for (std::size_t i = from; i < all.size(); ++i) {
    out += fmt::format("- {} {}\n", to_rfc3339(all[i].at), marked(all[i].text, 400));
  }
  return out;
}

std::string evidence_text(const Incident& incident) {
  std::string out;
  for (const auto& line : incident.evidence) out += "- " + marked(line, 400) + "\n";
  return out;
}

// A clock that was set back must not make times of less than nothing.
std::string lasted(TimePoint from, TimePoint to) {
  return vigil::to_text(std::max(Duration{0}, to - from));
}

}  // namespace

std::string headline(const Incident& incident) {
  const auto count = incident.firing();
  std::string state = count > 0 ? fmt::format("{} firing", count) : std::string("resolved");
  if (incident.flapping) state += ", flapping";
  if (!incident.acked_by.empty()) state += ", acknowledged by " + incident.acked_by;
  return fmt::format("[{}] {}: {}", to_text(incident.severity()), incident.title, state);
}

std::string message_of(const Incident& incident, TimePoint now, std::string_view remark) {
  auto out = fmt::format("### {}\n\n", marked(headline(incident), 600));
  out += fmt::format("Since {} ({}).", to_rfc3339(incident.opened),
                     lasted(incident.opened, incident.resolved.value_or(now)));
  if (!remark.empty()) out += " " + marked(remark, 600);
  out += "\n\n" + alerts_text(incident);
  if (!incident.evidence.empty()) out += "\n**Evidence**\n\n" + evidence_text(incident);
  return out + "\n**Timeline**\n\n" + timeline_text(incident, moments_told);
}

namespace {

std::string row(std::string_view name, std::string_view value) {
  return fmt::format("| {} | {} |\n", name, marked(value, 300));
}

std::string facts_table(const Incident& incident, const std::string& case_key) {
  const auto end = incident.resolved.value_or(incident.opened);
  std::string out = "| | |\n|---|---|\n";
  out += row("case", case_key);
  out += row("severity", to_text(incident.severity()));
  out += row("began", to_rfc3339(incident.opened));
  if (incident.first_acked) {
    out += row("acknowledged", fmt::format("{} by {}, after {}", to_rfc3339(*incident.first_acked),
                                           incident.first_acked_by,
                                           lasted(incident.opened, *incident.first_acked)));
  } else {
    out += row("acknowledged", "by nobody");
  }
  out += row("resolved", to_rfc3339(end));
  out += row("lasted", lasted(incident.opened, end));
  out += row("ended by", incident.ended_by.empty() ? "itself" : incident.ended_by);
  out += row("alerts", fmt::format("{}{}", incident.alerts.size() + incident.dropped,
                                   incident.flapping ? ", flapping" : ""));
  out += row("calls for help", fmt::format("{}", incident.escalations));
  return out;
}

std::string lines_text(std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  auto out = fmt::format("\n## {}\n\n", title);
  for (const auto& line : lines) out += "- " + marked(line, 400) + "\n";
  return out;
}

}  // namespace

std::string post_mortem(const Incident& incident, const std::string& case_key) {
  auto out = fmt::format("# Incident {}: {}\n\n", incident.number,
                         marked(incident.title.empty() ? case_key : incident.title, 300));
  out += facts_table(incident, case_key);
  out +=
      "\n## Summary\n\n(two sentences for who was not there: what broke, and what mended it)\n"
      "\n## Impact\n\n(who noticed, what could they not do, for how long?)\n";
  out += "\n## Alerts\n\n" + alerts_text(incident);
  out += "\n## Timeline\n\nTimes are UTC.\n\n" + timeline_text(incident, timeline_max);
  out += lines_text("What people noted", incident.notes);
  out += lines_text("Evidence", incident.evidence);
  return out +
         "\n## Causes\n\n(what set it off, and what made it possible? Why was it not noticed "
         "before?)\n"
         "\n## What went well, what did not, where we were lucky\n\n"
         "\n## To do\n\n- [ ] what keeps it from happening again\n"
         "- [ ] what tells us sooner\n- [ ] what mends it faster (a runbook?)\n";
}

}  // namespace vigil::entities::ops
