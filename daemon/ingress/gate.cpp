#include "daemon/ingress/gate.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace vigil::ingress {
namespace {

constexpr std::size_t length_digits_max = 15;

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 9110, 5.6.2
bool is_token_char(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

bool is_target_char(char c) {
  return c > 0x20 && c < 0x7f && !std::string_view("\"<>\\^`{|}#").contains(c);
}

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

GateAnswer refuse(int status, std::string_view why) {
  GateAnswer out;
  out.kind = GateAnswer::Kind::refuse;
  out.status = status;
  out.why = why;
  return out;
}

// A line ends with CR LF and holds neither alone. Looks at everything that arrived, so that a
// broken head is refused at once, not when its end never comes.
bool has_bare_line_end(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] == '\0') return true;
    if (bytes[at] == '\n' && (at == 0 || bytes[at - 1] != '\r')) return true;
    if (bytes[at] == '\r' && at + 1 < bytes.size() && bytes[at + 1] != '\n') return true;
  }
  return false;
}

std::optional<GateAnswer> read_request_line(std::string_view line, GateAnswer& out) {
  const auto first = line.find(' ');
  const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || line.find(' ', second + 1) != std::string_view::npos) {
    return refuse(400, "a request line is METHOD SP TARGET SP VERSION");
  }
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, second - first - 1);
  const auto version = line.substr(second + 1);
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (method.empty() || method.size() > 16 || !std::ranges::all_of(method, upper)) {
    return refuse(400, "the method is malformed");
  }
  if (!target.starts_with('/') || !std::ranges::all_of(target, is_target_char)) {
    return refuse(400, "the target is not a path");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool other = version.size() == 8 && version.starts_with("HTTP/") &&
                       is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
    return other ? refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken")
                 : refuse(400, "the version is malformed");
  }
  out.request.method = method;
  out.request.target = target;
  out.minor = version == "HTTP/1.1" ? 1 : 0;
  out.keep_alive = out.minor == 1;
  return std::nullopt;
}

std::optional<GateAnswer> read_field(std::string_view line, GateAnswer& out) {
  const auto colon = line.find(':');
  if (line.starts_with(' ') || line.starts_with('\t')) return refuse(400, "a line is folded");
  if (colon == std::string_view::npos || colon == 0) return refuse(400, "a field has no name");
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  if (!std::ranges::all_of(name, is_token_char)) return refuse(400, "a field name is malformed");
  if (!std::ranges::all_of(value, is_value_char)) return refuse(400, "a field value is malformed");
  out.request.headers.emplace_back(lower(name), value);
  return std::nullopt;
}

int count_of(const GateAnswer& out, std::string_view name) {
  return static_cast<int>(
      std::ranges::count(out.request.headers, name, [](const auto& field) { return field.first; }));
}

bool has_word(std::string_view list, std::string_view word) {
  const auto text = lower(list);
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (trim(std::string_view(text).substr(begin, end - begin)) == word) return true;
    begin = end + 1;
  }
  return false;
}

bool is_host_char(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view(".:-_[]%~").contains(c);
}

std::optional<GateAnswer> read_framing(GateAnswer& out) {
  const bool one_dot_one = out.minor == 1;
  const auto& request = out.request;
  const int hosts = count_of(out, "host");
  if (hosts > 1 || (one_dot_one && hosts == 0)) return refuse(400, "exactly one Host is needed");
  if (!std::ranges::all_of(request.header("host"), is_host_char)) {
    return refuse(400, "the Host is malformed");
  }
  const int lengths = count_of(out, "content-length");
  if (count_of(out, "transfer-encoding") > 0) {
    return lengths > 0 ? refuse(400, "Content-Length and Transfer-Encoding contradict each other")
                       : refuse(411, "send a Content-Length; Transfer-Encoding is not spoken");
  }
  if (lengths > 1) return refuse(400, "there are two Content-Lengths");
  if (lengths == 1) {
    const auto text = request.header("content-length");
    if (text.empty() || text.size() > length_digits_max || !std::ranges::all_of(text, is_digit)) {
      return refuse(400, "the Content-Length is not a number");
    }
    std::from_chars(text.data(), text.data() + text.size(), out.content_length);
  }
  if (const auto expect = request.header("expect"); !expect.empty()) {
    if (lower(expect) != "100-continue") return refuse(417, "only 100-continue can be expected");
    out.expects_continue = one_dot_one;
  }
  for (const auto& [name, value] : request.headers) {
    if (name != "connection") continue;
    if (has_word(value, "close")) out.keep_alive = false;
    if (!one_dot_one && has_word(value, "keep-alive")) out.keep_alive = true;
  }
  return std::nullopt;
}

}  // namespace

GateAnswer read_head(std::string_view bytes, const GateLimits& limits) {
  const auto end = bytes.find("\r\n\r\n");
  const auto arrived = end == std::string_view::npos ? bytes : bytes.substr(0, end + 4);
  if (has_bare_line_end(arrived)) return refuse(400, "a line does not end with CR LF");
  if (arrived.starts_with("\r\n")) return refuse(400, "the request line is empty");
  if (arrived.size() > limits.head_bytes_max) return refuse(431, "the head is too large");
  if (end == std::string_view::npos) return {};
  GateAnswer out;
  out.head_bytes = end + 4;
  out.request.headers.reserve(16);  // as many as most senders have
  std::string_view rest = bytes.substr(0, end + 2);
  int number = 0;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    if (line.size() > limits.line_bytes_max) {
      return number == 0 ? refuse(414, "the target is too long")
                         : refuse(431, "a field is too long");
    }
    if (number > limits.fields_max) return refuse(431, "there are too many fields");
    const auto wrong = number++ == 0 ? read_request_line(line, out) : read_field(line, out);
    if (wrong) return *wrong;
  }
  if (const auto wrong = read_framing(out)) return *wrong;
  out.kind = GateAnswer::Kind::head;
  return out;
}

}  // namespace vigil::ingress
