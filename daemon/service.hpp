#pragma once
// What the service manager gives and wants to hear: listening sockets that it keeps open while we
// restart, readiness, a sentence of status, and proof of life (systemd: sd_listen_fds(3),
// sd_notify(3), sd_watchdog_enabled(3)). Without a service manager nothing is passed and what is
// said goes nowhere. Loop thread only; each call is one datagram at most.
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil {

// Descriptors that listen; ours from now on.
struct PassedSockets {
  std::vector<int> webhooks;  // FileDescriptorName=webhooks
  std::vector<int> admin;     // FileDescriptorName=admin
};

class Service {
 public:
  // Takes the sockets out of the environment, so that no child thinks they were meant for it. A
  // socket of another name is an error that says which names there are.
  Result<PassedSockets> take_sockets();
  // How long the manager waits for a sign of life before it kills us; nothing: it does not.
  std::optional<Duration> watchdog() const;

  void ready(const std::string& status);
  void reloading();  // ready() follows
  void stopping();
  void status(const std::string& sentence);  // told only when it is another one than before
  void alive();

 private:
  std::string said_;
};

}  // namespace vigil
