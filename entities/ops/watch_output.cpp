// What programs print that were written for other monitoring systems, as readings.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>

#include "entities/ops/reading.hpp"
#include "entities/ops/watch_look.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t output_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t perfdata_max = 1000;

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// The number that the text begins with; what follows is left in it.
std::optional<double> leading_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

json::object reading(std::string_view name, double value, std::string_view unit, Labels labels) {
  json::object out{{"name", name}, {"value", value}};
  if (!unit.empty()) out["unit"] = plain(unit, 20);
  json::object all;
  for (const auto& [label, text] : labels) all[label] = text;
  if (!all.empty()) out["labels"] = std::move(all);
  return out;
}

// 'label'=value[UOM];warn;crit;min;max: takes one off the text.
bool take_perfdata(std::string_view& text, json::array& readings, std::size_t& no_numbers) {
  text = trimmed(text);
  if (text.empty()) return false;
  std::string label;
  if (text.front() == '\'') {
    std::size_t at = 1;
    for (; at < text.size(); ++at) {
      if (text[at] == '\'' && at + 1 < text.size() && text[at + 1] == '\'') {
        ++at;  // two of them stand for one
      } else if (text[at] == '\'') {
        break;
      }
      label += text[at];
    }
    text.remove_prefix(std::min(at + 1, text.size()));
    if (!text.starts_with('=')) return false;
  } else {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return false;
    label = trimmed(text.substr(0, equals));
    text.remove_prefix(equals);
  }
  text.remove_prefix(1);
  const auto end = std::min(text.find_first_of(" \t\r\n"), text.size());
  auto value = text.substr(0, end);
  text.remove_prefix(end);
  value = value.substr(0, value.find(';'));
  const auto number = leading_number(value);  // U: the plugin could not say
  if (!number) {
    ++no_numbers;
    return true;
  }
  readings.push_back(reading("perfdata", *number, value, {{"label", plain(label, 200)}}));
  return true;
}

// TEXT | PERFDATA, then lines of long text of which a later one may hold more after its own |.
json::object plugin_output(std::string_view text) {
  json::array readings;
  json::array problems;
  std::size_t no_numbers = 0;
  std::size_t beyond = 0;
  const auto first = text.substr(0, text.find('\n'));
  const auto said = plain(trimmed(first.substr(0, first.find('|'))), 300);
  bool in_long_perfdata = false;
  int line_number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto bar = line.find('|');
    const bool all = in_long_perfdata;
    if (bar != std::string_view::npos && !all) {
      in_long_perfdata = line_number > 0;
      line.remove_prefix(bar + 1);
    }
    ++line_number;
    if (bar == std::string_view::npos && !all) continue;
    while (readings.size() < perfdata_max && take_perfdata(line, readings, no_numbers)) {
    }
    if (readings.size() >= perfdata_max && !trimmed(line).empty()) ++beyond;
  }
  if (no_numbers > 0) problems.emplace_back(fmt::format("{} values are no numbers", no_numbers));
  if (beyond > 0) problems.emplace_back(fmt::format("only {} values were read", perfdata_max));
  return {{"form", "plugin"},
          {"text", said},
          {"readings", std::move(readings)},
          {"problems", std::move(problems)}};
}

json::object cut_to_bounds(json::object from) {
  auto& list = from["readings"].as_array();
  if (list.size() > readings_max) {
    from["beyond"] = list.size() - readings_max;
    list.resize(readings_max);
  }
  from["form"] = "readings";
  return from;
}

}  // namespace

Result<json::object> readings_of_output(const json::value& output) {
  if (output.is_object()) {
    const auto* list = find_path(output, "readings");
    if (list != nullptr && list->is_array()) return cut_to_bounds(output.get_object());
  }
  if (output.is_number()) {
    return json::object{
        {"form", "number"},
        {"readings", json::array{reading("value", output.to_number<double>(), "", {})}}};
  }
  if (!output.is_string()) {
    return fail(ErrorCode::invalid_input,
                "it printed JSON without readings: print {\"readings\": [{\"name\": \"queue\", "
                "\"value\": 3}]}, a number, or a line as Nagios plugins do");
  }
  const std::string_view text = output.get_string();
  if (text.size() > output_bytes_max) {
    return fail(ErrorCode::too_large, "it printed more than 4 MiB");
  }
  if (!is_valid_utf8(text)) return readings_of_output(json::value(to_valid_utf8(text)));
  auto rest = trimmed(text);
  if (rest.empty()) return fail(ErrorCode::invalid_input, "it printed nothing");
  if (rest.front() == '{' || rest.front() == '[') {
    auto parsed = parse_json(rest);
    if (parsed) return readings_of_output(*parsed);
    return fail(ErrorCode::invalid_input,
                "it printed JSON with a mistake, or more than is kept: " + parsed.error().message);
  }
  auto after = rest;
  if (const auto number = leading_number(after); number && after.find('\n') == after.npos &&
                                                 after.find('|') == after.npos &&
                                                 trimmed(after).size() <= 20) {
    return json::object{{"form", "number"},
                        {"readings", json::array{reading("value", *number, trimmed(after), {})}}};
  }
  return plugin_output(rest);
}

Result<json::value> run_readings(const Request& request) {
  json::value output;
  if (const auto* look = request.inputs.if_contains("look")) {
    output = *look;
  } else {
    const auto file = find_text(request.input, "files.0");
    if (!file) {
      return fail(ErrorCode::invalid_input, "name a file that holds what a program printed");
    }
    std::ifstream in{std::string(*file), std::ios::binary};
    if (!in) return fail(ErrorCode::not_found, fmt::format("{} cannot be read", *file));
    std::string text(output_bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    output = json::value(text);
  }
  auto out = readings_of_output(output);
  if (!out) return std::unexpected(std::move(out.error()));
  if (!request.inputs.contains("look")) {  // by hand: what was read of it, too
    const auto said = find_text(json::value(*out), "text").value_or("");
    const auto table = table_of(Readings::from_json(*out));
    (*out)["text"] = fmt::format("{}{}{}", said, said.empty() ? "" : "\n", table);
  }
  return json::value(std::move(*out));
}

}  // namespace vigil::entities::ops
