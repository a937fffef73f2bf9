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

// "Ada" of "Hi Ada," in the first lines; empty when nobody is greeted by name.
std::string greeted_name(std::string_view text);

// "en" or "de" by its commonest words; empty when it is neither, or too short to say.
std::string_view language_of(std::string_view text);

}  // namespace vigil::entities::comms
