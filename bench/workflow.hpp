#pragma once
// A recorded workflow in WfFormat 1.5 (https://github.com/wfcommons/wfformat), and list schedules
// of it. Pure; any thread.
#include <string>
#include <vector>

#include "core/json.hpp"

namespace vigil::bench {

struct Workflow {
  struct Step {
    double seconds = 0;
    std::vector<std::size_t> needs;
  };
  std::string name;
  std::vector<Step> steps;  // in the file's order

  double work() const;
  double critical_path() const;
  // No schedule on that many workers ends earlier.
  double lower_bound(int workers) const;
};

Result<Workflow> read_workflow(const json::value& file);

enum class Order {
  longest_path,  // the ready step with the longest path to the end goes first
  first_in_file,
  first_ready
};
// When a list schedule ends whose steps take no time to start.
double list_schedule(const Workflow& workflow, int workers, Order order);

}  // namespace vigil::bench
