#pragma once
// A stable sort. That of libstdc++ 12 is built on a function that is deprecated in C++23, and clang
// says so. Pure.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace vigil {

template <class Value, class Less>
void sort_stably(std::vector<Value>& values, Less less) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    if (less(values[a], values[b])) return true;
    return !less(values[b], values[a]) && a < b;
  });
  std::vector<Value> out;
  out.reserve(values.size());
  for (const auto at : order) out.push_back(std::move(values[at]));
  values = std::move(out);
}

}  // namespace vigil
