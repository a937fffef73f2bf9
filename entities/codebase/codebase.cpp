#include "entities/codebase/codebase.hpp"

namespace vigil::entities {

Result<std::unique_ptr<Guardian>> make_codebase(const config::Entity&) {
  return fail(ErrorCode::unavailable, "the codebase guardian is not built yet");
}

}  // namespace vigil::entities
