#pragma once
// Who may ask the daemon for what, of those who can connect to its socket. Plain values.
#include <string>
#include <vector>

namespace vigil::config {

// Each entry is "user:NAME" or "group:NAME". All empty: whoever can connect may do everything. Root
// and the daemon's own user always may.
struct Admin {                       // [admin]
  std::vector<std::string> read;     // look at everything
  std::vector<std::string> operate;  // and answer, pause, cancel, emit, retry
  std::vector<std::string> admin;    // and change what it is: configuration, memory, backups, plans
  bool operator==(const Admin&) const = default;
};

}  // namespace vigil::config
