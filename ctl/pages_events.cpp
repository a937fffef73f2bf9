#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "ctl/pages.hpp"

namespace vigil::ctl {
namespace {

// Draws the chain of an event as a tree.
class Tree {
 public:
  explicit Tree(const Style& style) : style_(style) {}

  void decisions(const json::array& rows, const std::string& stem, bool more_follows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      decision(rows[i], stem, i + 1 == rows.size() && !more_follows);
    }
  }

  void waiting(const json::array& rows, const std::string& stem) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& row = rows[i];
      const auto state = text_at(row, "state");
      std::string text = toned(state, tone_of(state), style_);
      if (state == "unrouted") {
        text += ": " + text_at(row, "why");
      } else if (state == "dead") {
        text = place_of(row) + " could not decide (" + text + "): " + text_at(row, "error") +
               ". Try again with `vigilctl dead retry " + text_at(row, "id") + "`";
      } else {
        text = place_of(row) + " has not decided yet (" + text + ")";
        if (const auto when = relative_at(row, "not_before", style_); !when.empty()) {
          text += ", due " + when;
        }
        if (number_at(row, "attempts") > 0) {
          text += fmt::format(", {} failed: {}", count_text(number_at(row, "attempts"), "attempt"),
                              text_at(row, "error"));
        }
      }
      out_ += stem + (i + 1 == rows.size() ? "└─ " : "├─ ") + text + "\n";
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void decision(const json::value& row, const std::string& stem, bool last) {
    const auto verdict = text_at(row, "verdict");
    const auto entity = text_at(row, "entity");
    std::string text = fmt::format("{} {}", entity.empty() ? "the router" : entity,
                                   toned(verdict, tone_of(verdict), style_));
    if (const auto key = text_at(row, "case_key"); !key.empty()) text += ", case " + key;
    if (const auto rule = text_at(row, "rule"); !rule.empty()) text += ", rule " + rule;
    if (const auto because = text_at(row, "because"); because != "event") {
      text += ", because of " + because_text(because);
    }
    const auto when = relative_at(row, "at", style_);
    text += toned("  decision " + text_at(row, "id") + (when.empty() ? "" : ", " + when), Tone::dim,
                  style_);
    out_ += stem + (last ? "└─ " : "├─ ") + text + "\n";
    const auto below = stem + (last ? "   " : "│  ");
    const auto& swarms = array_at(row, "swarms");
    const auto& actions = array_at(row, "actions");
    const bool has_children = !swarms.empty() || !actions.empty();
    out_ += below + (has_children ? "│  " : "   ") + text_at(row, "why") + "\n";
    also(row, below + (has_children ? "│  " : "   "));
    for (std::size_t i = 0; i < swarms.size(); ++i) {
      swarm(swarms[i], below, i + 1 == swarms.size() && actions.empty());
    }
    for (std::size_t i = 0; i < actions.size(); ++i) {
      action(actions[i], below, i + 1 == actions.size());
    }
  }

  static std::string because_text(const std::string& because) {
    if (because == "swarm") return "the swarm's report";
    if (because == "timer") return "a timer";
    if (because == "action") return "what became of an action";
    return because;
  }

  void also(const json::value& row, const std::string& stem) {
    for (const std::string_view held : {"over_budget", "observed"}) {
      for (const auto& what : array_at(row, fmt::format("also.{}", held))) {
        out_ +=
            stem +
            toned(held == "observed" ? "only observed: " : "over budget: ", Tone::warn, style_) +
            text_at(what, "") + "\n";
      }
    }
  }

  void swarm(const json::value& row, const std::string& stem, bool last) {
    const auto state = text_at(row, "state");
    std::string text = fmt::format("swarm {} {}: {}", text_at(row, "id"),
                                   toned(state, tone_of(state), style_), text_at(row, "title"));
    text += ", " + count_text(number_at(row, "tasks_planned"), "task");
    if (const auto wall = duration_at(row, "report.wall_us"); !wall.empty()) {
      const auto* speedup = find_path(row, "report.speedup");
      text += " in " + wall;
      if (speedup != nullptr && speedup->is_number()) {
        text += fmt::format(", {:.1f} times one worker", speedup->to_number<double>());
      }
    }
    out_ += stem + (last ? "└─ " : "├─ ") + text + "\n";
    const auto below = stem + (last ? "   " : "│  ");
    if (const auto error = text_at(row, "report.error"); !error.empty()) {
      const auto* next = find_path(row, "decision");
      const bool more = next != nullptr && next->is_object();
      out_ += below + (more ? "│  " : "   ") + toned(error, Tone::bad, style_) + "\n";
    }
    followed(row, below);
  }

  void action(const json::value& row, const std::string& stem, bool last) {
    const auto state = text_at(row, "state");
    std::string text = fmt::format("action {} {}: {} to {}", text_at(row, "id"),
                                   toned(state, tone_of(state), style_), text_at(row, "kind"),
                                   text_at(row, "sink"));
    if (const auto error = text_at(row, "error"); !error.empty()) text += ": " + error;
    if (state == "proposed") text += ": `vigilctl actions approve " + text_at(row, "id") + "`";
    out_ += stem + (last ? "└─ " : "├─ ") + text + "\n";
    followed(row, stem + (last ? "   " : "│  "));
  }

  void followed(const json::value& row, const std::string& stem) {
    const auto* next = find_path(row, "decision");
    if (next != nullptr && next->is_object()) decision(*next, stem, true);
  }

  const Style& style_;
  std::string out_;
};

std::string event_title(const json::value& event, const Style& style) {
  std::string out = toned(fmt::format("event {}", text_at(event, "id")), Tone::title, style) +
                    "  " + text_at(event, "type") + " from " + text_at(event, "source");
  if (const auto subject = text_at(event, "subject"); !subject.empty()) {
    out += " about " + subject;
  }
  return out + toned("  " + relative_at(event, "received_at", style), Tone::dim, style) + "\n";
}

}  // namespace

std::string events_page(const json::value& answer, const Style& style) {
  Table table({{"ID", Align::right}, {"WHEN"}, {"SOURCE"}, {"TYPE"}, {"SUBJECT"}});
  const auto& rows = array_at(answer, "events");
  for (const auto& row : rows) {
    table.row({text_at(row, "id"), relative_at(row, "received_at", style), text_at(row, "source"),
               text_at(row, "type"), text_at(row, "subject")});
  }
  if (table.empty()) {
    return "no events yet: post one with `vigilctl events emit --type note.added --subject hello`, "
           "or send a webhook to /hooks/SOURCE\n";
  }
  std::string out = table.text(style);
  if (const auto next = text_at(answer, "next_before"); !next.empty()) {
    out += toned("older ones: --before " + next, Tone::dim, style) + "\n";
  }
  return out;
}

std::string event_page(const json::value& answer, const Style& style) {
  std::string out = event_title(answer, style);
  out += fmt::format("uid {}, {}, happened {}\n", text_at(answer, "uid"), text_at(answer, "taint"),
                     text_at(answer, "time"));
  if (const auto* headers = find_path(answer, "headers"); headers && headers->is_object()) {
    for (const auto& header : headers->get_object()) {
      out +=
          toned(safe(header.key()) + ": ", Tone::dim, style) + text_at(header.value(), "") + "\n";
    }
  }
  if (const auto* data = find_path(answer, "data"); data != nullptr && !data->is_null()) {
    out += safe_lines(to_pretty_text(*data)) + "\n";
  }
  return out + toned("why: vigilctl explain " + text_at(answer, "id"), Tone::dim, style) + "\n";
}

std::string explain_page(const json::value& answer, const Style& style) {
  const auto* event = find_path(answer, "event");
  std::string out = event != nullptr ? event_title(*event, style) : "";
  const auto& decisions = array_at(answer, "decisions");
  const auto& waiting = array_at(answer, "waiting");
  if (decisions.empty() && waiting.empty()) {
    return out +
           "nothing is known of it any more: its line in the ledger is past [storage] "
           "ledger_keep\n";
  }
  Tree tree(style);
  tree.decisions(decisions, "", !waiting.empty());
  tree.waiting(waiting, "");
  return out + tree.take();
}

std::string news_line(const json::value& item, const Style& style) {
  const auto topic = text_at(item, "topic");
  auto time = text_at(item, "at");
  if (time.size() >= 19) time = time.substr(11, 8);
  std::string text;
  if (topic == "event") {
    text = fmt::format("event {} {} from {} {}", text_at(item, "id"), text_at(item, "type"),
                       text_at(item, "source"), text_at(item, "subject"));
  } else if (topic == "decision") {
    const auto verdict = text_at(item, "verdict");
    text = fmt::format("{} {} {}: {}", text_at(item, "entity"),
                       toned(verdict, tone_of(verdict), style), text_at(item, "case"),
                       text_at(item, "why"));
  } else if (topic == "swarm") {
    const auto state = text_at(item, "state");
    text = fmt::format("swarm {} {}: {}", text_at(item, "id"), toned(state, tone_of(state), style),
                       text_at(item, "title"));
    if (const auto wall = duration_at(item, "wall_us"); !wall.empty()) text += " in " + wall;
    if (const auto error = text_at(item, "error"); !error.empty()) text += ": " + error;
  } else if (topic == "task") {
    const auto state = text_at(item, "state");
    text = fmt::format("swarm {} task {} {}", text_at(item, "swarm"), text_at(item, "task"),
                       toned(state, tone_of(state), style));
    if (number_at(item, "took_us") > 0) text += " in " + duration_at(item, "took_us");
    if (const auto note = text_at(item, "note"); !note.empty()) text += ": " + note;
  } else {
    const auto state = text_at(item, "state");
    text = fmt::format("{} {} {}: {} to {}", topic, text_at(item, "id"),
                       toned(state, tone_of(state), style), text_at(item, "kind"),
                       text_at(item, "sink"));
    if (const auto error = text_at(item, "error"); !error.empty()) text += ": " + error;
  }
  std::string out;
  if (const auto lost = number_at(item, "lost"); lost > 0) {
    out = toned(fmt::format("({} older items were lost: this terminal was too slow)", lost),
                Tone::warn, style) +
          "\n";
  }
  while (text.ends_with(' ')) text.pop_back();
  return out + toned(time, Tone::dim, style) + "  " + text + "\n";
}

}  // namespace vigil::ctl
