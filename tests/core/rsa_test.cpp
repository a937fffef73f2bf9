#include "core/rsa.hpp"

#include <doctest/doctest.h>

#include "core/digest.hpp"

namespace vigil {

namespace {

// openssl genrsa -traditional 1024: for this test alone.
constexpr std::string_view key = R"(-----BEGIN RSA PRIVATE KEY-----
MIICXAIBAAKBgQCk1FzCn5kt603LgBQHzO4sZvqzJCVelNb5xaBjQaA0V+N3t80e
y411eoPAgoIQc4xTuO6vOBbcyaY5iNagwDyHxauBJrKEwTSDv5JEVECjImP4K70n
aA9U2RWAa+JS1jBsx7fMhWXSOwB06osWIo05mrXLq5i/qGISPc58AYVFLwIDAQAB
AoGAHeJKtxaMhSDGSAD+oLNs8yvwhA4noFBH8Zz9CUHas+LDYO84Bz9MdGI0BPEk
d6sbZAqBa881he4hbwj6MMbpskGLtNiBvyZLFILsaAQ1PDaSgc8uauU08By28F3C
3yjDbucLlczKfV3BYCUm1nK4UVhuQxrDCFCJBimW6NgBjgECQQDQi8DIMe/qyPo1
nJkUL1fCLokWJ6RIXAxRFt3WVjRtraq1pHUwDj7lBRYxWlCCefxs7A+7QbJcECmY
yLiNpXaBAkEAylYJciODeKaCuwUTNtG6H0yQs5dzGjA3j6RhappGk4uZS/qAvDFO
0R5GfsgoOcMW5gIFK6Ek68TF0HpFQ6XDrwJABCv3hEmzce/pSW9DhKrZx5GkvmO2
npfwyyJ495Or4tHJi26pxXdTfMNYSU50M9f627bxLZ7H0Z2lJ2BEiNjZgQJAPT5v
m4HOYK2d8nflyfkPajvlrMaRy4J+vtbVucu6wxxFKW9Imi4emkOcuPFi46D+hF5m
LD+ZilfEPIdWAdTh9wJBAKU1HbG+72WFj5LvFqgibSoh6vwC5emdGHul9GSuhstJ
vg/Hu8eBbeQnkbXaGQn9knRBVSZdbt/x0KyjaSAEQVs=
-----END RSA PRIVATE KEY-----
)";

}  // namespace

TEST_CASE("a signature is the one that OpenSSL's own program makes") {
  // printf 'text that is signed' | openssl dgst -sha256 -sign key.pem -hex
  const std::string expected =
      "14c5cbd6f3736f43eb51fb724909e6002608543f9b1d0cff588e94df322ae5da"
      "129729b2b1d6d014f1547e7d0a84dbc52bdbdda1a9587bbb5bb2523b14bb4778"
      "d1aea689311dcb6b4cb3a1851700734a746e7d2d7b831c34c69b1bc3d717f024"
      "dc0bd14306033f42c0dfd0784970a8db88ea8c3f50730b8311826ce76a548704";
  const auto made = sign_rsa_sha256(key, "text that is signed");
  REQUIRE(made.has_value());
  CHECK(to_hex(*made) == expected);
  CHECK(to_hex(*sign_rsa_sha256(key, "another text")) != expected);
}

TEST_CASE("what is no RSA key signs nothing") {
  for (const auto* wrong :
       {"", "key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"}) {
    const auto made = sign_rsa_sha256(wrong, "text");
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().message == "it is no RSA key in PEM form");
  }
}

}  // namespace vigil
