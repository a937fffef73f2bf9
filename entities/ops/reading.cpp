#include "entities/ops/reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t unit_bytes_max = 40;
constexpr std::size_t problem_bytes_max = 300;
constexpr std::size_t lines_max = 500;

json::object entry_of(const Reading& reading) {
  json::object out{{"name", reading.name}, {"value", reading.value}};
  if (!reading.labels.empty()) {
    json::object labels;
    for (const auto& [name, value] : reading.labels) labels[name] = value;
    out["labels"] = std::move(labels);
  }
  if (!reading.unit.empty()) out["unit"] = reading.unit;
  if (reading.at) out["at"] = to_rfc3339(*reading.at);
  return out;
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

std::optional<Reading> reading_of(const json::value& entry) {
  const auto* value = find_path(entry, "value");
  if (value == nullptr || !value->is_number()) return std::nullopt;
  Reading out;
  out.name = text_at(entry, "name", label_name_bytes_max);
  out.value = value->to_number<double>();
  if (out.name.empty() || !std::isfinite(out.value)) return std::nullopt;
  out.labels = labels_of(entry);
  out.unit = text_at(entry, "unit", unit_bytes_max);
  out.at = time_at(entry, "at");
  return out;
}

}  // namespace

std::string Reading::series() const {
  return labels.empty() ? name : fmt::format("{}{{{}}}", name, ops::to_text(labels));
}

void Readings::add(Reading reading) {
  if (!std::isfinite(reading.value)) {
    problem(fmt::format("{} is not a number", reading.series()));
    return;
  }
  if (all_.size() >= count_max) {
    ++beyond_;
    return;
  }
  reading.name = plain(reading.name, label_name_bytes_max);
  reading.unit = plain(reading.unit, unit_bytes_max);
  Labels kept;
  for (const auto& [name, value] : reading.labels) add_label(kept, name, value);
  reading.labels = std::move(kept);
  all_.push_back(std::move(reading));
}

void Readings::add(std::string_view name, double value, std::string_view unit, Labels labels) {
  add(Reading{std::string(name), std::move(labels), value, std::string(unit), {}});
}

void Readings::problem(std::string_view what) {
  if (problems_.size() >= problems_max) {
    ++problems_beyond_;
    return;
  }
  problems_.push_back(plain(what, problem_bytes_max));
}

const Reading* Readings::find(std::string_view name, const Labels& labels) const {
  const auto found = std::ranges::find_if(all_, [&](const Reading& one) {
    return one.name == name && std::ranges::all_of(labels, [&](const auto& label) {
             const auto own = one.labels.find(label.first);
             return own != one.labels.end() && own->second == label.second;
           });
  });
  return found == all_.end() ? nullptr : &*found;
}

json::object Readings::to_json() const {
  json::array list;
  list.reserve(all_.size());
  for (const auto& one : all_) list.push_back(entry_of(one));
  json::object out{{"readings", std::move(list)}, {"text", table_of(*this)}};
  json::array said;
  for (const auto& one : problems_) said.emplace_back(one);
  if (problems_beyond_ > 0) {
    said.emplace_back(fmt::format("{} further problems", problems_beyond_));
  }
  if (beyond_ > 0) {
    said.emplace_back(fmt::format("{} readings beyond the first {} are left out: select fewer",
                                  beyond_, count_max));
    out["beyond"] = beyond_;
  }
  if (!said.empty()) out["problems"] = std::move(said);
  return out;
}

Readings Readings::from_json(const json::value& result) {
  Readings out;
  const auto* problems = find_path(result, "problems");
  if (problems != nullptr && problems->is_array()) {
    for (const auto& one : problems->get_array()) {
      if (one.is_string()) out.problem(one.get_string());
    }
  }
  const auto* list = find_path(result, "readings");
  if (list == nullptr || !list->is_array()) return out;
  std::size_t no_readings = 0;
  for (const auto& entry : list->get_array()) {
    auto one = reading_of(entry);
    if (one) {
      out.add(std::move(*one));
    } else {
      ++no_readings;
    }
  }
  if (no_readings > 0) out.problem(fmt::format("{} entries are no readings", no_readings));
  return out;
}

std::string amount_text(double value, std::string_view unit) {
  if (unit == "bytes" && std::abs(value) >= 1024) {
    constexpr std::array<std::string_view, 6> units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t at = 0;
    double rest = value / 1024;
    for (; std::abs(rest) >= 1024 && at + 1 < units.size(); ++at) rest /= 1024;
    return fmt::format("{:.1f} {}", rest, units[at]);
  }
  const bool large = std::abs(value) >= 1e6 && std::abs(value) < 1e15;
  const auto number = large ? fmt::format("{:.0f}", value) : fmt::format("{:.6g}", value);
  return unit.empty() ? number : fmt::format("{} {}", number, unit);
}

std::string table_of(const Readings& readings) {
  std::size_t width = 0;
  const auto& all = readings.all();
  for (std::size_t at = 0; at < std::min(all.size(), lines_max); ++at) {
    width = std::max(width, std::min<std::size_t>(all[at].series().size(), 70));
  }
  std::string out;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (at == lines_max) {
      out += fmt::format("... and {} more\n", all.size() - lines_max);
      break;
    }
    const auto& one = all[at];
    const auto when = one.at ? "  " + to_rfc3339(*one.at) : std::string();
    out +=
        fmt::format("{:<{}}  {}{}\n", one.series(), width, amount_text(one.value, one.unit), when);
  }
  for (const auto& one : readings.problems()) out += "not read: " + one + "\n";
  if (readings.beyond() > 0) out += fmt::format("{} readings are left out\n", readings.beyond());
  return out;
}

}  // namespace vigil::entities::ops
