#include "bench/daemon.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

extern char** environ;

namespace vigil::bench {
namespace fs = std::filesystem;

Scratch::Scratch() {
  std::string pattern = (fs::current_path() / "vigil-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a directory here: " + pattern);
  }
  path_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;  // a leftover directory is no reason to fail a measurement
  fs::remove_all(path_, ignored);
}

std::string Scratch::write(const std::string& name, const std::string& text) const {
  const auto path = path_ + "/" + name;
  std::ofstream(path) << text;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  return path;
}

namespace {

pid_t spawn(const std::vector<std::string>& argv, int output, const std::string& state_dir) {
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::vector<char*> environment;
  const auto state = "STATE_DIRECTORY=" + state_dir;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(const_cast<char*>(state.c_str()));
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, words[0], &actions, nullptr, words.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw std::runtime_error(fmt::format("cannot start {}: {}", argv[0], std::strerror(error)));
  }
  return pid;
}

}  // namespace

Daemon::Daemon(std::vector<std::string> argv, const std::string& state_dir) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = spawn(argv, ends[1], state_dir);
  ::close(ends[1]);
  output_ = ends[0];
  std::string said;
  char buffer[4096];
  while (port_ == 0) {
    const auto count = ::read(output_, buffer, sizeof buffer);
    if (count <= 0) {
      stop();
      throw std::runtime_error("the daemon did not start:\n" + said);
    }
    said.append(buffer, static_cast<std::size_t>(count));
    const auto ready = said.find("is ready");
    const auto place = said.find(" port=");
    if (ready == std::string::npos || place == std::string::npos) continue;
    std::from_chars(said.data() + place + 6, said.data() + said.size(), port_);
  }
}

void Daemon::stop() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  if (output_ >= 0) ::close(std::exchange(output_, -1));
}

Daemon::~Daemon() { stop(); }

std::string own_directory() { return fs::read_symlink("/proc/self/exe").parent_path(); }

std::unique_ptr<Daemon> start_vigild(const Scratch& scratch, const std::string& config) {
  scratch.write("vigild.toml", config);
  return std::make_unique<Daemon>(
      std::vector<std::string>{own_directory() + "/vigild", "--config", scratch.path()},
      scratch.path() + "/state");
}

json::value ask_admin(const std::string& socket_path, const std::string& target) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    if (fd >= 0) ::close(fd);
    throw std::runtime_error("cannot reach " + socket_path);
  }
  const auto request =
      fmt::format("GET {} HTTP/1.1\r\nHost: vigild\r\nConnection: close\r\n\r\n", target);
  if (::write(fd, request.data(), request.size()) < 0) throw std::runtime_error("cannot ask");
  std::string answer;
  char buffer[16384];
  for (ssize_t count; (count = ::read(fd, buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(fd);
  const auto body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200") || body == std::string::npos) {
    throw std::runtime_error(fmt::format("{} answered: {}", target, answer.substr(0, 300)));
  }
  auto parsed = parse_json(std::string_view(answer).substr(body + 4));
  if (!parsed) throw std::runtime_error(parsed.error().message);
  return std::move(*parsed);
}

}  // namespace vigil::bench
