#include "daemon/load_config.hpp"

#include <future>
#include <utility>

namespace vigil {

config::LoadResult load_config(const std::string& path) {
  auto reading = std::async(std::launch::async, [&] { return config::load(path); });
  const auto read = reading.get();
  // Copied, not moved: the allocator gives each thread an arena, and a copy lies in the caller's.
  return config::LoadResult(std::as_const(read));
}

}  // namespace vigil
