#pragma once
// The servers that handed a mail on, as triage looks at them. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

namespace vigil::entities::comms {

// "linux.ie" of "lugh.linux.ie", "bbc.co.uk" of "mail.bbc.co.uk": the last two labels, three where
// the last two are short. A guess without the list of public suffixes; empty for addresses of
// numbers and names without a dot.
std::string organisation_of(std::string_view host);

// What one Received header (RFC 5321, section 4.4) tells: organisations that sent and took it,
// `with:` the protocol, `by:` programs and remarks in parentheses, `for:` whom, `zone:` the clock.
std::vector<std::string> hop_words(std::string_view received);

}  // namespace vigil::entities::comms
