#pragma once
// Which words of a question a stored term stands for. Pure; any thread.
#include <algorithm>
#include <string_view>
#include <vector>

#include "storage/passages.hpp"

namespace vigil::storage {

constexpr std::size_t slots_max = 48;  // of a question; what is beyond counts for nothing

// Into `slots`, which must outlive it.
class Finder {
 public:
  explicit Finder(const std::vector<Slot>& slots) {
    for (std::size_t slot = 0; slot < std::min(slots.size(), slots_max); ++slot) {
      for (const auto& [term, weight] : slots[slot].terms) {
        all_.push_back({term, static_cast<int>(slot), weight});
      }
    }
    std::ranges::sort(all_, {}, &One::term);
  }

  template <class Each>
  void each(std::string_view term, Each take) const {
    auto one = std::ranges::lower_bound(all_, term, {}, &One::term);
    for (; one != all_.end() && one->term == term; ++one) take(one->slot, one->weight);
  }

 private:
  struct One {
    std::string_view term;
    int slot;
    double weight;
  };
  std::vector<One> all_;
};

// Each of a passage's stored terms, with the ~ of parts and the - of words that say nothing.
template <class Each>
void each_token(std::string_view terms, Each each) {
  while (!terms.empty()) {
    const auto end = std::min(terms.find(' '), terms.size());
    each(terms.substr(0, end));
    terms.remove_prefix(std::min(end + 1, terms.size()));
  }
}

}  // namespace vigil::storage
