#pragma once
// What a containment profile means to the kernel: Landlock, seccomp and no capabilities. Made ready
// by whoever starts a task, entered by the child on its way to the program. What each profile
// allows stands in docs/containment.md. Private to swarm and vigil-exec.
#include <linux/filter.h>

#include <string>
#include <vector>

#include "core/error.hpp"

namespace vigil::swarm {

enum class Profile { strict, net };

struct Reach {
  std::vector<std::string> read_paths;   // beside the system's own
  std::vector<std::string> write_paths;  // the work directory among them
  std::string program;                   // may be executed wherever it is, if it is a path
};

class Cage {
 public:
  // A kernel that cannot contain, or a path that is not there, is an error: never less containment.
  static Result<Cage> make(Profile profile, const Reach& reach);
  Cage(Cage&& other) noexcept;
  Cage& operator=(Cage&& other) noexcept;
  ~Cage();

  // Contains the calling process for good. System calls alone, so it may stand between vfork and
  // execve. Null when done; else what failed, and errno says why.
  const char* enter() const;

 private:
  Cage(int ruleset, const std::vector<sock_filter>* filter) : ruleset_(ruleset), filter_(filter) {}
  int ruleset_;
  const std::vector<sock_filter>* filter_;  // made once per profile
};

}  // namespace vigil::swarm
