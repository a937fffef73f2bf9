#include "daemon/opening.hpp"

#include "core/log.hpp"
#include "daemon/places.hpp"

namespace vigil {
namespace {

Result<void> open_admin(const config::Settings& settings, const PassedSockets& passed,
                        ingress::HttpServer& admin) {
  if (passed.admin.empty()) return admin.listen_unix(admin_socket_of(settings));
  for (const int fd : passed.admin) {
    if (auto taken = admin.listen_fd(fd); !taken) return std::unexpected(std::move(taken.error()));
  }
  return {};
}

}  // namespace

Result<int> open_doors(const config::Settings& settings, const PassedSockets& passed,
                       ingress::HttpServer& webhooks, ingress::HttpServer& admin) {
  if (auto opened = open_admin(settings, passed, admin); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  int first = 0;
  const auto heard = [&first](const Result<int>& port, const std::string& where) {
    if (!port) return false;
    if (first == 0) first = *port;
    log_info("webhooks are heard: address={} port={} path=/hooks/<source>", where, *port);
    return true;
  };
  for (const int fd : passed.webhooks) {
    auto taken = webhooks.listen_fd(fd);
    if (!heard(taken, "vigild.socket")) return taken;
  }
  if (!passed.webhooks.empty()) return first;  // [http] listen is for those who open their own
  for (const auto& address : settings.http.listen) {
    auto opened = webhooks.listen_tcp(address);
    if (!heard(opened, address)) return opened;
  }
  return first;
}

}  // namespace vigil
