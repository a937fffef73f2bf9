// What is drawn again and again: swarms while they run, and top. Plain lines when standard output
// is no terminal.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <thread>

#include "ctl/pages.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

using namespace std::chrono_literals;

TimePoint wall_now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

bool is_over(const json::value& swarm) {
  const auto state = text_at(swarm, "state");
  return state != "planned" && state != "running";
}

// Draws over what it drew before.
class Canvas {
 public:
  void draw(const std::string& page, const Style& style) {
    std::string out = lines_ > 0 ? fmt::format("\033[{}A\r\033[J", lines_) : "";
    out += page;
    print(out);
    lines_ = 0;
    // A line longer than the terminal takes several of its lines.
    std::string_view rest = page;
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      const auto width = display_width(rest.substr(0, end));
      const auto columns = static_cast<std::size_t>(std::max(style.width, 20));
      lines_ += static_cast<int>(std::max<std::size_t>(1, (width + columns - 1) / columns));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
  }

 private:
  int lines_ = 0;
};

// Takes a task's news into the swarm as it was fetched.
void apply_news(json::value& swarm, const json::value& news) {
  auto* tasks = swarm.as_object().if_contains("tasks");
  if (tasks == nullptr || !tasks->is_array()) return;
  const auto name = find_text(news, "task").value_or("");
  for (auto& task : tasks->get_array()) {
    if (find_text(task, "name") != name) continue;
    auto& row = task.as_object();
    const std::string state(find_text(news, "state").value_or(""));
    if (state == "running" && find_text(task, "state") != "running") {
      if (const auto at = find_text(news, "at")) row["started"] = *at;
    }
    row["state"] = state;
    row["took_us"] = number_at(news, "took_us");
    row["attempts"] = number_at(news, "attempt");
    return;
  }
}

int watch_live(const Session& session, Stream& stream, const std::string& target,
               json::value swarm) {
  Canvas canvas;
  while (!is_over(swarm)) {
    auto style = session.style;
    style.now = wall_now();
    canvas.draw(watch_page(swarm, style), style);
    // What came meanwhile is taken in at once; then drawn, ten times a second at most.
    const auto until = std::chrono::steady_clock::now() + 100ms;
    bool ended = false;
    json::object item;
    auto heard = stream.next(item, 1s);
    while (heard == Stream::Heard::item) {
      const json::value news(std::move(item));
      if (text_at(news, "topic") == "task") apply_news(swarm, news);
      if (text_at(news, "topic") == "swarm") ended = is_over(news);
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (ended || left.count() <= 0) break;
      heard = stream.next(item, left);
    }
    if (heard == Stream::Heard::ended) {
      print_error("vigilctl: the daemon ended the connection\n");
      return exit_unreachable;
    }
    if (!ended) continue;
    auto fetched = session.fetch("GET", target);
    if (!fetched) return fetched.error();
    swarm = std::move(*fetched);
  }
  auto style = session.style;
  style.now = wall_now();
  canvas.draw(swarm_page(swarm, style), style);
  return text_at(swarm, "state") == "done" ? exit_ok : exit_failed;
}

// One line for each thing that happens; ends with the swarm when one was named.
int watch_plainly(const Session& session, Stream& stream, const std::string& target, bool one) {
  json::object item;
  while (stream.next(item) == Stream::Heard::item) {
    const json::value news(item);
    print(session.output == Output::json ? to_text(news) + "\n" : news_line(news, session.style));
    if (!one || text_at(news, "topic") != "swarm" || !is_over(news)) continue;
    if (session.output == Output::page) (void)session.get(target, swarm_page);
    return text_at(news, "state") == "done" ? exit_ok : exit_failed;
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
      print(swarm_page(*swarm, session.style));
    }
    return text_at(*swarm, "state") == "done" ? exit_ok : exit_failed;
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
