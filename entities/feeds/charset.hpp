#pragma once
// Text of any charset as UTF-8. What cannot be read becomes U+FFFD. Pure; any thread.
#include <string>
#include <string_view>

namespace vigil::entities::feeds {

// By the byte order mark, else as the transport said, else by the XML declaration, else UTF-8, and
// where it is not, Windows-1252. ISO-8859-1 and US-ASCII are read as Windows-1252, as browsers do
// (https://encoding.spec.whatwg.org/#names-and-labels).
std::string to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace vigil::entities::feeds
