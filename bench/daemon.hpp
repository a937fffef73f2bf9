#pragma once
// A vigild of its own for a benchmark: a private directory, a config text, a child process.
// Blocking.
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"

namespace vigil::bench {

// A directory that is gone with its object. On the disk that holds the working directory: what is
// measured is a disk, not /tmp in memory.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& text) const;  // mode 0600

 private:
  std::string path_;
};

class Daemon {
 public:
  // Starts `argv[0]` and waits for the line that says the port. Throws when it ends before.
  Daemon(std::vector<std::string> argv, const std::string& state_dir);
  ~Daemon();  // TERM, then waits
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  void stop();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  int port_ = 0;
};

// vigild beside this program, with that configuration.
std::unique_ptr<Daemon> start_vigild(const Scratch& scratch, const std::string& config);
std::string own_directory();

// GET over the admin socket; throws when it does not answer 200.
json::value ask_admin(const std::string& socket_path, const std::string& target);

}  // namespace vigil::bench
