#include "daemon/mail/credentials.hpp"

#include <fmt/format.h>

#include "core/cut_out.hpp"
#include "core/digest.hpp"
#include "daemon/mail/imap_response.hpp"

namespace vigil::mail {

std::string plain_credentials(std::string_view user, std::string_view password) {
  return to_base64(fmt::format("{}{}{}{}", '\0', user, '\0', password));
}

std::string xoauth2_credentials(std::string_view user, std::string_view token) {
  return to_base64(fmt::format("user={}\1auth=Bearer {}\1\1", user, token));
}

void cut_credentials_out(std::string& said, std::string_view user, std::string_view secret) {
  cut_out(said, plain_credentials(user, secret));
  cut_out(said, xoauth2_credentials(user, secret));
  cut_out(said, secret);
  const auto quoted = quoted_string(secret);  // as LOGIN takes it
  if (quoted) cut_out(said, std::string_view(*quoted).substr(1, quoted->size() - 2));
}

}  // namespace vigil::mail
