#pragma once
// The latest 4096 values of a series and what a detector asks of them. Pure; one thread at a time.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vigil::entities::series {

class Past {
 public:
  static constexpr std::size_t values_max = 4096;
  static constexpr std::size_t shape_size = 4;

  void keep(double value);
  std::uint64_t seen() const { return seen_; }
  std::span<const double> values() const;  // oldest first

  // Of the latest `count`, which must have been seen. A step is the distance of two neighbours.
  double mean_of(std::size_t count) const;
  double deviation_of(std::size_t count) const;
  double step_of(std::size_t count) const;
  // The distance of the latest four values, taken together, to the third nearest such four before
  // them: how unlike all the past they are. 0 while there are too few.
  double strangeness() const;

  // Of all that is remembered but its outermost hundredths; taken anew every 64 values.
  double usual_mean() const { return usual_mean_; }
  double usual_step() const { return usual_step_; }

  // For keeping it over a restart. False, and nothing changes, when the parts do not fit together.
  bool set_state(std::uint64_t seen, std::span<const double> values, double mean, double step);

 private:
  void take_usual();
  std::vector<double> values_;  // up to twice what is remembered, so that moving is rare
  std::uint64_t seen_ = 0;
  double usual_mean_ = 0;
  double usual_step_ = 0;
};

}  // namespace vigil::entities::series
