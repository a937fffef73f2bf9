#pragma once
// What is new in a mail's text: without what it quotes and without the signature. Pure.
#include <string>
#include <string_view>

namespace vigil::entities::comms {

struct Body {
  std::string text;
  std::string quoted;
  std::string signature;
};

Body split_body(std::string_view text);

// Without what a mailing list puts below every mail: from the first of the last lines that names
// the list's host on, with the sections between rulers right above it (the advertisements of its
// host).
std::string_view without_list_footer(std::string_view text, std::string_view list_host);

// "Ada" of "Hi Ada," in the first lines; empty when nobody is greeted by name.
std::string greeted_name(std::string_view text);

// "en" or "de" by its commonest words; empty when it is neither, or too short to say.
std::string_view language_of(std::string_view text);

}  // namespace vigil::entities::comms
