#pragma once
// The HTML that stands in feeds, as text for people and with its links made whole. Not a parser of
// HTML: tags are taken out, nothing is judged by them. Pure; any thread.
#include <string>
#include <string_view>

namespace vigil::entities::feeds {

// The named characters of HTML in a document of XML as numbers, outside CDATA: XML knows five.
std::string with_numbers_for_names(std::string_view xml);
// Without tags, scripts and styles, its characters decoded and blanks folded; cut at a character.
std::string plain_text(std::string_view html, std::size_t bytes_max);
// The reference as an absolute address; as it is where the base, or it, is none.
std::string resolve(std::string_view base, std::string_view reference);
// The same for every href and src in the HTML.
std::string with_whole_links(std::string_view html, std::string_view base);
// Cut so that no character is broken.
std::string cut_text(std::string_view text, std::size_t bytes_max);

}  // namespace vigil::entities::feeds
