#include "core/rsa.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace vigil {

Result<std::string> sign_rsa_sha256(std::string_view key_pem, std::string_view text) {
  using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
  // Nobody is asked for a passphrase.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  const Bio in(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())), &BIO_free);
  const Key key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr) : nullptr,
                &EVP_PKEY_free);
  const Digest digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::string out;
  std::size_t size = 0;
  const bool is_rsa = key && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA;
  bool done = is_rsa && digest &&
              EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
              EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size()) == 1;
  if (done) {
    out.resize(size);
    done = EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes,
                          text.size()) == 1;
  }
  ERR_clear_error();  // what OpenSSL queued is of no use to anybody later
  if (!done) return fail(ErrorCode::invalid_input, "it is no RSA key in PEM form");
  out.resize(size);
  return out;
}

}  // namespace vigil
