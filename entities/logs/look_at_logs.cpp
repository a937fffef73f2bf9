#include "entities/logs/look_at_logs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <ranges>

#include "entities/logs/input.hpp"
#include "entities/logs/line.hpp"
#include "entities/logs/miner.hpp"
#include "entities/ops/reading.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::logs {

Result<json::value> look_at_logs(const Request& request) {
  if (auto known = ops::known_members(request.input, {"state", "top"}); !known) {
    return std::unexpected(known.error());
  }
  const auto top = ops::number_in(request.input, "top", 20);
  if (!top) return std::unexpected(top.error());
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  Miner miner;
  const auto read = read_lines(
      request, [&](std::string_view line) { (void)miner.observe(read_line(line, now).content); });
  if (!read) return std::unexpected(read.error());
  std::vector<const Template*> all;
  for (const auto id : miner.by_age()) all.push_back(miner.find(id));
  std::ranges::sort(all, std::greater<>{}, &Template::lines);
  ops::Readings readings;
  readings.add("log.lines", static_cast<double>(read->lines));
  readings.add("log.templates", static_cast<double>(all.size()));
  std::string text;
  for (const auto* one : all | std::views::take(static_cast<std::ptrdiff_t>(*top))) {
    text += fmt::format("{:>8}  {}\n", one->lines, one->text());
  }
  auto out = readings.to_json();
  out["text"] = text + fmt::format("{} lines of {} kinds\n", read->lines, all.size());
  return json::value(std::move(out));
}

}  // namespace vigil::entities::logs
