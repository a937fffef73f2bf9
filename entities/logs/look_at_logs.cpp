#include "entities/logs/look_at_logs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <numeric>

#include "entities/logs/input.hpp"
#include "entities/logs/state_file.hpp"
#include "entities/logs/survey.hpp"
#include "entities/ops/reading.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::logs {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t told_max = 50;  // kinds with a reading of their own
constexpr std::size_t stretches_wanted = 4;

json::object to_json(const Kind& kind) {
  json::object out{{"id", kind.id},          {"kind", kind.text},
                   {"count", kind.count},    {"latest", kind.latest},
                   {"usual", kind.usual},    {"severity", to_text(kind.severity)},
                   {"example", kind.example}};
  if (kind.unlike != Unlike::nothing) out["unlike"] = to_text(kind.unlike);
  return out;
}

std::string line_of(const Kind& kind) {
  auto out = fmt::format("{:>8}  {:7}  {}", kind.count, to_text(kind.severity), kind.text);
  if (kind.unlike != Unlike::nothing) {
    out += fmt::format("  [{}: {} in the latest stretch, {:g} is usual]", to_text(kind.unlike),
                       kind.latest, kind.usual);
  }
  return out + "\n";
}

void say_problems(const Survey& survey, const LinesRead& read, ops::Readings& out) {
  if (survey.messages > 0 && !survey.end) {
    out.problem("no line says when it was written: nothing can be compared with the past");
  } else if (survey.stretches < stretches_wanted) {
    out.problem(
        fmt::format("the log holds {} whole stretches before the latest: {} or more are "
                    "needed to know what is usual",
                    survey.stretches, stretches_wanted));
  }
  if (survey.forgotten > 0) {
    out.problem(fmt::format("{} kinds were forgotten: there are too many", survey.forgotten));
  }
  if (read.cut > 0) out.problem(fmt::format("{} lines were too long and were cut", read.cut));
}

ops::Readings readings_of(const Survey& survey) {
  ops::Readings out;
  for (std::size_t at = 0; at < severities; ++at) {
    out.add("log.messages", static_cast<double>(survey.latest[at]), {},
            {{"severity", std::string(to_text(static_cast<Severity>(at)))}});
  }
  const auto latest = std::accumulate(survey.latest.begin(), survey.latest.end(), std::uint64_t{0});
  if (latest > 0) {
    const auto errors = survey.latest[static_cast<std::size_t>(Severity::error)];
    out.add("log.error_share", 100 * static_cast<double>(errors) / static_cast<double>(latest),
            "percent");
  }
  out.add("log.errors_unusual", survey.errors == Unlike::more ? 1 : 0);
  out.add("log.kinds", static_cast<double>(survey.kinds.size()));
  std::array<int, 4> counts{};
  std::size_t told = 0;
  for (const auto& kind : survey.kinds) {
    ++counts[static_cast<std::size_t>(kind.unlike)];
    if (kind.unlike == Unlike::nothing || told++ >= told_max) continue;
    out.add("log.unlike", static_cast<double>(kind.latest), {},
            {{"unlike", std::string(to_text(kind.unlike))},
             {"severity", std::string(to_text(kind.severity))},
             {"id", kind.id},
             {"message", to_valid_utf8(kind.text.substr(0, 200))}});
  }
  for (const auto unlike : {Unlike::fresh, Unlike::more, Unlike::silent}) {
    out.add(fmt::format("log.{}", to_text(unlike)), counts[static_cast<std::size_t>(unlike)]);
  }
  return out;
}

std::string summary_of(const Survey& survey, Duration stretch) {
  auto out = fmt::format("{} messages of {} kinds", survey.messages, survey.kinds.size());
  if (!survey.end) return out;
  const auto unlike = std::ranges::count_if(
      survey.kinds, [](const Kind& kind) { return kind.unlike != Unlike::nothing; });
  return out + fmt::format(" from {} to {}; in the latest {} {} unlike the past",
                           to_rfc3339(*survey.begin), to_rfc3339(*survey.end),
                           vigil::to_text(stretch),
                           unlike == 1 ? "1 is" : fmt::format("{} are", unlike));
}

}  // namespace

Result<json::value> look_at_logs(const Request& request) {
  if (auto known = ops::known_members(request.input, {"window", "top", "bytes", "state"}); !known) {
    return std::unexpected(known.error());
  }
  const auto stretch = ops::time_in(request.input, "window", 10min);
  if (!stretch) return std::unexpected(stretch.error());
  if (*stretch < 1s) return fail(ErrorCode::invalid_input, "window: expected 1s or more");
  const auto top = ops::number_in(request.input, "top", 20);
  if (!top) return std::unexpected(top.error());
  Surveyor surveyor(*stretch, std::chrono::floor<Duration>(std::chrono::system_clock::now()));
  const auto state = ops::text_in(request.input, "state", "");
  if (!state.empty()) {
    if (auto loaded = load_state(state, surveyor); !loaded) return std::unexpected(loaded.error());
  }
  const auto read = read_lines(request, [&](std::string_view line) { surveyor.take(line); });
  if (!read) return std::unexpected(read.error());
  if (!state.empty()) {
    if (auto saved = save_state(state, surveyor); !saved) return std::unexpected(saved.error());
  }
  const auto survey = std::move(surveyor).end();
  auto readings = readings_of(survey);
  say_problems(survey, *read, readings);
  auto out = readings.to_json();
  json::array kinds;
  std::string text;
  for (const auto& kind : survey.kinds) {
    if (static_cast<double>(kinds.size()) >= *top) break;
    kinds.push_back(to_json(kind));
    text += line_of(kind);
  }
  if (survey.kinds.size() > kinds.size()) {
    text += fmt::format("{:>8}  kinds more: --top {}\n", survey.kinds.size() - kinds.size(),
                        survey.kinds.size());
  }
  for (const auto& problem : readings.problems()) text += problem + "\n";
  out["kinds"] = std::move(kinds);
  out["summary"] = summary_of(survey, *stretch);
  out["text"] = text + summary_of(survey, *stretch) + "\n";
  return json::value(std::move(out));
}

}  // namespace vigil::entities::logs
