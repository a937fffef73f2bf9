// What is drawn again and again: swarms while they run, and top. Plain lines when standard output
// is no terminal.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "ctl/live.hpp"
#include "ctl/pages.hpp"
#include "ctl/screen.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

using namespace std::chrono_literals;

TimePoint wall_now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

bool is_over(const json::value& swarm) {
  const auto state = text_at(swarm, "state");
  return state != "planned" && state != "running";
}

int exit_of(const json::value& swarm) {
  const bool ok = find_bool(swarm, "report.ok").value_or(text_at(swarm, "state") == "done");
  return ok ? exit_ok : exit_failed;
}

// News that say something new: not each step of a task's progress is a line.
class Changes {
 public:
  bool has(const json::value& news) {
    if (text_at(news, "topic") != "task") return true;
    const auto task = text_at(news, "swarm") + "/" + text_at(news, "task");
    const auto state = text_at(news, "state");
    const std::pair now(state, number_at(news, "attempt"));
    const auto known = last_.find(task);
    const bool changed = known == last_.end() || known->second != now;
    if (state == "running") {
      last_[task] = now;
    } else if (known != last_.end()) {
      last_.erase(known);
    }
    return changed || !text_at(news, "note").empty();
  }

 private:
  std::map<std::string, std::pair<std::string, std::int64_t>> last_;  // of what runs
};

// Takes in what comes within a tenth of a second, which is how often is drawn at most.
enum class Heard { nothing, news, losses, end_of_swarm, end_of_stream };
Heard hear(Stream& stream, LiveSwarm& live) {
  const auto until = std::chrono::steady_clock::now() + 100ms;
  auto out = Heard::nothing;
  json::object item;
  auto heard = stream.next(item, 500ms);  // else the times on the screen would stand still
  while (heard == Stream::Heard::item) {
    const json::value news(std::move(item));
    if (text_at(news, "topic") == "task") live.take(news, wall_now());
    if (text_at(news, "topic") == "swarm" && is_over(news)) return Heard::end_of_swarm;
    const bool lost = number_at(news, "lost") > 0 || out == Heard::losses;
    out = lost ? Heard::losses : Heard::news;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return out;
    heard = stream.next(item, left);
  }
  return heard == Stream::Heard::ended ? Heard::end_of_stream : out;
}

int watch_live(const Session& session, Stream& stream, const std::string& target,
               json::value swarm) {
  Screen screen;
  LiveSwarm live(swarm);
  bool ending = false;
  while (!is_over(swarm)) {
    auto style = session.style;
    style.now = wall_now();
    const auto size = Screen::size();
    style.width = size.columns;
    screen.draw(live.frame(style, size.lines - 1), size.columns);
    const auto heard = hear(stream, live);
    if (heard == Heard::end_of_stream) {
      screen.close();
      print_error("vigilctl: the daemon ended the connection\n");
      return exit_unreachable;
    }
    ending = ending || heard == Heard::end_of_swarm;
    if (!ending && heard != Heard::losses) continue;
    auto fetched = session.fetch("GET", target);
    if (!fetched) return fetched.error();
    swarm = std::move(*fetched);
    live.take_all(swarm);
  }
  screen.erase();
  screen.close();
  print(swarm_end_page(swarm, session.style));
  return exit_of(swarm);
}

// One line for each thing that happens; ends with the swarm when one was named.
int watch_plainly(const Session& session, Stream& stream, const std::string& target, bool one) {
  Changes changes;
  json::object item;
  while (stream.next(item) == Stream::Heard::item) {
    const json::value news(item);
    if (session.output == Output::json) {
      print(to_text(news) + "\n");
    } else if (changes.has(news)) {
      print(news_line(news, session.style));
    }
    if (!one || text_at(news, "topic") != "swarm" || !is_over(news)) continue;
    const auto swarm = session.fetch("GET", target);
    if (!swarm) return swarm.error();
    if (session.output == Output::page) print(swarm_end_page(*swarm, session.style));
    return is_over(*swarm) ? exit_of(*swarm) : exit_failed;
  }
  print_error("vigilctl: the daemon ended the connection\n");
  return exit_unreachable;
}

}  // namespace

int watch_swarms(const Session& session, const std::string& id) {
  Target tail("/v1/tail");
  tail.with("topics", "swarm,task").with("swarm", id);
  auto stream = session.client.follow(tail.text());  // first, so that nothing falls in between
  if (!stream) return tell(stream.error());
  const auto target = path_of("/v1/swarms/", id);
  if (id.empty()) return watch_plainly(session, *stream, target, false);
  auto swarm = session.fetch("GET", target);
  if (!swarm) return swarm.error();
  if (is_over(*swarm)) {
    if (session.output == Output::json) {
      print(to_text(*swarm) + "\n");
    } else {
      print(swarm_end_page(*swarm, session.style));
    }
    return exit_of(*swarm);
  }
  if (session.terminal && session.output == Output::page) {
    return watch_live(session, *stream, target, std::move(*swarm));
  }
  return watch_plainly(session, *stream, target, true);
}

int show_top(const Session& session, int interval_seconds, int count) {
  const bool live = session.terminal && session.output == Output::page;
  int left = count > 0 ? count : (live ? -1 : 1);
  while (left != 0) {
    const auto status = session.fetch("GET", "/v1/status");
    if (!status) return status.error();
    const auto swarms = session.fetch("GET", "/v1/swarms?state=running&limit=10");
    if (!swarms) return swarms.error();
    const auto decisions = session.fetch("GET", "/v1/decisions?limit=10");
    if (!decisions) return decisions.error();
    if (session.output == Output::json) {
      const json::value all = json::object{{"status", *status},
                                           {"swarms", *find_path(*swarms, "swarms")},
                                           {"decisions", *find_path(*decisions, "decisions")}};
      print(to_text(all) + "\n");
    } else {
      auto style = session.style;
      style.now = wall_now();
      print((live ? "\033[H\033[2J" : "") + top_page(*status, *swarms, *decisions, style));
    }
    if (left > 0) --left;
    if (left != 0) std::this_thread::sleep_for(std::chrono::seconds{interval_seconds});
  }
  return exit_ok;
}

}  // namespace vigil::ctl
