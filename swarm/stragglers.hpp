#pragma once
// Finds processes that got away from their task: out of its process group, or left by a daemon that
// was killed. They are known by a mark in the environment every task starts with. Private to swarm.
#include <string>

namespace vigil::swarm {

// "VIGIL_ATTEMPT=<work directory>/<number of the attempt>" for one attempt; without the number, the
// beginning of those of all attempts of this daemon.
constexpr const char* attempt_variable = "VIGIL_ATTEMPT";

// Kills every process with an environment entry that begins with `mark`; returns how many. Reads
// the whole process table, which may take milliseconds: not for everyday.
int kill_stragglers(const std::string& mark);

}  // namespace vigil::swarm
