#pragma once
// Signatures made with the key of an X.509 certificate. Whether the certificate is to be trusted is
// for the caller to know: from where it came. Pure; any thread. OpenSSL underneath.
#include <string_view>

#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil {

enum class SignedWith { rsa_sha1, rsa_sha256 };

// Is `signature` (raw bytes) that of `text` by the key of the certificate (PEM), which must be
// valid at `now`? invalid_input: it is no certificate; unauthorized: it is over, or does not fit.
Result<void> check_signature(std::string_view certificate_pem, std::string_view text,
                             std::string_view signature, SignedWith how, TimePoint now);

}  // namespace vigil
