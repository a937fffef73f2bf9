#include "ctl/live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cctype>
#include <tuple>

namespace vigil::ctl {
namespace {

constexpr std::size_t ended_max = 100;  // remembered as recent

std::string kind_of(std::string_view name) {
  while (!name.empty() && std::isdigit(static_cast<unsigned char>(name.back())) != 0) {
    name.remove_suffix(1);
  }
  return std::string(name);
}

double real_at(const json::value& value, std::string_view path, double otherwise) {
  const auto* found = find_path(value, path);
  return found != nullptr && found->is_number() ? found->to_number<double>() : otherwise;
}

// Tenths are enough for who watches, and keep the columns still.
std::string elapsed_text(Duration took) {
  const auto us = std::max<std::int64_t>(took.count(), 0);
  if (us < 60'000'000) return fmt::format("{:.1f}s", static_cast<double>(us) / 1e6);
  return vigil::to_text(std::chrono::floor<std::chrono::seconds>(took));
}

std::string padded(std::string text, std::size_t width) {
  text.append(width - std::min(width, display_width(text)), ' ');
  return text;
}
std::string padded_left(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, display_width(text)), ' ') + text;
}

}  // namespace

struct LiveSwarm::Columns {
  std::size_t width = 0;
  std::size_t name = 0;
  std::size_t bar = 0;
};

LiveSwarm::State LiveSwarm::state_from(std::string_view text) {
  constexpr std::string_view names[]{"waiting", "running",   "done",
                                     "failed",  "cancelled", "skipped"};
  const auto* found = std::ranges::find(names, text);
  return found == std::end(names) ? waiting : static_cast<State>(found - std::begin(names));
}

std::size_t LiveSwarm::place_of(const std::string& name) {
  if (places_.try_emplace(name, rows_.size()).second) {
    rows_.emplace_back().name = name;
    ++counts_[waiting];
    // Who has children only waits for them: its time is not work.
    const auto slash = name.rfind('/');
    const auto parent =
        slash == std::string::npos ? places_.end() : places_.find(name.substr(0, slash));
    if (parent != places_.end()) rows_[parent->second].has_children = true;
  }
  return places_.at(name);
}

void LiveSwarm::become(std::size_t place, State state) {
  auto& row = rows_[place];
  if (row.state == running) running_.erase({row.started, place});
  --counts_[row.state];
  ++counts_[state];
  row.state = state;
  if (state == running) running_.emplace(row.started, place);
  if (state == waiting || state == running || state == skipped) return;
  worked_ += row.took;
  if (state == done && row.took > Duration{0}) {
    auto& kind = kinds_[kind_of(row.name)];
    kind.sum += row.took;
    ++kind.count;
  }
  ended_.push_back(place);
  if (ended_.size() > ended_max) ended_.pop_front();
}

void LiveSwarm::take_all(const json::value& swarm) {
  auto before = std::move(rows_);
  const auto known = std::move(places_);
  *this = LiveSwarm();
  title_ = text_at(swarm, "title");
  if (title_.empty()) title_ = "swarm " + text_at(swarm, "id");
  if (const auto at = parse_rfc3339(find_text(swarm, "started").value_or(""))) started_ = *at;
  std::vector<std::tuple<TimePoint, std::size_t, State>> over;  // by when they ended
  for (const auto& task : array_at(swarm, "tasks")) {
    const auto place = place_of(text_at(task, "name"));
    auto& row = rows_[place];
    if (const auto old = known.find(row.name); old != known.end()) {
      row.note = std::move(before[old->second].note);
      row.fraction = before[old->second].fraction;
    }
    if (auto error = text_at(task, "error"); !error.empty()) row.note = std::move(error);
    row.attempt = number_at(task, "attempts");
    row.took = Duration{number_at(task, "took_us")};
    row.learned = Duration{number_at(task, "learned_us")};
    row.fraction = real_at(task, "fraction", row.fraction);
    if (const auto at = parse_rfc3339(find_text(task, "started").value_or(""))) row.started = *at;
    const auto state = state_from(text_at(task, "state"));
    if (state == waiting || state == running) {
      become(place, state);
    } else {
      over.emplace_back(row.started + row.took, place, state);
    }
    if (started_ == TimePoint{} && row.started != TimePoint{}) started_ = row.started;
  }
  std::ranges::sort(over);
  for (const auto& [at, place, state] : over) become(place, state);
}

void LiveSwarm::take(const json::value& news, TimePoint now) {
  const auto place = place_of(text_at(news, "task"));
  auto& row = rows_[place];
  const auto state = state_from(text_at(news, "state"));
  const auto attempt = number_at(news, "attempt");
  const bool over = row.state != waiting && row.state != running;
  // The news of before the swarm was fetched come too. Who tries again says so by its attempt.
  if (attempt < row.attempt || (over && (attempt == row.attempt || state == waiting))) return;
  if (over) worked_ -= row.took;
  if (over) std::erase(ended_, place);
  if (auto note = text_at(news, "note"); !note.empty()) row.note = std::move(note);
  if (state != row.state || attempt != row.attempt) {
    if (row.state == running) running_.erase({row.started, place});
    if (state == running) {
      const auto at = parse_rfc3339(find_text(news, "at").value_or(""));
      row.started = at ? *at : now;
      row.fraction = -1;
    }
    row.attempt = attempt;
    row.took = Duration{number_at(news, "took_us")};
    if (started_ == TimePoint{}) started_ = now;
    become(place, state);
  }
  if (const auto fraction = real_at(news, "fraction", -1); fraction >= 0) row.fraction = fraction;
}

// By what others of its kind took, or the same task before; -1: nobody knows.
double LiveSwarm::estimate(const Row& row, TimePoint now) const {
  Duration typical = row.learned;
  if (const auto kind = kinds_.find(kind_of(row.name)); kind != kinds_.end()) {
    typical = kind->second.sum / kind->second.count;
  }
  if (typical <= Duration{0}) return -1;
  constexpr double estimate_max = 0.95;  // only the task itself says that it is done
  return std::min(estimate_max, static_cast<double>((now - row.started).count()) /
                                    static_cast<double>(typical.count()));
}

std::string LiveSwarm::header(const Style& style, std::size_t width) const {
  Duration worked = worked_;
  for (const auto& [at, place] : running_) {
    if (!rows_[place].has_children) worked += std::max(Duration{0}, style.now - at);
  }
  const auto elapsed =
      started_ == TimePoint{} ? Duration{0} : std::max(Duration{0}, style.now - started_);
  auto numbers =
      fmt::format("{}/{} done, {} running", counts_[done], rows_.size(), counts_[running]);
  if (counts_[failed] > 0) numbers += fmt::format(", {} failed", counts_[failed]);
  numbers += ", " + elapsed_text(elapsed);
  if (elapsed > Duration{0}) {
    numbers += fmt::format(", {:.1f} side by side", static_cast<double>(worked.count()) /
                                                        static_cast<double>(elapsed.count()));
  }
  numbers = cut(numbers, width);
  const auto room = width - display_width(numbers);
  std::string out;
  if (room > 8) {
    out += toned(cut(title_, std::min<std::size_t>(room - 2, 48)), Tone::title, style) + "  ";
  }
  constexpr std::size_t bar_min = 8;
  constexpr std::size_t bar_max = 20;
  const auto left = room - std::min(room, display_width(out) + 2);
  if (left >= bar_min) {
    const auto over = static_cast<double>(rows_.size() - counts_[waiting] - counts_[running]);
    const auto all = static_cast<double>(std::max<std::size_t>(rows_.size(), 1));
    out += bar(over / all, static_cast<int>(std::min(left, bar_max))) + "  ";
  }
  return out + numbers;
}

std::string LiveSwarm::line(const Row& row, const Columns& columns, const Style& style) const {
  std::string_view sign = "▸ ";
  Tone tone = Tone::plain;
  double part = row.fraction;
  bool guessed = false;
  if (row.state == running && part < 0) {
    part = estimate(row, style.now);
    guessed = part >= 0;
  } else if (row.state == done) {
    sign = "✓ ";
    tone = Tone::good;
  } else if (row.state != running) {
    sign = "✗ ";
    tone = row.state == failed ? Tone::bad : Tone::warn;
  }
  std::string out = toned(sign, tone, style) + padded(cut(row.name, columns.name), columns.name);
  if (columns.bar > 0 && row.state == running) {
    const auto drawn = bar(std::max(part, 0.0), static_cast<int>(columns.bar));
    const auto percent = part < 0 ? "" : fmt::format("{}{:.0f} %", guessed ? "~" : "", part * 100);
    out += "  " + (guessed ? toned(drawn, Tone::dim, style) : drawn) + padded_left(percent, 7);
  } else if (columns.bar > 0) {
    constexpr std::string_view names[]{"", "", "done", "failed", "cancelled", "skipped"};
    out += "  " + toned(padded(std::string(names[row.state]), columns.bar + 7), tone, style);
  }
  const auto took = row.state == running ? style.now - row.started : row.took;
  out += padded_left(elapsed_text(took), 8);
  out += padded(row.attempt > 1 ? fmt::format(" #{}", row.attempt) : "", 3);
  const auto used = display_width(out);
  if (!row.note.empty() && used + 4 < columns.width) {
    out += " " + toned(cut(row.note, columns.width - used - 1), Tone::dim, style);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string LiveSwarm::rest_line(std::size_t hidden) const {
  std::string out;
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count > 0) out += fmt::format("{}{} {}", out.empty() ? "and " : ", ", count, what);
  };
  add(hidden, "more running");
  add(counts_[waiting], "waiting");
  add(counts_[skipped], "skipped");
  return out;
}

std::vector<std::string> LiveSwarm::frame(const Style& style, int height) const {
  constexpr std::size_t width_unknown = 80;
  const auto width = static_cast<std::size_t>(style.width > 0 ? style.width : width_unknown);
  std::vector<std::string> out{header(style, width)};
  const auto lines = static_cast<std::size_t>(std::max(height, 3)) - 2;  // without head and rest
  // What runs comes first when room is short; a third is for what just ended.
  const auto room_ended = std::max(lines / 3, lines - std::min(lines, running_.size()));
  constexpr std::size_t recent_max = 8;
  const auto recent = std::min({ended_.size(), room_ended, recent_max});
  const auto live = std::min(running_.size(), lines - std::min(lines, recent));
  std::vector<const Row*> shown;
  for (auto i = ended_.size() - recent; i < ended_.size(); ++i) shown.push_back(&rows_[ended_[i]]);
  for (const auto& [at, place] : running_) {
    if (shown.size() == recent + live) break;
    shown.push_back(&rows_[place]);
  }
  Columns columns{.width = width};
  for (const auto* row : shown) columns.name = std::max(columns.name, display_width(row->name));
  columns.name = std::min(columns.name, std::clamp<std::size_t>(width / 3, 6, 40));
  constexpr std::size_t others = 2 + 2 + 7 + 8 + 3;  // sign, gap, percent, time, attempt
  if (width >= columns.name + others + 8) {
    columns.bar = std::clamp<std::size_t>(width / 5, 8, 24);
    columns.bar = std::min(columns.bar, width - columns.name - others);
  }
  for (const auto* row : shown) out.push_back(line(*row, columns, style));
  if (auto rest = rest_line(running_.size() - live); !rest.empty()) {
    out.push_back(toned(cut(rest, width), Tone::dim, style));
  }
  return out;
}

}  // namespace vigil::ctl
