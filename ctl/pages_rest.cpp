#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "ctl/pages.hpp"

namespace vigil::ctl {

std::string timers_page(const json::value& answer, const Style& style) {
  Table table({{"ID", Align::right}, {"DUE"}, {"ENTITY/CASE"}, {"NAME"}});
  for (const auto& row : array_at(answer, "timers")) {
    table.row(
        {text_at(row, "id"), relative_at(row, "due", style), place_of(row), text_at(row, "name")});
  }
  if (table.empty()) return "no timers are set; schedules are shown by `vigilctl timers next`\n";
  return table.text(style);
}

std::string next_page(const json::value& answer, const Style& style) {
  Table table({{"DUE"}, {"AT"}, {"WHAT"}, {"WHO"}});
  for (const auto& row : array_at(answer, "next")) {
    const bool timer = text_at(row, "what") == "timer";
    table.row({relative_at(row, "due", style), text_at(row, "due"), text_at(row, "what"),
               timer ? place_of(row) + " (" + text_at(row, "name") + ")" : text_at(row, "source")});
  }
  if (table.empty()) {
    return "nothing is due: add a [source.NAME] of kind \"schedule\" to wake entities by time\n";
  }
  return table.text(style);
}

std::string dead_page(const json::value& answer, const Style& style) {
  Table table({{"ID", Align::right}, {"ENTITY/CASE"}, {"KIND"}, {"SINCE"}, {"EVENTS"}, {"ERROR"}});
  for (const auto& row : array_at(answer, "dead")) {
    std::string events;
    for (const auto& id : array_at(row, "events")) {
      events += (events.empty() ? "" : ",") + text_at(id, "");
    }
    table.row({text_at(row, "id"), place_of(row), text_at(row, "kind"),
               relative_at(row, "created", style), events, text_at(row, "error")});
  }
  if (table.empty()) return "no dead letters: every wake could be decided\n";
  return table.text(style) +
         toned("try again: vigilctl dead retry ID; give up: vigilctl dead drop ID", Tone::dim,
               style) +
         "\n";
}

std::string audit_page(const json::value& answer, const Style& style) {
  Table table({{"ID", Align::right}, {"AT"}, {"WHO"}, {"ROLE"}, {"WHAT"}, {"DETAIL"}});
  for (const auto& row : array_at(answer, "audit")) {
    table.row({text_at(row, "id"), relative_at(row, "at", style), text_at(row, "who"),
               text_at(row, "role"), text_at(row, "what"), text_at(row, "detail")});
  }
  if (table.empty()) return "nobody has asked for a change yet\n";
  return table.text(style);
}

std::string found_page(const json::value& answer, const Style& style) {
  std::string out;
  for (const auto& row : array_at(answer, "found")) {
    const auto title = text_at(row, "title");
    out += toned(text_at(row, "entity") + " " + text_at(row, "kind") + " " + text_at(row, "key"),
                 Tone::title, style) +
           (title.empty() ? "" : "  " + title) + "\n    " + text_at(row, "excerpt") + "\n";
  }
  if (out.empty()) {
    return "nothing was found; episodes and documents are searched, facts are shown by `vigilctl "
           "memory show ENTITY`\n";
  }
  return out;
}

std::string memory_page(const json::value& answer, const Style& style) {
  std::string out;
  Table facts({{"FACT"},
               {"VALUE", Align::left, 60},
               {"SURE", Align::right},
               {"SINCE"},
               {"USED"},
               {"FROM"}});
  for (const auto& row : array_at(answer, "facts")) {
    facts.row({text_at(row, "key"), text_at(row, "value"), text_at(row, "confidence"),
               relative_at(row, "updated", style), relative_at(row, "used", style),
               text_at(row, "provenance")});
  }
  if (!facts.empty()) out += facts.text(style) + "\n";
  Table preferences({{"PREFERENCE"}, {"VALUE", Align::left, 40}, {"SINCE"}, {"WHY"}});
  for (const auto& row : array_at(answer, "preferences")) {
    preferences.row({text_at(row, "key"), text_at(row, "value"), relative_at(row, "updated", style),
                     text_at(row, "why")});
  }
  if (!preferences.empty()) out += preferences.text(style) + "\n";
  Table episodes({{"WHEN"}, {"KIND"}, {"EPISODE"}});
  for (const auto& row : array_at(answer, "episodes")) {
    episodes.row({relative_at(row, "at", style), text_at(row, "kind"), text_at(row, "text")});
  }
  if (!episodes.empty()) out += episodes.text(style);
  if (out.empty()) {
    const auto name = text_at(answer, "entity");
    return fmt::format(
        "{} remembers nothing yet: tell it something with `vigilctl memory set {} "
        "KEY VALUE`\n",
        name, name);
  }
  return out;
}

std::string documents_page(const json::value& answer, const Style& style) {
  Table table({{"UPDATED"}, {"TITLE", Align::left, 50}, {"KEY"}});
  for (const auto& row : array_at(answer, "documents")) {
    table.row({relative_at(row, "updated", style), text_at(row, "title"), text_at(row, "key")});
  }
  if (table.empty()) {
    return "no documents: an entity writes some when it looks into something (vigilctl cases "
           "list)\n";
  }
  Style uncut = style;
  uncut.width = 0;  // the keys are what one came for
  return table.text(uncut);
}

std::string check_page(const json::value& answer, const Style& style) {
  std::string out;
  for (const auto& one : array_at(answer, "diagnostics")) out += text_at(one, "text") + "\n";
  if (!find_bool(answer, "ok").value_or(false)) {
    return out + toned(text_at(answer, "error"), Tone::bad, style) + "\n";
  }
  out += toned("ok", Tone::good, style) + ", read:\n";
  for (const auto& file : array_at(answer, "files")) out += "  " + text_at(file, "") + "\n";
  return out;
}

std::string diff_page(const json::value& answer, const Style& style) {
  std::string out;
  for (const auto& change : array_at(answer, "changes")) {
    out += toned(text_at(change, "key"), Tone::title, style) + " " + text_at(change, "what") + "\n";
  }
  if (out.empty()) out = "nothing differs from the configuration in force\n";
  for (const auto& key : array_at(answer, "needs_restart")) {
    out += toned(text_at(key, ""), Tone::warn, style) + " takes effect at the next restart only\n";
  }
  return out;
}

}  // namespace vigil::ctl
