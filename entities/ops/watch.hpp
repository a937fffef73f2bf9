#pragma once
// What is looked at on a schedule, as the configuration says it, with its selectors compiled. Pure;
// any thread.
#include <optional>
#include <string>
#include <vector>

#include "config/ops.hpp"
#include "entities/ops/silence.hpp"

namespace vigil::entities::ops {

// disk.free{mount="/",fs!=tmpfs}: a name, and matchers over labels.
struct Selector {
  std::string name;
  Matchers labels;
  static Result<Selector> parse(std::string_view text);
  bool matches(std::string_view reading, const Labels& of) const;
};

struct WatchRule {
  config::OpsWatchRule settings;
  Selector reading;
  std::string id;  // in its watch; the same after a reload that changes limits alone
  bool needs_past() const;
};

struct Watch {
  config::OpsWatch settings;
  std::vector<WatchRule> rules;
};

struct Scale {
  config::OpsScale settings;
  Selector reading;
  std::optional<Selector> size;
};

// The error names the key below the watch or the scale: "rule[1].reading: ...".
Result<Watch> make_watch(const config::OpsWatch& settings);
Result<Scale> make_scale(const config::OpsScale& settings);

}  // namespace vigil::entities::ops
