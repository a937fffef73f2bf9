#pragma once
// What a server says may repeat what we proved ourselves with, and is stored and logged: the secret
// is cut out of it first. Pure; any thread.
#include <cstddef>
#include <string>
#include <string_view>

namespace vigil {

// Each place where it stands becomes "***". Less than 8 bytes would be found everywhere: they stay.
inline void cut_out(std::string& text, std::string_view secret) {
  constexpr std::size_t secret_bytes_min = 8;
  constexpr std::string_view instead = "***";
  if (secret.size() < secret_bytes_min) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), instead);
    at += instead.size();
  }
}

}  // namespace vigil
