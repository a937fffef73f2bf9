#include "daemon/condition.hpp"

#include <fmt/format.h>

namespace vigil {

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
  auto out =
      fmt::format("{} entities, {} sources", settings.entities.size(), settings.sources.size());
  if (!options.config_trouble.empty()) out += "; an older configuration stands in";
  if (status.entities_paused > 0) out += fmt::format("; {} paused", status.entities_paused);
  if (status.swarms_running > 0) out += fmt::format("; {} swarms run", status.swarms_running);
  if (proposed > 0) out += fmt::format("; {} actions wait for an answer", proposed);
  if (status.wakes_dead > 0) out += fmt::format("; {} dead letters", status.wakes_dead);
  if (writer.stats().full) out += "; the disk is full, events are refused";
  return out;
}

}  // namespace vigil
