#include "entities/ops/watch_look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "entities/ops/reading.hpp"
#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t problems_max = 5;

std::optional<double> number_of(const json::value* value) {
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double number = value->to_number<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

Labels labels_of(const json::value& entry) {
  Labels out;
  const auto* found = find_path(entry, "labels");
  if (found == nullptr || !found->is_object()) return out;
  for (const auto& [name, value] : found->get_object()) {
    if (out.size() >= labels_max) break;
    if (value.is_string()) add_label(out, name, value.get_string());
    if (value.is_number()) add_label(out, name, vigil::to_text(value));
  }
  return out;
}

}  // namespace

std::string Measured::series() const {
  return labels.empty() ? name : fmt::format("{}{{{}}}", name, to_text(labels));
}

std::string Measured::value_text() const { return amount_text(value, unit); }

Look read_look(const json::value& result) {
  Look out;
  out.is_plugin = find_text(result, "form").value_or("") == "plugin";
  out.text = text_at(result, "text", 300);
  if (const auto* list = find_path(result, "problems"); list != nullptr && list->is_array()) {
    for (const auto& problem : list->get_array()) {
      if (!problem.is_string() || out.problems.size() >= problems_max) continue;
      out.problems.push_back(plain(problem.get_string(), 200));
    }
  }
  out.beyond = static_cast<std::size_t>(
      std::max<std::int64_t>(0, find_integer(result, "beyond").value_or(0)));
  const auto* list = find_path(result, "readings");
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& entry : list->get_array()) {
    if (out.readings.size() >= readings_max) {
      out.beyond += list->get_array().size() - readings_max - out.no_numbers;
      break;
    }
    const auto value = number_of(find_path(entry, "value"));
    Measured one;
    one.name = text_at(entry, "name", label_name_bytes_max);
    if (!value || one.name.empty()) {
      ++out.no_numbers;
      continue;
    }
    one.value = *value;
    one.labels = labels_of(entry);
    one.unit = text_at(entry, "unit", 40);
    one.at = time_at(entry, "at");
    out.readings.push_back(std::move(one));
  }
  return out;
}

}  // namespace vigil::entities::ops
