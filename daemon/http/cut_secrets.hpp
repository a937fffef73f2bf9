#pragma once
// What a server says may repeat what the request proved itself with, and is stored and logged: it
// is cut out. Private to http. Pure; any thread.
#include "daemon/http/client.hpp"

namespace vigil::http {

void cut_secrets_out(Received& received, const Request& request);

}  // namespace vigil::http
