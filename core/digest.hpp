#pragma once
// Digests, message authentication codes and their spellings. Pure; any thread. OpenSSL underneath.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigil {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);
std::string hmac_sha1(std::string_view key,
                      std::string_view bytes);  // 20 raw bytes; old senders only

inline std::string_view as_bytes(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Compares in time that depends on the lengths alone.
bool equal_constant_time(std::string_view a, std::string_view b);

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);  // strict, padded

// `bytes` bytes from the system's random generator, as hex.
std::string random_hex(std::size_t bytes);

}  // namespace vigil
