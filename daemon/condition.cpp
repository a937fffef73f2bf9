#include "daemon/condition.hpp"

#include <fmt/format.h>

namespace vigil {
namespace {

std::string count_of(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string condition_of(const config::Settings& settings, const AppOptions& options,
                         runtime::Runtime& runtime, const storage::Writer& writer) {
  if (!options.safe_mode.empty()) {
    return fmt::format(
        "SAFE MODE ({}): events are stored, nothing is decided; vigilctl safe-mode "
        "leave",
        options.safe_mode);
  }
  const auto status = runtime.status();
  const auto proposed = runtime.reader().outbox.count_in_state("proposed");
  auto out = count_of(static_cast<std::int64_t>(settings.entities.size()), "entity", "entities") +
             ", " +
             count_of(static_cast<std::int64_t>(settings.sources.size()), "source", "sources");
  if (!options.config_trouble.empty()) out += "; an older configuration stands in";
  if (status.entities_paused > 0) out += fmt::format("; {} paused", status.entities_paused);
  if (status.swarms_running > 0)
    out += "; " + count_of(status.swarms_running, "swarm runs", "swarms run");
  if (proposed > 0)
    out += "; " + count_of(proposed, "action waits", "actions wait") + " for an answer";
  if (status.wakes_dead > 0)
    out += "; " + count_of(status.wakes_dead, "dead letter", "dead letters");
  if (writer.stats().full) out += "; the disk is full, events are refused";
  return out;
}

}  // namespace vigil
