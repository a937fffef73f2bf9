#pragma once
// What an analyser measured: {"readings": [{"name", "labels", "value", "unit"?, "at"?}],
// "problems":
// ["what could not be read"], "text"}. One form for all of them, so that a watch can judge any.
// Pure; any thread.
#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

struct Reading {
  std::string name;             // disk.free
  Labels labels;                // {mount: "/"}
  double value = 0;             // finite
  std::string unit;             // percent, bytes, seconds, days, per second, a currency; or empty
  std::optional<TimePoint> at;  // absent: now

  std::string series() const;  // disk.free{mount="/"}
};

// Everything that one run measured. Bounded: what is more is counted, and said as a problem.
class Readings {
 public:
  static constexpr std::size_t count_max = 10'000;
  static constexpr std::size_t problems_max = 100;

  // A value that is not finite is a problem instead.
  void add(Reading reading);
  void add(std::string_view name, double value, std::string_view unit = {}, Labels labels = {});
  void problem(std::string_view what);

  const std::vector<Reading>& all() const { return all_; }
  const std::vector<std::string>& problems() const { return problems_; }
  std::size_t beyond() const { return beyond_; }
  // The first with that name and at least these labels.
  const Reading* find(std::string_view name, const Labels& labels = {}) const;

  // With a table as `text`. Further members may be added to it.
  json::object to_json() const;
  // Lenient: what is no reading is counted in a problem, what is too long is cut.
  static Readings from_json(const json::value& result);

 private:
  std::vector<Reading> all_;
  std::vector<std::string> problems_;
  std::size_t beyond_ = 0;  // readings
  std::size_t problems_beyond_ = 0;
};

// For people: a line for each reading, then the problems. Bounded.
std::string table_of(const Readings& readings);
// "23.5 GiB", "1.5 seconds", "2500000": as a person reads it.
std::string amount_text(double value, std::string_view unit);

}  // namespace vigil::entities::ops
