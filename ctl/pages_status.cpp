#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "ctl/pages.hpp"

namespace vigil::ctl {
namespace {

std::string line(std::string_view name, const std::string& text, const Style& style) {
  return toned(fmt::format("{:<10}", name), Tone::dim, style) + text + "\n";
}

// What a person should look at; nothing when all is well.
std::string attention(const json::value& status, const Style& style) {
  std::string out;
  const auto add = [&](Tone tone, const std::string& text) {
    out += toned("! ", tone, style) + text + "\n";
  };
  if (const auto why = text_at(status, "safe_mode"); !why.empty()) {
    add(Tone::bad, "SAFE MODE: " + why +
                       ". Events are stored; nothing is decided, run or sent. Look into the "
                       "daemon's log for why, then: vigilctl safe-mode leave");
  }
  if (const auto why = text_at(status, "config_trouble"); !why.empty()) add(Tone::bad, why);
  if (find_bool(status, "writer.disk_full").value_or(false)) {
    add(Tone::bad, "the disk is full: events are refused until there is room");
  } else if (!find_bool(status, "accepting").value_or(true)) {
    add(Tone::bad, "events are refused now: vigilctl doctor");
  }
  if (const auto dead = number_at(status, "runtime.wakes_dead"); dead > 0) {
    add(Tone::bad, count_text(dead, "dead letter") + ": vigilctl dead list");
  }
  if (const auto unknown = number_at(status, "actions.unknown"); unknown > 0) {
    add(Tone::bad, count_text(unknown, "action") +
                       " with an unknown outcome: vigilctl actions list --state unknown");
  }
  if (const auto proposed = number_at(status, "actions.proposed"); proposed > 0) {
    add(Tone::warn, count_text(proposed, "action") +
                        " waiting for you: vigilctl actions list --state proposed");
  }
  if (const auto paused = number_at(status, "runtime.entities_paused"); paused > 0) {
    add(Tone::warn, count_text(paused, "paused entity") + ": vigilctl entities list");
  }
  return out;
}

// "12 + 4 of 50": spent, set aside, allowed.
std::string limit_text(std::int64_t spent, std::int64_t reserved, std::int64_t limit,
                       bool is_time) {
  const auto show = [&](std::int64_t amount) {
    return is_time ? vigil::to_text(Duration{amount}) : fmt::format("{}", amount);
  };
  auto out = show(spent);
  if (reserved > 0) out += " + " + show(reserved);
  return limit > 0 ? out + " of " + show(limit) : out;
}

struct Kind {
  const char* name;
  const char* title;
  bool is_time;
};
constexpr Kind kinds[] = {{"swarms", "SWARMS", false},         {"compute_us", "COMPUTE", true},
                          {"notifications", "NOTICES", false}, {"tokens", "TOKENS", false},
                          {"money_cents", "CENTS", false},     {"requests", "REQUESTS", false}};

// Whose a row of budgets is.
std::string owner_text(const json::value& row) {
  const auto scope = text_at(row, "scope");
  if (scope == "all") return "all together";
  if (scope == "case") return fmt::format("{} {}", text_at(row, "of"), text_at(row, "case_key"));
  return text_at(row, "entity");
}

}  // namespace

std::string status_page(const json::value& answer, const Style& style) {
  std::string out = toned("vigild " + text_at(answer, "version"), Tone::title, style);
  out +=
      fmt::format(", up {}, pid {}\n", duration_at(answer, "uptime_us"), number_at(answer, "pid"));
  out += line("state", text_at(answer, "state_dir"), style);
  out += line("memory",
              fmt::format("{}, {}", bytes_text(number_at(answer, "process.rss_bytes")),
                          count_text(number_at(answer, "process.open_fds"), "open descriptor")),
              style);
  out += line("entities",
              fmt::format("{}, {} paused", number_at(answer, "runtime.entities"),
                          number_at(answer, "runtime.entities_paused")),
              style);
  out +=
      line("events",
           fmt::format("last is {}; since the start {} routed, {} refused, {} duplicates; {} "
                       "not routed yet",
                       number_at(answer, "last_event"), number_at(answer, "runtime.events_routed"),
                       number_at(answer, "door.refused"), number_at(answer, "door.duplicates"),
                       number_at(answer, "runtime.unrouted")),
           style);
  out += line("decisions",
              fmt::format("{} since the start, {} failed; {} waiting",
                          number_at(answer, "runtime.decisions"),
                          number_at(answer, "runtime.decisions_failed"),
                          count_text(number_at(answer, "runtime.wakes_open"), "wake")),
              style);
  out += line("swarms",
              fmt::format("{} running with {}", number_at(answer, "runtime.swarms_running"),
                          count_text(number_at(answer, "runtime.tasks_running"), "task")),
              style);
  out += line(
      "actions",
      fmt::format("{} delivered, {} failed since the start; {} proposed, {} on their way",
                  number_at(answer, "actions.delivered"), number_at(answer, "actions.failed"),
                  number_at(answer, "actions.proposed"),
                  number_at(answer, "actions.approved") + number_at(answer, "actions.sending")),
      style);
  out += line("writer",
              fmt::format("{} changes in {} commits", number_at(answer, "writer.changes"),
                          number_at(answer, "writer.commits")),
              style);
  if (number_at(answer, "last_event") == 0) {
    out +=
        "\nno events yet: post one with `vigilctl events emit --type note.added --subject "
        "hello`\n";
  }
  return out + attention(answer, style);
}

std::string top_page(const json::value& status, const json::value& swarms,
                     const json::value& decisions, const Style& style) {
  std::string out = status_page(status, style);
  if (!array_at(swarms, "swarms").empty()) out += "\n" + swarms_page(swarms, style);
  if (!array_at(decisions, "decisions").empty()) out += "\n" + decisions_page(decisions, style);
  return out;
}

std::string entities_page(const json::value& answer, const Style& style) {
  Table table({{"NAME"},
               {"KIND"},
               {"STATE"},
               {"AUTONOMY"},
               {"CASES", Align::right},
               {"DECISIONS", Align::right},
               {"LAST"},
               {"ROLE"}});
  for (const auto& row : array_at(answer, "entities")) {
    const auto state = text_at(row, "state");
    table.row({text_at(row, "name"),
               text_at(row, "kind"),
               {state, tone_of(state)},
               text_at(row, "autonomy"),
               text_at(row, "open_cases"),
               text_at(row, "decisions"),
               relative_at(row, "last_decision", style),
               text_at(row, "role")});
  }
  if (table.empty()) {
    return "no entities yet: add an [entity.NAME] to vigild.toml or entities.d/, then `vigilctl "
           "config reload`\n";
  }
  return table.text(style);
}

std::string entity_page(const json::value& answer, const Style& style) {
  const auto state = text_at(answer, "state");
  std::string out = toned(text_at(answer, "name"), Tone::title, style) + ", " +
                    text_at(answer, "kind") + ", " + toned(state, tone_of(state), style) + "\n";
  if (const auto role = text_at(answer, "role"); !role.empty()) out += line("role", role, style);
  out += line("autonomy", text_at(answer, "autonomy"), style);
  for (const auto& on : array_at(answer, "on")) {
    std::string types;
    for (const auto& type : array_at(on, "types")) {
      types += (types.empty() ? "" : ", ") + text_at(type, "");
    }
    const bool filtered = find_bool(on, "filtered").value_or(false);
    out += line("listens", text_at(on, "source") + ": " + types + (filtered ? " (filtered)" : ""),
                style);
  }
  std::string spent;
  for (const auto& kind : kinds) {
    const auto amount = number_at(answer, fmt::format("budget.spent.{}", kind.name));
    const auto limit = number_at(answer, fmt::format("budget.limits.{}", kind.name));
    const auto reserved = number_at(answer, fmt::format("budget.reserved.{}", kind.name));
    if (amount == 0 && reserved == 0 && limit == 0) continue;
    spent += fmt::format("{}{} {}", spent.empty() ? "" : ", ",
                         limit_text(amount, reserved, limit, kind.is_time),
                         kind.is_time ? "compute" : kind.name);
  }
  out += line("spent", spent.empty() ? "nothing today" : spent + " today", style);
  const auto section = [&](std::string_view title, std::string_view member) {
    if (array_at(answer, member).empty()) return;
    out += "\n" + toned(title, Tone::title, style) + "\n";
    for (const auto& row : array_at(answer, member)) {
      out += fmt::format("  {} = {}{}\n", text_at(row, "key"), text_at(row, "value"),
                         member == "preferences" ? "  (" + text_at(row, "why") + ")" : "");
    }
  };
  section("FACTS", "facts");
  section("PREFERENCES", "preferences");
  if (!array_at(answer, "cases").empty()) out += "\n" + cases_page(answer, style);
  return out;
}

std::string budget_page(const json::value& answer, const Style& style) {
  std::vector<Table::Column> columns{{"WHO"}};
  for (const auto& kind : kinds) columns.push_back({kind.title, Align::right});
  Table table(std::move(columns));
  for (const auto& row : array_at(answer, "budgets")) {
    std::vector<Cell> cells{owner_text(row)};
    for (const auto& kind : kinds) {
      if (!find_integer(row, fmt::format("spent.{}", kind.name))) {
        cells.emplace_back("");  // nothing that is counted of it
        continue;
      }
      const auto spent = number_at(row, fmt::format("spent.{}", kind.name));
      const auto reserved = number_at(row, fmt::format("reserved.{}", kind.name));
      const auto limit = number_at(row, fmt::format("limits.{}", kind.name));
      const bool over = limit > 0 && spent + reserved >= limit;
      cells.emplace_back(limit_text(spent, reserved, limit, kind.is_time),
                         over ? Tone::bad : Tone::plain);
    }
    table.row(std::move(cells));
  }
  if (table.empty()) return "no entities yet, so nothing is spent: vigilctl entities list\n";
  auto out = fmt::format(
      "spent on {} (UTC), which ends at {}; `+` is set aside for what goes on; no `of` means no "
      "limit\n",
      text_at(answer, "day"), text_at(answer, "ends"));
  out += table.text(style);
  if (const auto more = number_at(answer, "cases_left_out"); more > 0) {
    out += fmt::format("and {}\n", count_text(more, "more case"));
  }
  return out;
}

}  // namespace vigil::ctl
