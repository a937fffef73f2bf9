#pragma once
// Attacks in what web servers write of each request: access logs, and nginx's and Apache's errors
// that name the path. What was asked for is a stranger's text; the host stands where only the
// server writes. Pure.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vigil::entities::logs {

struct WebAttack {
  std::string_view service;
  std::string_view kind;
  std::string host;
};

// `is_asked` tells which services are looked for.
std::optional<WebAttack> find_web_attack(std::string_view text,
                                         const std::function<bool(std::string_view)>& is_asked);

}  // namespace vigil::entities::logs
