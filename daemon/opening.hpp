#pragma once
// Opens the doors: on the sockets that the service manager passed, else on addresses of our own.
// Loop thread only; blocking calls that end at once.
#include "config/settings.hpp"
#include "daemon/ingress/http_server.hpp"
#include "daemon/service.hpp"

namespace vigil {

// The port of the first TCP door. An error says which door stays closed and what to do.
Result<int> open_doors(const config::Settings& settings, const PassedSockets& passed,
                       ingress::HttpServer& webhooks, ingress::HttpServer& admin);

}  // namespace vigil
