// Names of folders travel as modified UTF-7 (RFC 3501 5.1.3): what is not printable ASCII stands as
// base64 of UTF-16 between & and -, with a comma for the slash.
#include <algorithm>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "daemon/mail/imap_response.hpp"

namespace vigil::mail {
namespace {

bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f; }

// The next character of valid UTF-8.
char32_t take_character(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  char32_t out = lead & (0x3f >> more);
  for (int i = 0; i < more && at < text.size(); ++i) {
    out = (out << 6) | (static_cast<unsigned char>(text[at++]) & 0x3f);
  }
  return out;
}

void put_unit(std::string& out, char32_t unit) {
  out += static_cast<char>((unit >> 8) & 0xff);
  out += static_cast<char>(unit & 0xff);
}

void put_utf16(std::string& out, char32_t c) {
  if (c < 0x10000) return put_unit(out, c);
  put_unit(out, 0xd800 + ((c - 0x10000) >> 10));
  put_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
}

void put_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

std::optional<std::string> utf8_of_base64(std::string text) {
  std::ranges::replace(text, ',', '/');
  while (text.size() % 4 != 0) text += '=';
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t at = 0; at < bytes->size(); at += 2) {
    const auto unit = [&](std::size_t i) {
      return static_cast<char32_t>((static_cast<unsigned char>((*bytes)[i]) << 8) |
                                   static_cast<unsigned char>((*bytes)[i + 1]));
    };
    char32_t c = unit(at);
    if (c >= 0xd800 && c < 0xdc00 && at + 3 < bytes->size()) {
      c = 0x10000 + ((c - 0xd800) << 10) + (unit(at + 2) - 0xdc00);
      at += 2;
    }
    put_utf8(out, c);
  }
  if (!is_valid_utf8(out)) return std::nullopt;
  return out;
}

}  // namespace

std::string to_wire_name(std::string_view given) {
  const auto utf8 = to_valid_utf8(given);
  std::string out;
  for (std::size_t at = 0; at < utf8.size();) {
    if (is_plain(static_cast<unsigned char>(utf8[at]))) {
      out += utf8[at];
      if (utf8[at++] == '&') out += '-';
      continue;
    }
    std::string units;
    while (at < utf8.size() && !is_plain(static_cast<unsigned char>(utf8[at]))) {
      put_utf16(units, take_character(utf8, at));
    }
    auto text = to_base64(units);
    text.resize(text.find_last_not_of('=') + 1);
    std::ranges::replace(text, '/', ',');
    out += "&" + text + "-";
  }
  return out;
}

std::string from_wire_name(std::string_view wire) {
  std::string out;
  for (std::size_t at = 0; at < wire.size();) {
    const auto end = wire[at] == '&' ? wire.find('-', at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += wire[at++];
      continue;
    }
    const auto inside = wire.substr(at + 1, end - at - 1);
    const auto text =
        inside.empty() ? std::optional<std::string>("&") : utf8_of_base64(std::string(inside));
    out += text ? *text : std::string(wire.substr(at, end + 1 - at));
    at = end + 1;
  }
  return to_valid_utf8(out);
}

}  // namespace vigil::mail
