#include "daemon/http/cut_secrets.hpp"

#include <algorithm>

#include "core/cut_out.hpp"

namespace vigil::http {
namespace {

bool is_authorization(std::string_view name) {
  constexpr std::string_view wanted = "authorization";
  return std::ranges::equal(name, wanted, [](char one, char other) {
    return (one >= 'A' && one <= 'Z' ? one + 32 : one) == other;
  });
}

}  // namespace

void cut_secrets_out(Received& received, const Request& request) {
  const auto cut = [&](std::string& text) {
    cut_out(text, request.secret);
    for (const auto& [name, value] : request.headers) {
      if (!is_authorization(name)) continue;
      cut_out(text, std::string_view(value).substr(value.find(' ') + 1));
    }
  };
  if (!received) return cut(received.error().error.message);
  cut(received->body);
  for (auto& [name, value] : received->headers) cut(value);
}

}  // namespace vigil::http
