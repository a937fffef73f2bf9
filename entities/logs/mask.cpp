#include "entities/logs/mask.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

constexpr char last_mark = static_cast<char>(Mark::id);

bool is_mark(char c) { return c > 0 && c <= last_mark; }

bool is_one_of(char c, std::string_view set) { return c != '\0' && set.contains(c); }

template <std::size_t N>
bool is_among(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

// Writes the token while it moves over the word.
struct Masker {
  Scan scan;
  std::string out;

  char before() const { return scan.at == 0 ? '\0' : scan.text[scan.at - 1]; }
  void mark(Mark kind, std::size_t end) {
    out += static_cast<char>(kind);
    scan.at = end;
  }
};

std::size_t run_of(const Scan& scan, std::size_t from, bool (*wanted)(char)) {
  std::size_t end = from;
  while (end < scan.text.size() && wanted(scan.text[end])) ++end;
  return end;
}

// Groups of at most `width` hexadecimal digits; where they end, and how many there were.
std::pair<std::size_t, int> groups_of(const Scan& scan, char between, std::size_t width) {
  std::size_t at = scan.at;
  std::size_t end = at;
  int count = 0;
  while (true) {
    const auto stop = run_of(scan, at, is_hex);
    if (stop - at > width || (stop < scan.text.size() && is_alnum(scan.text[stop]))) break;
    if (stop == at && (between != ':' || count == 0)) break;
    if (stop > at) {
      ++count;
      end = stop;
    }
    if (stop >= scan.text.size() || scan.text[stop] != between) break;
    at = stop + 1;
    if (at >= scan.text.size()) break;
  }
  return {end, count};
}

// 1f0e9c3a-...: 8-4-4-4-12
bool take_uuid(Masker& in) {
  constexpr std::array<std::size_t, 5> widths{8, 4, 4, 4, 12};
  std::size_t at = in.scan.at;
  for (const auto width : widths) {
    if (at != in.scan.at) {
      if (at >= in.scan.text.size() || in.scan.text[at] != '-') return false;
      ++at;
    }
    const auto stop = run_of(in.scan, at, is_hex);
    if (stop - at != width) return false;
    at = stop;
  }
  in.mark(Mark::id, at);
  return true;
}

// 10.0.0.1, fe80::1, 00:0d:60:e9:23:6c, 12:30:01
bool take_address(Masker& in) {
  if (is_digit(in.scan.peek())) {
    std::size_t at = in.scan.at;
    int parts = 0;
    while (parts < 4) {
      const auto stop = run_of(in.scan, at, is_digit);
      if (stop == at || stop - at > 3) break;
      ++parts;
      at = stop;
      if (parts == 4 || at >= in.scan.text.size() || in.scan.text[at] != '.') break;
      ++at;
    }
    const bool goes_on =
        at + 1 < in.scan.text.size() && in.scan.text[at] == '.' && is_alnum(in.scan.text[at + 1]);
    if (parts == 4 && !goes_on && (at >= in.scan.text.size() || !is_alnum(in.scan.text[at]))) {
      in.mark(Mark::address, at);
      return true;
    }
  }
  if (!is_hex(in.scan.peek()) && !in.scan.rest().starts_with("::")) return false;
  const auto [end, count] = groups_of(in.scan, ':', 4);
  const auto text = in.scan.text.substr(in.scan.at, end - in.scan.at);
  if (count < 3 || std::ranges::none_of(text, is_digit)) return false;
  in.mark(count == 3 ? Mark::time : Mark::address, end);
  return true;
}

bool ends_path(char c) { return is_one_of(c, "'\"`)]},;<>|"); }

// /var/log/x, C:\Windows, https://host/path, file:///x
bool take_path(Masker& in) {
  const auto rest = in.scan.rest();
  std::size_t head = 0;
  const auto steps = std::min(rest.find_first_not_of('.'), rest.size());
  if (steps < rest.size() && steps < 3 && rest[steps] == '/') {
    const bool begins = in.scan.at == 0 || is_one_of(in.before(), "=:([{'\"`,<>|");
    const char next = in.scan.peek(steps + 1);
    if (!begins || !(is_alnum(next) || is_one_of(next, "._-~$/%+"))) return false;
    Masker beyond{in.scan, {}};
    beyond.scan.at += steps + 1;
    if (take_address(beyond)) return false;
    head = steps + 1;
  } else if (rest.size() > 3 && is_letter(rest[0]) && rest[1] == ':' && rest[2] == '\\') {
    head = 3;
  } else {
    const auto scheme = rest.find("://");
    if (scheme == std::string_view::npos || scheme == 0 || scheme > 12) return false;
    if (!std::ranges::all_of(rest.substr(0, scheme), is_alnum)) return false;
    head = scheme + 3;
  }
  std::size_t end = in.scan.at + head;
  while (end < in.scan.text.size() && !ends_path(in.scan.text[end])) ++end;
  while (end > in.scan.at + head && is_one_of(in.scan.text[end - 1], ":.")) --end;
  in.mark(Mark::path, end);
  return true;
}

constexpr std::array<std::string_view, 10> common_domains{"com",  "net", "org", "edu",  "gov",
                                                          "info", "biz", "mil", "arpa", "local"};

bool is_host_char(char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; }

// ns.example.com; not a class, a file or a package.
bool take_host(Masker& in) {
  const auto end = run_of(in.scan, in.scan.at, is_host_char);
  auto text = in.scan.text.substr(in.scan.at, end - in.scan.at);
  while (!text.empty() && is_one_of(text.back(), ".-_")) text.remove_suffix(1);
  const auto dots = std::ranges::count(text, '.');
  if (dots == 0 || text.contains("..")) return false;
  const auto last = text.substr(text.rfind('.') + 1);
  const bool is_common = is_among(last, common_domains);
  const bool is_country = dots > 1 && last.size() == 2 && std::ranges::all_of(last, is_lower) &&
                          std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!is_common && !is_country) return false;
  in.mark(Mark::host, in.scan.at + text.size());
  return true;
}

// What holds a digit: 42, -1.5e3, 0x1f, 10ms, 2.6.5, blk_7 (keeps "blk_"), eth0 (keeps "eth").
void take_word(Masker& in) {
  const auto begin = in.scan.at;
  const auto end = run_of(in.scan, begin, is_alnum);
  const auto word = in.scan.text.substr(begin, end - begin);
  const auto digit = std::ranges::find_if(word, is_digit) - word.begin();
  const auto prefix = word.substr(0, static_cast<std::size_t>(digit));
  if (prefix.size() == word.size()) {
    in.out += word;
    in.scan.at = end;
    return;
  }
  const auto tail = word.substr(prefix.size());
  const bool is_plain = std::ranges::all_of(tail, is_digit);
  const bool is_hash = word.size() >= 6 && std::ranges::all_of(word, is_hex);
  if ((is_plain && !is_hash) || (prefix.size() > 2 && std::ranges::none_of(prefix, is_hex)))
    in.out += prefix;
  in.mark(Mark::number, end);
  // The rest of 2.6.5 or 1,024; a point at the end is one of the sentence.
  while (is_one_of(in.scan.peek(), ".,") && is_digit(in.scan.peek(1))) {
    in.scan.at = run_of(in.scan, in.scan.at + 1, is_alnum);
  }
}

bool is_sign(const Masker& in) {
  return is_one_of(in.scan.peek(), "-+") && is_digit(in.scan.peek(1)) && !is_alnum(in.before()) &&
         in.before() != ')' && in.before() != '.';
}

std::string masked(std::string_view word) {
  Masker in{{word.substr(0, token_bytes_max)}, {}};
  while (!in.scan.is_over()) {
    if (is_sign(in)) ++in.scan.at;
    const char c = in.scan.peek();
    const bool begins = in.scan.at == 0 || !is_alnum(in.before());
    if (begins && (c == '/' || c == '.' || is_letter(c)) && take_path(in)) continue;
    if (begins && (is_hex(c) || c == ':') && (take_uuid(in) || take_address(in))) continue;
    if (begins && is_alnum(c) && take_host(in)) continue;
    if (is_alnum(c)) {
      take_word(in);
      continue;
    }
    in.out += c;
    ++in.scan.at;
  }
  if (in.out == "()" || in.out == "[]") in.out.insert(1, 1, static_cast<char>(Mark::any));
  if (word.size() > token_bytes_max) in.out += static_cast<char>(Mark::any);
  return std::move(in.out);
}

constexpr std::array<std::string_view, 7> weekdays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Names of days and months before numbers, and zones after a time, are part of a date.
bool is_of_date(std::string_view word, std::string_view next, std::string_view last) {
  if (word.ends_with(',')) word.remove_suffix(1);
  if (is_among(word, months)) return !next.empty() && is_digit(next.front());
  if (is_among(word, weekdays)) {
    return !next.empty() && (is_digit(next.front()) || is_among(next.substr(0, 3), months));
  }
  const bool after_time = last.size() == 1 && last[0] == static_cast<char>(Mark::time);
  return after_time && word.size() >= 3 && word.size() <= 4 &&
         word.back() == (word == "UTC" ? 'C' : 'T') &&
         std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string_view without_comma(std::string_view token) {
  if (!token.empty() && (token.back() == ',' || token.back() == ';')) token.remove_suffix(1);
  return token;
}

void add(std::vector<std::string>& out, std::string token) {
  if (!out.empty() && has_mark(token) &&
      key_of(without_comma(token)) == key_of(without_comma(out.back()))) {
    if (!out.back().empty() && out.back() != token) out.back() = std::move(token);
    return;
  }
  out.push_back(std::move(token));
}

bool is_space(char c) { return is_blank(c) || (c >= 0 && c < ' ') || c == 127; }

}  // namespace

std::vector<std::string> masked_tokens(std::string_view message) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (at < message.size() && words.size() < tokens_max) {
    while (at < message.size() && is_space(message[at])) ++at;
    const auto begin = at;
    while (at < message.size() && !is_space(message[at])) ++at;
    if (at > begin) words.push_back(message.substr(begin, at - begin));
  }
  std::vector<std::string> out;
  out.reserve(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto next = i + 1 < words.size() ? words[i + 1] : std::string_view{};
    const auto last = out.empty() ? std::string_view{} : std::string_view(out.back());
    if (is_of_date(words[i], next, last)) {
      add(out, std::string(1, static_cast<char>(Mark::time)));
    } else {
      add(out, masked(words[i]));
    }
  }
  return out;
}

bool has_mark(std::string_view token) { return std::ranges::any_of(token, is_mark); }

std::string key_of(std::string_view token) {
  std::string out(token);
  std::ranges::replace_if(out, is_mark, static_cast<char>(Mark::any));
  return out;
}

namespace {
constexpr std::array<std::string_view, 7> mark_names{"<*>",    "<number>", "<address>", "<path>",
                                                     "<host>", "<time>",   "<id>"};
}

std::string shown(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (is_mark(c)) {
      out += mark_names[static_cast<std::size_t>(c - 1)];
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace vigil::entities::logs
