#pragma once
// What is usual at each half hour of the day (UTC), slowly forgotten. Pure; one thread at a time.
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/time.hpp"

namespace vigil::entities::series {

class Season {
 public:
  static constexpr std::size_t slots = 48;
  static std::size_t slot_at(TimePoint at);

  // The mean of that half hour; of all hours until it was seen three times.
  double usual(std::size_t slot) const;
  void keep(std::size_t slot, double value);

  // For keeping it over a restart.
  struct State {
    std::array<double, slots> mean{};
    std::array<std::uint32_t, slots> count{};
    double overall = 0;
    double spread = 0;  // the mean distance from what was usual
    std::uint64_t seen = 0;
  };
  const State& state() const { return state_; }
  bool set_state(const State& state);  // false, and nothing changes, when a number is none

 private:
  State state_;
};

}  // namespace vigil::entities::series
