#include "entities/feeds/html_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <charconv>
#include <optional>

#include "core/json.hpp"
#include "entities/feeds/html_names.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr std::size_t name_bytes_max = 12;

std::optional<int> named(std::string_view name) {
  const auto found =
      std::ranges::lower_bound(html_names, name, {}, &std::pair<std::string_view, int>::first);
  if (found == html_names.end() || found->first != name) return std::nullopt;
  return found->second;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

std::string utf8_of(int code) {
  const auto c = static_cast<unsigned>(code);
  std::string out;
  const auto tail = [&](unsigned bits) { out += static_cast<char>(0x80 | (bits & 0x3F)); };
  if (code <= 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return "\xEF\xBF\xBD";
  if (c < 0x80) return std::string(1, static_cast<char>(c));
  if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    tail(c >> 6);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    tail(c >> 12);
    tail(c >> 6);
  }
  tail(c);
  return out;
}

// The character that begins with & at the front of the text, which is passed over; "&" where there
// is none.
std::string character(std::string_view& text) {
  const auto end = text.substr(0, name_bytes_max).find(';');
  const auto name = end == std::string_view::npos ? std::string_view{} : text.substr(1, end - 1);
  std::optional<int> code;
  if (name.starts_with('#') && name.size() > 1) {
    const bool hex = name[1] == 'x' || name[1] == 'X';
    const auto digits = name.substr(hex ? 2 : 1);
    int value = 0;
    const auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    if (error == std::errc{} && stop == digits.data() + digits.size()) code = value;
  } else if (name == "apos") {
    code = '\'';
  } else {
    code = named(name);
  }
  text.remove_prefix(code ? end + 1 : 1);
  return code ? utf8_of(*code) : "&";
}

bool starts_with_word(std::string_view text, std::string_view lower_word) {
  if (text.size() < lower_word.size()) return false;
  for (std::size_t at = 0; at < lower_word.size(); ++at) {
    const char c = text[at];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower_word[at]) return false;
  }
  return true;
}

// Past the tag at the front, and past what scripts and styles hold.
void pass_tag(std::string_view& html) {
  for (const std::string_view dropped : {"script", "style"}) {
    if (!starts_with_word(html.substr(1), dropped)) continue;
    std::size_t at = 1;
    while (at < html.size()) {
      at = html.find("</", at);
      if (at == std::string_view::npos) {
        html = {};
        return;
      }
      if (starts_with_word(html.substr(at + 2), dropped)) break;
      at += 2;
    }
    html.remove_prefix(std::min(at, html.size()));
  }
  const auto end = html.starts_with("<!--") ? html.find("-->") : html.find('>');
  html.remove_prefix(end == std::string_view::npos ? html.size()
                                                   : end + (html.starts_with("<!--") ? 3 : 1));
}

}  // namespace

std::string cut_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
  return std::string(text.substr(0, bytes_max));
}

std::string with_numbers_for_names(std::string_view xml) {
  std::string out;
  out.reserve(xml.size());
  while (!xml.empty()) {
    const auto stop = xml.find_first_of("&<");
    out += xml.substr(0, stop);
    if (stop == std::string_view::npos) break;
    xml.remove_prefix(stop);
    if (xml.starts_with("<![CDATA[")) {
      const auto end = xml.find("]]>");
      out += xml.substr(0, end);
      xml.remove_prefix(std::min(end, xml.size()));
      continue;
    }
    const auto end = xml.substr(0, name_bytes_max).find(';');
    const auto name = end == std::string_view::npos ? std::string_view{} : xml.substr(1, end - 1);
    const bool of_xml =
        name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos";
    const auto code = is_name(name) && !of_xml ? named(name) : std::nullopt;
    if (xml.front() == '&' && code) {
      out += fmt::format("&#{};", *code);
      xml.remove_prefix(end + 1);
    } else {
      out += xml.front();
      xml.remove_prefix(1);
    }
  }
  return out;
}

std::string plain_text(std::string_view html, std::size_t bytes_max) {
  std::string out;
  bool blank = false;
  const auto add = [&](std::string_view piece) {
    if (blank && !out.empty()) out += ' ';
    blank = false;
    out += piece;
  };
  while (!html.empty() && out.size() <= bytes_max) {
    const char c = html.front();
    const bool tag =
        c == '<' && html.size() > 1 &&
        (html[1] == '/' || html[1] == '!' || html[1] == '?' || is_name(html.substr(1, 1)));
    if (tag) {
      pass_tag(html);
      blank = true;
    } else if (html.starts_with("\xC2\xA0")) {  // a blank that does not break
      html.remove_prefix(2);
      blank = true;
    } else if (c == '&') {
      const auto piece = character(html);
      if (piece == "\xC2\xA0") {
        blank = true;
      } else {
        add(piece);
      }
    } else {
      html.remove_prefix(1);
      if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        blank = true;
      } else {
        add(std::string_view(&c, 1));
      }
    }
  }
  return cut_text(out, bytes_max);
}

std::string resolve(std::string_view base, std::string_view reference) {
  if (base.empty() || reference.empty()) return std::string(reference);
  const auto whole = boost::urls::parse_uri(base);
  const auto part = boost::urls::parse_uri_reference(reference);
  if (!whole || !part) return std::string(reference);
  boost::urls::url out;
  if (!boost::urls::resolve(*whole, *part, out)) return std::string(reference);
  return std::string(out.buffer());
}

std::string with_whole_links(std::string_view html, std::string_view base) {
  if (base.empty()) return std::string(html);
  std::string out;
  while (!html.empty()) {
    const auto at = std::min(html.find("href="), html.find("src="));
    if (at == std::string_view::npos) break;
    const auto value = html.find('=', at) + 1;
    out += html.substr(0, value);
    html.remove_prefix(value);
    if (html.empty() || (html.front() != '"' && html.front() != '\'')) continue;
    const auto end = html.find(html.front(), 1);
    if (end == std::string_view::npos) break;
    out += html.front();
    out += resolve(base, html.substr(1, end - 1));
    html.remove_prefix(end);
  }
  return out + std::string(html);
}

}  // namespace vigil::entities::feeds
