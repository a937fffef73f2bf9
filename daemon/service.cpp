#include "daemon/service.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace vigil {
namespace {

std::string one_line(std::string text) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

// A status that cannot be told is no reason to stop: the manager notices by itself if it matters.
void tell(const std::string& message) { (void)::sd_notify(0, message.c_str()); }

}  // namespace

Result<PassedSockets> Service::take_sockets() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) {
    return fail(ErrorCode::invalid_input,
                fmt::format("the sockets that the service manager passed cannot be taken (error "
                            "{}): start vigild.socket and vigild-admin.socket again",
                            -count));
  }
  PassedSockets out;
  std::optional<std::string> stranger;
  for (int i = 0; i < count; ++i) {
    const std::string_view name = names[i];
    if (name == "webhooks") {
      out.webhooks.push_back(SD_LISTEN_FDS_START + i);
    } else if (name == "admin") {
      out.admin.push_back(SD_LISTEN_FDS_START + i);
    } else {
      stranger = name;
    }
  }
  for (int i = 0; i < count; ++i) std::free(names[i]);
  std::free(names);
  if (stranger) {
    return fail(ErrorCode::invalid_input,
                fmt::format("the service manager passed a socket named '{}': a socket unit for "
                            "vigild says FileDescriptorName=webhooks or FileDescriptorName=admin",
                            one_line(*stranger)));
  }
  return out;
}

std::optional<Duration> Service::watchdog() const {
  std::uint64_t within_us = 0;
  if (::sd_watchdog_enabled(0, &within_us) <= 0) return std::nullopt;
  return std::chrono::microseconds{within_us};
}

void Service::ready(const std::string& status) {
  said_ = one_line(status);
  tell(fmt::format("READY=1\nSTATUS={}", said_));
}

void Service::reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reading the configuration again",
                   now.tv_sec * 1'000'000 + now.tv_nsec / 1'000));
}

void Service::stopping() {
  tell("STOPPING=1\nSTATUS=Stopping: doors are closed, work that runs is finished or kept");
}

void Service::status(const std::string& sentence) {
  if (auto fresh = one_line(sentence); fresh != said_) {
    said_ = std::move(fresh);
    tell("STATUS=" + said_);
  }
}

void Service::alive() { tell("WATCHDOG=1"); }

}  // namespace vigil
