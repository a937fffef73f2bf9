#pragma once
// What the settings mean to the parts that do not know settings. Pure.
#include "config/settings.hpp"
#include "daemon/app.hpp"
#include "daemon/ingress/http_server.hpp"
#include "storage/writer.hpp"

namespace vigil {

ingress::ServerLimits limits_of(const config::Http& http);
storage::WriterOptions writer_options_of(const config::Settings& settings,
                                         const AppOptions& options);

}  // namespace vigil
