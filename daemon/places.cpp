#include "daemon/places.hpp"

#include <cstdlib>
#include <filesystem>

namespace vigil {
namespace fs = std::filesystem;

std::string state_dir_of(const config::Settings& settings) {
  if (!settings.daemon.state_dir.empty()) return fs::absolute(settings.daemon.state_dir);
  if (const char* given = std::getenv("STATE_DIRECTORY"); given != nullptr && *given != '\0') {
    return fs::absolute(given);
  }
  return fs::absolute("vigild-state");
}

std::string admin_socket_of(const config::Settings& settings) {
  if (!settings.daemon.admin_socket.empty()) return fs::absolute(settings.daemon.admin_socket);
  return state_dir_of(settings) + "/admin.sock";
}

}  // namespace vigil
