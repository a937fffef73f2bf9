#include "entities/series/analysers.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>

#include "entities/series/counter.hpp"
#include "entities/series/detector.hpp"
#include "entities/series/forecast.hpp"

namespace vigil::entities::series {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024 * 1024;

Result<std::string> read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(file_bytes_max + 1, '\0');
  if (!in || !in.read(text.data(), 1)) {
    return fail(ErrorCode::invalid_input, fmt::format("cannot read \"{}\", or it is empty", path));
  }
  in.read(text.data() + 1, static_cast<std::streamsize>(file_bytes_max));
  const auto got = static_cast<std::size_t>(in.gcount()) + 1;
  if (got > file_bytes_max) {
    return fail(ErrorCode::invalid_input,
                fmt::format("\"{}\" is larger than {} MiB: give a shorter stretch of time", path,
                            file_bytes_max / (1024 * 1024)));
  }
  text.resize(got);
  return text;
}

Result<std::vector<Point>> points_of(const Request& request) {
  const auto* files = find_path(request.input, "files");
  if (files == nullptr || !files->is_array() || files->get_array().size() != 1 ||
      !files->get_array().front().is_string()) {
    return fail(ErrorCode::invalid_input, "give one file of lines \"timestamp,value\"");
  }
  const auto text = read_whole(std::string(std::string_view(files->get_array()[0].get_string())));
  if (!text) return std::unexpected(text.error());
  return parse_rows(*text);
}

// By hand it comes as text.
Result<bool> is_counter(const Request& request) {
  const auto* found = find_path(request.input, "counter");
  if (found == nullptr) return false;
  if (found->is_bool()) return found->get_bool();
  const std::string_view text = found->is_string() ? found->get_string() : std::string_view{};
  if (text == "yes" || text == "true") return true;
  if (text == "no" || text == "false") return false;
  return fail(ErrorCode::invalid_input, "counter: expected yes or no: --counter yes");
}

// By hand a number may come as the text that was typed.
std::optional<double> limit_of(const Request& request) {
  const auto* found = find_path(request.input, "limit");
  if (found == nullptr) return std::nullopt;
  if (found->is_number()) return found->to_number<double>();
  if (!found->is_string()) return std::nullopt;
  const std::string_view text = found->get_string();
  double limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return limit;
}

Result<json::value> run_forecast(const Request& request) {
  const auto limit = limit_of(request);
  if (!limit) return fail(ErrorCode::invalid_input, "limit is missing: --limit NUMBER");
  const auto counter = is_counter(request);
  if (!counter) return std::unexpected(counter.error());
  const auto points = points_of(request);
  if (!points) return std::unexpected(points.error());
  const auto trend = trend_of(*counter ? totals_of(*points) : *points);
  if (!trend) {
    return fail(ErrorCode::invalid_input, "a forecast needs eight values at different times");
  }
  const auto eta = reaches(*trend, *limit);
  json::object out;
  out["summary"] = eta.why;
  out["text"] = eta.why + "\n";
  out["per_day"] = trend->per_day;
  out["agreement"] = trend->agreement;
  out["level"] = trend->level_now;
  if (eta.left) out["reached_at"] = to_rfc3339(trend->last + *eta.left);
  return json::value(std::move(out));
}

Result<json::value> run_anomalies(const Request& request) {
  const auto counter = is_counter(request);
  if (!counter) return std::unexpected(counter.error());
  auto points = points_of(request);
  if (!points) return std::unexpected(points.error());
  if (*counter) *points = rates_of(*points);
  Detector detector;
  std::string text;
  json::array anomalies;
  for (const auto& point : *points) {
    const auto finding = detector.observe(point.at, point.value);
    if (!finding.is_anomaly) continue;
    json::object one;
    one["at"] = to_rfc3339(point.at);
    one["score"] = finding.score;
    one["reason"] = finding.reason;
    anomalies.push_back(std::move(one));
    text += fmt::format("{}  {:.2f}  {}\n", to_rfc3339(point.at), finding.score, finding.reason);
  }
  const auto summary = fmt::format("{} unusual of {} points", anomalies.size(), points->size());
  json::object out;
  out["summary"] = summary;
  out["text"] = text + summary + "\n";
  out["anomalies"] = std::move(anomalies);
  return json::value(std::move(out));
}

constexpr std::array table{
    Analyser{"series.anomalies", "what is unusual in a series, with times and reasons",
             "one file of lines \"timestamp,value\"; counter (yes: it only grows, or starts anew)",
             run_anomalies},
    Analyser{"series.forecast", "when a series that grows reaches a limit, such as a full disk",
             "one file of lines \"timestamp,value\"; limit; counter", run_forecast},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

}  // namespace vigil::entities::series
