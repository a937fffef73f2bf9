#pragma once
// How rare a value is among those before it, by the largest of them. Pure; one thread at a time.
// The rarest fiftieth is taken for a power law, whose exponent is estimated as in Hill, "A simple
// general approach to inference about the tail of a distribution" (1975).
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vigil::entities::series {

class Tail {
 public:
  // In decades: 3 for one in a thousand, also beyond what was ever seen. 0 for what is not among
  // the rarest fiftieth, for values that are not above 0, and until 64 values were kept.
  double surprise(double value) const;
  // Old values count ever less: every 4096 values half of the past is forgotten.
  void keep(double value);

  static constexpr std::size_t top_max = 96;
  static constexpr std::uint32_t seen_max = 4096;

  // For keeping it over a restart.
  struct State {
    std::array<double, top_max> top{};  // descending
    std::uint32_t kept = 0;             // of `top`
    std::uint32_t seen = 0;
    bool keep_largest = true;  // at the next forgetting
  };
  const State& state() const { return state_; }
  // False, and nothing changes, when no series of values leads there.
  bool set_state(const State& state);

 private:
  void forget_half();
  std::span<const double> top() const { return std::span(state_.top).first(state_.kept); }
  State state_;
};

}  // namespace vigil::entities::series
