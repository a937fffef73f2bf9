#pragma once
// The file in which ops.logs keeps what it knew, for its next run. Blocking.
#include <string>

#include "entities/logs/survey.hpp"

namespace vigil::entities::logs {

// No file: nothing was kept yet. One that is not ours is an error, which loses nothing else.
Result<void> load_state(const std::string& path, Surveyor& surveyor);
// The old file stays until the new one is whole. A file that is not ours is never replaced.
Result<void> save_state(const std::string& path, const Surveyor& surveyor);

}  // namespace vigil::entities::logs
