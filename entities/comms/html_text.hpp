#pragma once
// HTML as text: what somebody would see, line by line, and a few facts that tell mail apart. For a
// contained child: the parser underneath is libxml2's, for HTML.
#include <string>
#include <string_view>
#include <vector>

namespace vigil::entities::comms {

struct HtmlText {
  std::string text;                // blockquotes begin their lines with "> "
  std::vector<std::string> hosts;  // that links and images point to; at most 200, each once
  int images = 0;
  int hidden = 0;  // elements that style hides
  int forms = 0;
  int mismatched_links = 0;  // that show one host and go to another
};

// UTF-8 in, UTF-8 out; at most `bytes_max` of text.
HtmlText html_to_text(std::string_view html, std::size_t bytes_max);

// The host of "https://user@Host:80/path", in lower case; empty when it has none.
std::string host_of(std::string_view url);

}  // namespace vigil::entities::comms
