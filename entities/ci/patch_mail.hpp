#pragma once
// Patches in mails: what a mail encodes for its way is decoded, so that a diff in it can be read.
// Pure; any thread.
#include <string>
#include <string_view>

namespace vigil::entities::ci {

// One mail or a whole mbox: bodies in quoted-printable and base64 become plain, of all parts of a
// mail; heads and everything else stay. What is no mail comes back as it is.
std::string decode_mails(std::string_view text);

}  // namespace vigil::entities::ci
