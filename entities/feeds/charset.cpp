#include "entities/feeds/charset.hpp"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "core/json.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// What the declaration says: <?xml version="1.0" encoding="ISO-8859-1"?>
std::string declared(std::string_view bytes) {
  const auto start = bytes.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || !bytes.substr(start).starts_with("<?xml")) return {};
  auto head = bytes.substr(start, 512);
  head = head.substr(0, head.find("?>"));
  const auto at = head.find("encoding");
  if (at == std::string_view::npos) return {};
  const auto open = head.find_first_of("\"'", at);
  if (open == std::string_view::npos) return {};
  const auto close = head.find(head[open], open + 1);
  if (close == std::string_view::npos) return {};
  return std::string(head.substr(open + 1, close - open - 1));
}

std::string browser_name(std::string_view charset) {
  auto name = lower(charset);
  for (const std::string_view alias :
       {"iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii", "iso_8859-1"}) {
    if (name == alias) return "windows-1252";
  }
  return name;
}

// Nothing: this machine does not know the charset.
std::optional<std::string> convert(std::string_view bytes, const std::string& from) {
  const auto converter = ::iconv_open("UTF-8", from.c_str());
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  char* in = const_cast<char*>(bytes.data());  // iconv's interface; it does not write there
  std::size_t left = bytes.size();
  char buffer[16 * 1024];
  while (left > 0) {
    char* to = buffer;
    std::size_t room = sizeof buffer;
    const auto done = ::iconv(converter, &in, &left, &to, &room);
    const int why = errno;
    out.append(buffer, sizeof buffer - room);
    if (done != static_cast<std::size_t>(-1) || why == E2BIG) continue;
    if (left == 0) break;
    out += replacement;  // a sequence that is wrong or ends too early
    ++in;
    --left;
  }
  ::iconv_close(converter);
  return out;
}

}  // namespace

std::string to_utf8(std::string_view bytes, std::string_view charset) {
  if (bytes.starts_with("\xEF\xBB\xBF")) return to_valid_utf8(bytes.substr(3));
  const auto as = [&](std::string_view text, const std::string& name) {
    const auto known = browser_name(name);
    if (!known.empty() && known != "utf-8" && known != "utf8") {
      if (auto out = convert(text, known)) return *out;
    }
    if (is_valid_utf8(text)) return std::string(text);
    if (known == "utf-8" || known == "utf8") return to_valid_utf8(text);
    return convert(text, "windows-1252").value_or(to_valid_utf8(text));
  };
  using namespace std::string_view_literals;
  if (bytes.starts_with("\xFF\xFE"sv)) return as(bytes.substr(2), "utf-16le");
  if (bytes.starts_with("\xFE\xFF"sv)) return as(bytes.substr(2), "utf-16be");
  if (bytes.starts_with("<\0?\0"sv)) return as(bytes, "utf-16le");
  if (bytes.starts_with("\0<\0?"sv)) return as(bytes, "utf-16be");
  if (!charset.empty()) return as(bytes, std::string(charset));
  return as(bytes, declared(bytes));
}

}  // namespace vigil::entities::feeds
