#include "bench/self.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <stdexcept>

extern char** environ;

namespace vigil::bench {

Self::Self(std::vector<std::string> arguments) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  arguments.insert(arguments.begin(), std::filesystem::read_symlink("/proc/self/exe").string());
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
  const int refused =
      ::posix_spawn(&pid_, pointers[0], &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  said_ = pipe[0];
  if (refused != 0) throw std::runtime_error("the server cannot be started");
  port_ = line();
}

Self::~Self() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(said_);
}

std::string Self::line() {
  std::string out;
  char c = 0;
  while (::read(said_, &c, 1) == 1 && c != '\n') out += c;
  return out;
}

double Self::number() {
  const auto text = line();
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace vigil::bench
