#pragma once
// This program once more, as a server in a process of its own: so that what it takes is not counted
// with what is measured.
#include <sys/types.h>

#include <string>
#include <vector>

namespace vigil::bench {

class Self {
 public:
  // `arguments` of a hidden command that prints its port first.
  explicit Self(std::vector<std::string> arguments);
  ~Self();  // kills it
  Self(const Self&) = delete;
  Self& operator=(const Self&) = delete;

  const std::string& port() const { return port_; }
  std::string line();  // the next it prints; blocks
  double number();     // the same, as a number

 private:
  pid_t pid_ = -1;
  int said_ = -1;
  std::string port_;
};

}  // namespace vigil::bench
