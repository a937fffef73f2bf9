#include "daemon/app_settings.hpp"

#include "daemon/places.hpp"

namespace vigil {

ingress::ServerLimits limits_of(const config::Http& http) {
  ingress::ServerLimits out;
  out.head_bytes_max = http.head_bytes_max;
  out.connections_max = http.connections_max;
  if (!http.behind_proxy) out.connections_per_address_max = http.connections_per_address_max;
  out.head_timeout = http.head_timeout;
  out.body_timeout = http.body_timeout;
  out.idle_timeout = http.idle_timeout;
  out.write_timeout = http.write_timeout;
  return out;
}

storage::WriterOptions writer_options_of(const config::Settings& settings,
                                         const AppOptions& options) {
  storage::WriterOptions out;
  out.state_dir = state_dir_of(settings);
  out.free_bytes_min = settings.storage.free_bytes_min;
  out.ballast_bytes = settings.storage.ballast_bytes;
  out.sync = options.sync;
  return out;
}

}  // namespace vigil
