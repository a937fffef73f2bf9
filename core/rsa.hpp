#pragma once
// Signs with an RSA key. Pure; any thread. OpenSSL underneath.
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil {

// RS256 of RFC 7518 (PKCS #1 v1.5 with SHA-256), raw bytes. `key_pem`: PKCS #1 or PKCS #8, without
// a passphrase. invalid_input: it is no such key.
Result<std::string> sign_rsa_sha256(std::string_view key_pem, std::string_view text);

}  // namespace vigil
