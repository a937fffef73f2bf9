#include "daemon/mail/compose.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/digest.hpp"

namespace vigil::mail {
namespace {

constexpr std::size_t addresses_max = 100;
constexpr std::size_t references_max = 100;
constexpr std::size_t line_columns = 76;
constexpr std::size_t encoded_bytes = 42;  // of UTF-8 in one encoded word

bool is_clean(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

// What may stand between < and >: no blanks, no brackets, ASCII.
bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 500 && std::ranges::all_of(text, [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '<' && c != '>';
  });
}

bool is_address(std::string_view text) {
  const auto at = text.rfind('@');
  return is_id(text) && at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find_first_of(",;:()\"\\") == std::string_view::npos;
}

// Cut between characters.
std::string_view take_utf8(std::string_view& text, std::size_t bytes_max) {
  auto count = std::min(bytes_max, text.size());
  while (count < text.size() && count > 1 && (text[count] & 0xc0) == 0x80) --count;
  const auto part = text.substr(0, count);
  text.remove_prefix(count);
  return part;
}

std::string encoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (!out.empty()) out += "\r\n ";
    out += "=?utf-8?B?" + to_base64(take_utf8(text, encoded_bytes)) + "?=";
  }
  return out;
}

std::string phrase(const std::string& text) {
  if (!is_ascii(text)) return encoded_words(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string written(const Address& address) {
  if (address.name.empty()) return address.address;
  return fmt::format("{} <{}>", phrase(address.name), address.address);
}

// Folded between words that are whole.
void put(std::string& out, std::string_view name, const std::vector<std::string>& parts,
         std::string_view between) {
  if (parts.empty()) return;
  out += fmt::format("{}:", name);
  auto column = name.size() + 1;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool fold = i > 0 && column + parts[i].size() + 2 > line_columns;
    out += fold ? "\r\n " : " ";
    if (fold) column = 0;
    out += parts[i];
    column += parts[i].size() + 2;
    if (i + 1 < parts.size()) out += between;
  }
  out += "\r\n";
}

void put_text(std::string& out, std::string_view name, std::string_view text) {
  std::vector<std::string> parts;
  if (!is_ascii(text)) {
    parts.push_back(encoded_words(text));
  } else {
    while (!text.empty()) {  // at blanks, so that a fold takes none away
      const auto part = text.substr(0, text.find(' '));
      text.remove_prefix(std::min(part.size() + 1, text.size()));
      parts.emplace_back(part);
    }
  }
  put(out, name, parts, "");
}

std::vector<std::string> written(const std::vector<Address>& addresses) {
  std::vector<std::string> out;
  for (const auto& one : addresses) out.push_back(written(one));
  return out;
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  const auto put_part = [&](std::string_view part) {
    if (column + part.size() > line_columns - 1) {
      out += "=\r\n";
      column = 0;
    }
    out += part;
    column += part.size();
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    const bool ends_line = at + 1 == text.size() || text[at + 1] == '\n' ||
                           (text[at + 1] == '\r' && at + 2 < text.size() && text[at + 2] == '\n');
    if (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n') continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
    } else if ((c > 0x20 && c < 0x7f && c != '=') || (c == ' ' && !ends_line)) {
      put_part(text.substr(at, 1));
    } else {
      put_part(fmt::format("={:02X}", c));
    }
  }
  if (column > 0) out += "\r\n";
  return out;
}

std::unexpected<Error> wrong(std::string_view member, std::string_view expected) {
  return fail(ErrorCode::invalid_input, fmt::format("{}: expected {}", member, expected));
}

Result<Address> address_from(const json::value& value, std::string_view member) {
  constexpr std::string_view expected =
      "addresses like \"ada@example.org\", \"Ada <ada@example.org>\" or {\"name\", \"address\"}";
  if (value.is_string()) {
    auto parsed = parse_address(std::string_view(value.get_string()));
    if (!parsed) return wrong(member, expected);
    return parsed;
  }
  Address out{std::string(find_text(value, "name").value_or("")),
              std::string(find_text(value, "address").value_or(""))};
  if (!is_address(out.address) || !is_clean(out.name)) return wrong(member, expected);
  return out;
}

Result<std::vector<Address>> addresses_from(const json::value& payload, std::string_view member) {
  std::vector<Address> out;
  const auto* given = find_path(payload, member);
  if (given == nullptr || given->is_null()) return out;
  if (!given->is_array()) {
    auto one = address_from(*given, member);
    if (!one) return std::unexpected(std::move(one.error()));
    return std::vector{std::move(*one)};
  }
  if (given->get_array().size() > addresses_max) return wrong(member, "at most 100 addresses");
  for (const auto& value : given->get_array()) {
    auto one = address_from(value, member);
    if (!one) return std::unexpected(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}

Result<void> take_headers(const json::value& payload, Letter& letter) {
  const auto* given = find_path(payload, "headers");
  if (given == nullptr || given->is_null()) return {};
  if (!given->is_object()) return wrong("headers", "an object of names and texts");
  for (const auto& [name, value] : given->get_object()) {
    const std::string_view key = name;
    const bool ours =
        key.size() > 2 && key.size() <= 60 && (key[0] == 'X' || key[0] == 'x') && key[1] == '-' &&
        std::ranges::all_of(key, [](unsigned char c) { return c > 0x20 && c < 0x7f && c != ':'; });
    if (!ours || !value.is_string() || !is_clean(value.get_string())) {
      return wrong("headers", "names that begin with X- and texts of one line");
    }
    letter.headers.emplace_back(std::string(key), std::string(value.get_string()));
  }
  return {};
}

std::string id_of(std::string_view text) {
  if (text.starts_with('<') && text.ends_with('>')) text = text.substr(1, text.size() - 2);
  return std::string(text);
}

}  // namespace

std::string message_id_of_key(std::string_view key, std::string_view domain) {
  return fmt::format("vigil.{}@{}", to_hex(as_bytes(sha256(key))).substr(0, 32),
                     is_id(domain) ? domain : "vigild.invalid");
}

Result<Address> parse_address(std::string_view text) {
  Address out;
  const auto open = text.find('<');
  if (open == std::string_view::npos) {
    out.address = text;
  } else {
    auto name = text.substr(0, open);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
      name = name.substr(1, name.size() - 2);
    }
    out.name = name;
    const auto close = text.find('>', open);
    if (close + 1 != text.size()) return wrong("address", "one address");
    out.address = text.substr(open + 1, close - open - 1);
  }
  if (!is_address(out.address) || !is_clean(out.name)) return wrong("address", "one address");
  return out;
}

Result<Letter> letter_from(const json::value& payload) {
  Letter out;
  auto to = addresses_from(payload, "to");
  if (!to) return std::unexpected(std::move(to.error()));
  auto cc = addresses_from(payload, "cc");
  if (!cc) return std::unexpected(std::move(cc.error()));
  out.to = std::move(*to);
  out.cc = std::move(*cc);
  out.subject = find_text(payload, "subject").value_or("");
  out.text = find_text(payload, "text").value_or("");
  if (!is_clean(out.subject)) return wrong("subject", "a text of one line");
  if (out.text.empty()) return wrong("text", "what the message says");
  out.in_reply_to = id_of(find_text(payload, "in_reply_to").value_or(""));
  if (!out.in_reply_to.empty() && !is_id(out.in_reply_to)) return wrong("in_reply_to", "an id");
  if (const auto* given = find_path(payload, "references"); given != nullptr && given->is_array()) {
    for (const auto& one : given->get_array()) {
      auto id = one.is_string() ? id_of(std::string_view(one.get_string())) : std::string();
      if (is_id(id) && out.references.size() < references_max) out.references.push_back(id);
    }
  }
  if (auto taken = take_headers(payload, out); !taken) return std::unexpected(taken.error());
  return out;
}

std::string compose(const Letter& letter) {
  std::string out;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(letter.date);
  put(out, "Date", {fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", seconds)}, "");
  if (!letter.from.address.empty()) put(out, "From", {written(letter.from)}, "");
  put(out, "To", written(letter.to), ",");
  put(out, "Cc", written(letter.cc), ",");
  put_text(out, "Subject", letter.subject);
  put(out, "Message-ID", {"<" + letter.message_id + ">"}, "");
  if (!letter.in_reply_to.empty()) put(out, "In-Reply-To", {"<" + letter.in_reply_to + ">"}, "");
  std::vector<std::string> references;
  for (const auto& id : letter.references) references.push_back("<" + id + ">");
  put(out, "References", references, "");
  out += fmt::format("Auto-Submitted: auto-{}\r\n",
                     letter.in_reply_to.empty() ? "generated" : "replied");
  for (const auto& [name, value] : letter.headers) put_text(out, name, value);
  out +=
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
  out += quoted_printable(to_valid_utf8(letter.text));
  return out;
}

}  // namespace vigil::mail
