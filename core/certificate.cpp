#include "core/certificate.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace vigil {
namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* held) const {
    release(held);
  }
};
using Bio = std::unique_ptr<BIO, Release<BIO_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;

std::unexpected<Error> refuse(ErrorCode code, std::string_view why) {
  ERR_clear_error();  // what OpenSSL queued is of no use to anybody later
  return fail(code, std::string(why));
}

bool is_valid_at(const X509& certificate, TimePoint now) {
  auto seconds = static_cast<std::time_t>(to_unix_us(now) / 1'000'000);
  return X509_cmp_time(X509_get0_notBefore(&certificate), &seconds) < 0 &&
         X509_cmp_time(X509_get0_notAfter(&certificate), &seconds) > 0;
}

}  // namespace

Result<void> check_signature(std::string_view certificate_pem, std::string_view text,
                             std::string_view signature, SignedWith how, TimePoint now) {
  const Bio in(BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  const Certificate certificate(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)
                                   : nullptr);
  if (!certificate) return refuse(ErrorCode::invalid_input, "it is no certificate in PEM form");
  if (!is_valid_at(*certificate, now)) {
    return refuse(ErrorCode::unauthorized, "the certificate is not valid at this time");
  }
  EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
    return refuse(ErrorCode::invalid_input, "the certificate holds no RSA key");
  }
  const Digest digest(EVP_MD_CTX_new());
  const auto* kind = how == SignedWith::rsa_sha1 ? EVP_sha1() : EVP_sha256();
  if (!digest || EVP_DigestVerifyInit(digest.get(), nullptr, kind, nullptr, key) != 1 ||
      EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size()) != 1) {
    return refuse(ErrorCode::unauthorized, "the signature does not fit");
  }
  return {};
}

}  // namespace vigil
