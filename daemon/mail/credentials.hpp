#pragma once
// What proves who we are to a mail server. Pure; any thread.
#include <string>
#include <string_view>

namespace vigil::mail {

// As AUTHENTICATE and AUTH take them, in base64: PLAIN (RFC 4616) and XOAUTH2.
std::string plain_credentials(std::string_view user, std::string_view password);
std::string xoauth2_credentials(std::string_view user, std::string_view token);

// Out of what the server said: the secret of `user` in every form in which we send it.
void cut_credentials_out(std::string& said, std::string_view user, std::string_view secret);

}  // namespace vigil::mail
