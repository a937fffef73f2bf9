#include <algorithm>

#include "entities/logs/attack.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::size_t times_max = 1'000;  // of one host within a window; more are as bad
constexpr std::size_t kinds_max = 20;

}  // namespace

// A tenth at once, so that many hosts cost no more than few.
void AttackWindows::forget_some() {
  std::vector<std::uint64_t> touched;
  touched.reserve(hosts_.size());
  for (const auto& [name, entry] : hosts_) touched.push_back(entry.touched);
  const auto bound = touched.begin() + static_cast<std::ptrdiff_t>(touched.size() / 10);
  std::ranges::nth_element(touched, bound);
  const auto least = *bound;
  std::erase_if(hosts_, [&](const auto& one) { return one.second.touched <= least; });
}

void AttackWindows::add(const Attack& attack, TimePoint at) {
  auto& entry = hosts_[attack.host];
  entry.touched = ++touches_;
  auto& host = entry.host;
  if (host.attacks == 0) {
    host.host = attack.host;
    host.first = at;
  }
  ++host.attacks;
  host.first = std::min(host.first, at);
  host.last = std::max(host.last, at);
  if (host.kinds.size() < kinds_max) {
    ++host.kinds[std::string(attack.service) + ' ' + std::string(attack.kind)];
  }
  entry.recent.push_back(at);
  while (!entry.recent.empty() && entry.recent.front() <= at - limits_.window) {
    entry.recent.pop_front();
  }
  host.most = std::max(host.most, entry.recent.size());
  if (entry.recent.size() > times_max) entry.recent.pop_front();
  if (hosts_.size() > limits_.hosts_max) forget_some();
}

std::vector<AttackWindows::Host> AttackWindows::over_limit() const {
  std::vector<Host> out;
  for (const auto& [name, entry] : hosts_) {
    if (entry.host.most >= limits_.attacks_min) out.push_back(entry.host);
  }
  std::ranges::sort(out, [](const Host& a, const Host& b) {
    return a.most != b.most ? a.most > b.most : a.host < b.host;
  });
  return out;
}

}  // namespace vigil::entities::logs
