#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "ctl/pages.hpp"

namespace vigil::ctl {
namespace {

std::string older(const json::value& answer, const Style& style) {
  const auto next = text_at(answer, "next_before");
  return next.empty() ? "" : toned("older ones: --before " + next, Tone::dim, style) + "\n";
}

std::string moment_text(const json::value& row, const Style& style) {
  const auto what = text_at(row, "what");
  if (what == "episode") return text_at(row, "kind") + ": " + text_at(row, "text");
  if (what == "decision") {
    const auto verdict = text_at(row, "verdict");
    return toned(verdict, tone_of(verdict), style) + " because of " + text_at(row, "because") +
           ": " + text_at(row, "why");
  }
  const auto state = text_at(row, "state");
  const auto shown = text_at(row, "id") + " " + toned(state, tone_of(state), style);
  if (what == "swarm") {
    return shown + ": " + text_at(row, "title") + ", " +
           count_text(number_at(row, "tasks_planned"), "task");
  }
  return shown + ": " + text_at(row, "kind") + " to " + text_at(row, "sink") +
         (text_at(row, "error").empty() ? "" : ": " + text_at(row, "error"));
}

}  // namespace

namespace {

std::string held_text(std::string_view held) {
  if (held == "autonomy") return "waits for you: the entity may only propose";
  if (held == "untrusted") {
    return "waits for you: it comes of what strangers wrote, and would leave this machine";
  }
  if (held == "asked") return "waits for you: this kind of action is asked about each time";
  return {};
}

// Text of more than one line.
std::string lines_at(const json::value& row, std::string_view path) {
  return safe_lines(find_text(row, path).value_or(""));
}

}  // namespace

std::string place_of(const json::value& row) {
  const auto entity = text_at(row, "entity");
  const auto key = text_at(row, "case_key");
  return key.empty() ? entity : entity + "/" + key;
}

std::string count_text(std::int64_t count, std::string_view noun) {
  if (count == 1) return fmt::format("one {}", noun);
  const bool y = noun.ends_with('y') && !noun.ends_with("ay");  // entries, but days
  return fmt::format("{} {}{}", count, y ? noun.substr(0, noun.size() - 1) : noun, y ? "ies" : "s");
}

std::string cases_page(const json::value& answer, const Style& style) {
  Table table({{"ID", Align::right},
               {"ENTITY"},
               {"STATE"},
               {"DECISIONS", Align::right},
               {"UPDATED"},
               {"CASE"}});
  for (const auto& row : array_at(answer, "cases")) {
    const auto state = text_at(row, "state");
    table.row({text_at(row, "id"),
               text_at(row, "entity"),
               {state, tone_of(state)},
               text_at(row, "decisions"),
               relative_at(row, "updated", style),
               text_at(row, "key")});
  }
  if (table.empty()) {
    return "no cases yet: an entity opens one when an event matters to it (`vigilctl events list`, "
           "then `vigilctl explain EVENT`)\n";
  }
  return table.text(style) + older(answer, style);
}

std::string case_page(const json::value& answer, const Style& style) {
  const auto state = text_at(answer, "state");
  std::string out =
      toned("case " + text_at(answer, "id") + "  " + text_at(answer, "key"), Tone::title, style) +
      " of " + text_at(answer, "entity") + ", " + toned(state, tone_of(state), style) + "\n";
  out += fmt::format("opened {}, {}, updated {}\n", relative_at(answer, "opened", style),
                     count_text(number_at(answer, "decisions"), "decision"),
                     relative_at(answer, "updated", style));
  if (const auto* memory = find_path(answer, "memory");
      memory && memory->is_object() && !memory->get_object().empty()) {
    out += "\n" + toned("STATE", Tone::title, style) + "\n" + safe_lines(to_pretty_text(*memory)) +
           "\n";
  }
  for (const auto& timer : array_at(answer, "timers")) {
    out += fmt::format("\ntimer {} is due {}\n", text_at(timer, "name"),
                       relative_at(timer, "due", style));
  }
  if (const auto* wake = find_path(answer, "waiting"); wake != nullptr && wake->is_object()) {
    out += fmt::format("\nnext: a wake of kind {}, {}, due {}\n", text_at(*wake, "kind"),
                       text_at(*wake, "state"), relative_at(*wake, "not_before", style));
  }
  out += "\n";
  Table table({{"WHEN"}, {"WHAT"}, {"TEXT"}});
  for (const auto& row : array_at(answer, "timeline")) {
    table.row({relative_at(row, "at", style),
               {text_at(row, "what"), Tone::dim},
               moment_text(row, style)});
  }
  if (table.empty()) return out + "nothing happened in it yet\n";
  Style uncut = style;
  uncut.width = 0;  // the texts are what one came for
  return out + table.text(uncut);
}

std::string decisions_page(const json::value& answer, const Style& style) {
  Table table({{"ID", Align::right},
               {"WHEN"},
               {"ENTITY/CASE", Align::left, 40},
               {"BECAUSE"},
               {"VERDICT"},
               {"WHY"}});
  for (const auto& row : array_at(answer, "decisions")) {
    const auto verdict = text_at(row, "verdict");
    const auto place = place_of(row);
    table.row({text_at(row, "id"),
               relative_at(row, "at", style),
               place.empty() ? "(router)" : place,
               text_at(row, "because"),
               {verdict, tone_of(verdict)},
               text_at(row, "why")});
  }
  if (table.empty()) {
    return "no decisions yet: they follow events (`vigilctl events emit --type note.added`)\n";
  }
  return table.text(style) + older(answer, style);
}

std::string actions_page(const json::value& answer, const Style& style) {
  Table table({{"ID", Align::right},
               {"STATE"},
               {"ENTITY/CASE", Align::left, 40},
               {"KIND"},
               {"SINK"},
               {"CREATED"},
               {"TEXT"}});
  for (const auto& row : array_at(answer, "actions")) {
    const auto state = text_at(row, "state");
    const auto error = text_at(row, "error");
    table.row({text_at(row, "id"),
               {state, tone_of(state)},
               place_of(row),
               text_at(row, "kind"),
               text_at(row, "sink"),
               relative_at(row, "created", style),
               error.empty() ? text_at(row, "payload.text") : error});
  }
  if (table.empty()) {
    return "no actions: entities ask for them when something should leave the machine (`vigilctl "
           "entities list` shows who may)\n";
  }
  return table.text(style) + older(answer, style);
}

std::string action_page(const json::value& answer, const Style& style) {
  const auto state = text_at(answer, "state");
  const auto id = text_at(answer, "id");
  std::string out = toned("action " + id, Tone::title, style) + " " +
                    toned(state, tone_of(state), style) + ": " + text_at(answer, "kind") + " to " +
                    text_at(answer, "sink") + " for " + place_of(answer) + "\n";
  out += fmt::format("decision {}, {}, {}, {}\n", text_at(answer, "decision"),
                     text_at(answer, "taint"), count_text(number_at(answer, "attempts"), "attempt"),
                     "created " + relative_at(answer, "created", style));
  if (const auto expires = relative_at(answer, "expires", style); !expires.empty()) {
    out += "expires " + expires + "\n";
  }
  if (const auto error = text_at(answer, "error"); !error.empty()) {
    out += toned(error, Tone::bad, style) + "\n";
  }
  if (const auto held = held_text(text_at(answer, "held")); !held.empty()) out += held + "\n";
  if (const auto by = text_at(answer, "answered_by"); !by.empty()) {
    out += fmt::format("{} by {}\n", text_at(answer, "answer"), by);
  }
  if (const auto would = text_at(answer, "would"); !would.empty()) {
    out += fmt::format("\n{}\n{}\n",
                       toned(state == "delivered" ? "DID" : "WOULD", Tone::title, style), would);
  }
  if (const auto says = lines_at(answer, "says"); !says.empty()) {
    out += "\n" + toned("IN WORDS", Tone::title, style) + "\n" + says +
           (says.ends_with('\n') ? "" : "\n");
  }
  const auto shown = [&](std::string_view title, std::string_view member) {
    const auto* value = find_path(answer, member);
    if (value == nullptr || value->is_null()) return;
    out +=
        "\n" + toned(title, Tone::title, style) + "\n" + safe_lines(to_pretty_text(*value)) + "\n";
  };
  shown("PAYLOAD", "payload");
  shown("RESULT", "result");
  if (state == "proposed") {
    out += fmt::format("\nlet it go out: vigilctl actions approve {}\n", id);
    if (text_at(answer, "held") != "asked" && !text_at(answer, "held").empty()) {
      out += fmt::format(
          "and the next ones like it: vigilctl actions approve {} "
          "--always-like-this\n",
          id);
    }
    out += fmt::format("never: vigilctl actions deny {}\n", id);
  }
  return out;
}

}  // namespace vigil::ctl
