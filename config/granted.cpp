#include "config/granted.hpp"

#include <fmt/format.h>

namespace vigil::config {

Result<std::vector<std::pair<std::string, std::string>>> read_granted(
    const std::map<std::string, SecretRef>& secrets) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [variable, ref] : secrets) {
    const auto secret = read_secret(ref);
    if (!secret) {
      return fail(secret.error().code,
                  fmt::format("secrets.{}: {}", variable, secret.error().message));
    }
    out.emplace_back(variable, secret->reveal());
  }
  return out;
}

}  // namespace vigil::config
