#pragma once
// What triage looks at: the words of a mail and how it is built, as words separated by blanks, in
// the order they stand. Pure; any thread.
#include <string>

#include "entities/comms/html_text.hpp"
#include "entities/comms/mail.hpp"

namespace vigil::entities::comms {

constexpr std::size_t features_max = 2000;

// Prefixes say where a word stands: s: subject, f: sender, t: recipient, h: header and its form,
// r: the servers it came through, m: MIME, l: hosts of links, b: what the body is like; none: the
// text.
std::string features_of(const Mail& mail, const HtmlText& html, std::string_view text);

}  // namespace vigil::entities::comms
