#include "swarm/chain.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_map>

namespace vigil::swarm {
namespace {

// Two moments of every task: when it starts, and when its result is final. What a task spawns
// happens between the two.
using Moment = std::uint32_t;
Moment start_of(std::uint32_t task) { return 2 * task; }
Moment final_of(std::uint32_t task) { return 2 * task + 1; }

constexpr auto nobody = std::numeric_limits<std::uint32_t>::max();

// `to` is at least so long after `from`.
struct Link {
  Moment from;
  Moment to;
  Duration length;
};

class Moments {
 public:
  Moments(const Plan& plan, const std::vector<const TaskOutcome*>& outcomes, Waits waits)
      : plan_(plan), outcomes_(outcomes), waits_(waits) {}

  void connect(const Graph& graph) {
    std::unordered_map<std::string_view, std::uint32_t> parents;
    for (const TaskOutcome* outcome : outcomes_) {
      if (outcome != nullptr && !outcome->parent.empty()) parents.emplace(outcome->parent, nobody);
    }
    for (std::uint32_t i = 0; i < plan_.tasks.size() && !parents.empty(); ++i) {
      const auto parent = parents.find(plan_.tasks[i].name);
      if (parent != parents.end()) parent->second = i;
    }
    for (std::uint32_t i = 0; i < plan_.tasks.size(); ++i) {
      links_.push_back({start_of(i), final_of(i), took(i)});
      for (const Edge& edge : graph.needs[i]) connect_need(i, edge);
      if (outcomes_[i] == nullptr || outcomes_[i]->parent.empty()) continue;
      const std::uint32_t parent = parents.at(outcomes_[i]->parent);
      if (parent != nobody) connect_parent(i, parent);
    }
  }

  // Each moment as early as can be, in an order in which whatever it waits for comes before it.
  Chain longest() {
    const std::size_t count = 2 * plan_.tasks.size();
    std::vector<std::uint32_t> missing(count);
    std::vector<std::uint32_t> first(count + 1);  // of the links that leave a moment
    for (const Link& link : links_) {
      ++missing[link.to];
      ++first[link.from + 1];
    }
    for (std::size_t i = 0; i < count; ++i) first[i + 1] += first[i];
    std::vector<std::uint32_t> leaving(links_.size());
    std::vector<std::uint32_t> next(first.begin(), first.end() - 1);
    for (std::uint32_t i = 0; i < links_.size(); ++i) leaving[next[links_[i].from]++] = i;
    std::vector<Duration> at(count);
    std::vector<std::uint32_t> because(count, nobody);  // the link that set `at`
    std::vector<Moment> order;
    order.reserve(count);
    for (Moment i = 0; i < count; ++i) {
      if (missing[i] == 0) order.push_back(i);
    }
    for (std::size_t done = 0; done < order.size(); ++done) {
      const Moment moment = order[done];
      for (std::uint32_t i = first[moment]; i < first[moment + 1]; ++i) {
        const Link& link = links_[leaving[i]];
        const Duration then = at[moment] + link.length;
        if (then > at[link.to]) {
          at[link.to] = then;
          because[link.to] = leaving[i];
        }
        if (--missing[link.to] == 0) order.push_back(link.to);
      }
    }
    return chain_to(at, because);
  }

 private:
  Duration took(std::uint32_t task) const {
    return outcomes_[task] != nullptr ? outcomes_[task]->took : Duration{0};
  }

  void connect_need(std::uint32_t task, const Edge& need) {
    const auto* upstream = outcomes_[need.task];
    const bool is_open = need.kind == EdgeKind::interface && waits_ == Waits::on_interfaces &&
                         upstream != nullptr && upstream->interface_after > Duration{0};
    if (!is_open) {
      links_.push_back({final_of(need.task), start_of(task), Duration{0}});
      return;
    }
    // It may start early, and is never final before what it guessed on is.
    links_.push_back({start_of(need.task), start_of(task), upstream->interface_after});
    links_.push_back({final_of(need.task), final_of(task), Duration{0}});
  }

  // Nobody writes down when in its parent's work a task was asked for; a planner has to be done.
  void connect_parent(std::uint32_t task, std::uint32_t parent) {
    const bool is_after = plan_.tasks[parent].planner || !plan_.tasks[parent].for_each.empty();
    links_.push_back({start_of(parent), start_of(task), is_after ? took(parent) : Duration{0}});
    links_.push_back({final_of(task), final_of(parent), Duration{0}});
  }

  Chain chain_to(const std::vector<Duration>& at, const std::vector<std::uint32_t>& because) const {
    Chain chain;
    const auto last = std::ranges::max_element(at);
    if (last == at.end()) return chain;
    chain.length = *last;
    auto moment = static_cast<Moment>(last - at.begin());
    while (because[moment] != nobody) {
      const Link& link = links_[because[moment]];
      // Every link with a length is work of the task it leaves.
      if (link.length > Duration{0}) chain.tasks.push_back(link.from / 2);
      moment = link.from;
    }
    return chain;
  }

  const Plan& plan_;
  const std::vector<const TaskOutcome*>& outcomes_;
  Waits waits_;
  std::vector<Link> links_;
};

}  // namespace

Chain longest_chain(const Plan& plan, const Graph& graph,
                    const std::vector<const TaskOutcome*>& outcomes, Waits waits) {
  Moments moments(plan, outcomes, waits);
  moments.connect(graph);
  return moments.longest();
}

}  // namespace vigil::swarm
