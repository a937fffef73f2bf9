#pragma once
// What people would start many short programs with instead. Each runs /bin/true as it is meant to
// be used; none of them keeps results.
#include <functional>
#include <string>
#include <vector>

namespace vigil::bench {

struct Ran {
  double rate = 0;   // tasks per second; 0 when it is not installed
  long peak_kb = 0;  // memory of the largest process, the tasks' own not counted where that is told
};

struct Peer {
  std::string name;
  std::string package;                           // of Debian, that has it
  std::function<Ran(int tasks, int slots)> run;  // its own start included
};

std::vector<Peer> peers_in(const std::string& directory);

}  // namespace vigil::bench
