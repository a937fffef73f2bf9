#pragma once
// What people would start many short programs with instead. Each runs /bin/true as it is meant to
// be used; none of them keeps results.
#include <functional>
#include <string>
#include <vector>

namespace vigil::bench {

struct Peer {
  std::string name;
  std::string package;  // of Debian, that has it
  // Tasks per second, its own start included; 0 when it is not installed.
  std::function<double(int tasks, int slots)> run;
};

std::vector<Peer> peers_in(const std::string& directory);

}  // namespace vigil::bench
