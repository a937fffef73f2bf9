#include "entities/ops/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "entities/ops/hypotheses.hpp"
#include "entities/ops/silence.hpp"

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;
using config::OpsCommand;

constexpr Duration window = 15min;
constexpr std::size_t output_bytes_max = 64 * 1024;
constexpr std::size_t item_bytes_max = 8 * 1024;
constexpr std::size_t line_bytes_max = 300;

// Reading of other processes, of the journal and of the service manager is what containment
// forbids, so these run without; they read alone.
OpsCommand look(std::string name, std::vector<std::string> argv) {
  OpsCommand out;
  out.name = std::move(name);
  out.argv = std::move(argv);
  out.sandbox = "none";
  return out;
}

std::vector<OpsCommand> built_in(const config::Ops& settings) {
  std::vector<OpsCommand> out;
  out.push_back(look("journal", {"journalctl", "--no-pager", "--output=short-iso", "--lines=200",
                                 "--since={since}", "--until={until}", "--unit={unit}"}));
  out.push_back(
      look("journal-errors", {"journalctl", "--no-pager", "--output=short-iso", "--lines=50",
                              "--priority=err", "--since={since}", "--until={until}"}));
  out.push_back(look("cpu", {"ps", "-eo", "pcpu,pmem,rss,etimes,user,comm", "--sort=-pcpu"}));
  out.push_back(look("memory", {"ps", "-eo", "pmem,rss,pcpu,etimes,user,comm", "--sort=-rss"}));
  out.push_back(look("load", {"cat", "/proc/loadavg", "/proc/meminfo"}));
  out.push_back(look("disk", {"df", "-h", "--output=target,pcent,avail,fstype"}));
  out.push_back(look("failed-units", {"systemctl", "--no-pager", "--no-legend", "--failed"}));
  int number = 0;
  for (const auto& repository : settings.repositories) {
    out.push_back(
        look(fmt::format("commits-{}", ++number), {"git", "-C", repository, "log", "--since={day}",
                                                   "--max-count=20", "--format=%h %cI %an: %s"}));
  }
  return out;
}

// How many lines of an output are worth keeping: lists are sorted, journals end with the newest.
std::string excerpt(const std::string& text, bool newest) {
  if (text.size() <= item_bytes_max) return text;
  return newest ? text.substr(text.size() - item_bytes_max) : text.substr(0, item_bytes_max);
}

std::string text_of(const json::value& result) {
  if (result.is_string()) return std::string(result.get_string());
  return result.is_null() ? "" : vigil::to_text(result);
}

// Columns of a table in one line need no more than a blank between them.
std::string_view squeezed(std::string& line) {
  const auto end = std::ranges::unique(line, [](char a, char b) { return a == ' ' && b == ' '; });
  line.erase(end.begin(), line.end());
  return line;
}

// The first lines of a list, the last of a journal, as one.
std::string gist(const std::string& text, bool newest) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    std::string whole = text.substr(at, end - at);
    auto line = plain(squeezed(whole), 120);
    if (!line.empty()) lines.push_back(std::move(line));
    at = end + 1;
  }
  constexpr std::size_t told = 4;
  const auto from = newest && lines.size() > told ? lines.size() - told : 0;
  std::string out;
  for (std::size_t i = from; i < lines.size() && i < from + told; ++i) {
    out += (out.empty() ? "" : " / ") + lines[i];
  }
  return plain(out, line_bytes_max);
}

}  // namespace

bool is_plain_argument(std::string_view text) {
  if (text.empty() || text.size() > 100 || text.front() == '-' || text.front() == '.') return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.@:-").find(c) != std::string_view::npos;
  });
}

std::optional<std::vector<std::string>> filled(const std::vector<std::string>& argv,
                                               const Fillings& fillings) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    std::string text = argv[i];
    if (i == 0) {  // which program runs is never taken from an event
      out.push_back(std::move(text));
      continue;
    }
    std::string done;
    for (std::size_t at = 0; at < text.size();) {
      const auto open = text.find('{', at);
      const auto close = open == std::string::npos ? open : text.find('}', open);
      done += text.substr(at, std::min(open, text.size()) - at);
      if (open == std::string::npos) break;
      if (close == std::string::npos) {
        done += text.substr(open);
        break;
      }
      const auto found = fillings.find(text.substr(open + 1, close - open - 1));
      if (found == fillings.end() || !is_plain_argument(found->second)) return std::nullopt;
      done += found->second;
      at = close + 1;
    }
    out.push_back(std::move(done));
  }
  return out;
}

std::vector<OpsCommand> evidence_commands(const config::Ops& settings) {
  auto out = built_in(settings);
  for (const auto& command : settings.evidence) {
    std::erase_if(out, [&](const auto& one) { return one.name == command.name; });
    if (!command.argv.empty()) out.push_back(command);
  }
  return out;
}

swarm::Plan plan_evidence(const config::Ops& settings, const Incident& incident, TimePoint now,
                          std::string title) {
  Fillings fillings;
  const auto seconds = [](TimePoint at) { return to_unix_us(at) / 1'000'000; };
  for (const auto& [name, value] : incident.shared) fillings["label:" + name] = value;
  for (const auto& name : settings.unit_labels) {
    const auto found = incident.shared.find(name);
    if (found == incident.shared.end() || fillings.contains("unit")) continue;
    if (is_plain_argument(found->second)) fillings["unit"] = found->second;
  }
  // journalctl reads @ and seconds; git reads a date.
  fillings["since"] = fmt::format("@{}", seconds(now - window));
  fillings["until"] = fmt::format("@{}", seconds(now + 1min));
  fillings["day"] = to_rfc3339(now - 24h);
  swarm::Plan plan;
  plan.title = std::move(title);
  for (const auto& command : evidence_commands(settings)) {
    const auto matchers = parse_matchers(command.match);
    if (!matchers || !all_match(*matchers, incident.shared)) continue;
    auto argv = filled(command.argv, fillings);
    if (!argv) continue;
    swarm::Task task;
    task.name = command.name;
    task.argv = std::move(*argv);
    task.timeout = command.timeout;
    task.optional = true;
    task.read_paths = command.read_paths;
    task.output_bytes_max = output_bytes_max;
    if (command.sandbox == "none") task.containment = swarm::Containment::none;
    if (command.sandbox == "net") task.containment = swarm::Containment::net;
    plan.tasks.push_back(std::move(task));
  }
  plan.timeout = 1min;
  return plan;
}

Bundle bundle_of(const swarm::Report& report, const std::vector<std::string>& from_memory) {
  Bundle out;
  int number = 0;
  std::map<std::string, std::string> ids;
  const json::value* guessed = nullptr;
  for (const auto& line : from_memory) {
    ids[fmt::format("E{}", number + 1)] = fmt::format("E{}", number + 1);
    out.lines.push_back(fmt::format("E{} {}", ++number, line));
    out.document += fmt::format("## E{}\n\n{}\n\n", number, marked(line, 1000));
  }
  for (const auto& task : report.tasks) {
    if (task.name == hypotheses_task) {
      if (task.state == swarm::TaskState::done) guessed = &task.result;
      continue;  // a guess is no evidence
    }
    ids[task.name] = fmt::format("E{}", number + 1);
    const bool newest = task.name.starts_with("journal");
    const auto id = fmt::format("E{} {}", ++number, task.name);
    if (task.state != swarm::TaskState::done) {
      const auto why = task.error.empty() ? std::string("it did not end") : task.error;
      out.lines.push_back(fmt::format("{}: could not look: {}", id, plain(why, 160)));
      out.document += fmt::format("## {}\n\ncould not look: {}\n\n", id, marked(why, 500));
      continue;
    }
    const auto text = to_valid_utf8(excerpt(text_of(task.result), newest));
    const auto told = gist(text, newest);
    out.lines.push_back(fmt::format("{}: {}", id, told.empty() ? "nothing" : told));
    out.document += fmt::format("## {}\n\n", id);
    // Indented text is code: nothing in it is markup, and no fence in it can end it.
    std::string code = "    ";
    for (const char c : text) {
      code += c;
      if (c == '\n') code += "    ";
    }
    out.document += code + "\n\n";
  }
  if (guessed == nullptr) return out;
  for (const auto& line : hypotheses_of(*guessed, ids)) {
    out.lines.push_back(line);
    out.document += fmt::format("{}\n\n", marked(line, 1000));
  }
  return out;
}

}  // namespace vigil::entities::ops
