#include "daemon/mail/imap_response.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vigil::mail {
namespace {

constexpr std::size_t depth_max = 64;
constexpr std::array<std::string_view, 5> statuses{"OK", "NO", "BAD", "BYE", "PREAUTH"};

std::unexpected<Error> no_imap(std::string why) {
  return fail(ErrorCode::unavailable, "the server does not speak IMAP: " + std::move(why));
}

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

std::string_view behind_word(std::string_view text) {
  const auto space = text.find(' ');
  return space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
}

bool is_status(std::string_view line) {
  const auto word = first_word(behind_word(line));
  return std::ranges::any_of(statuses, [&](auto status) { return equal_words(word, status); });
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// "... {123}" or "{123+}", also with ~ before it: how many bytes follow, and where it begins.
struct Announced {
  std::size_t at = 0;
  std::optional<std::uint64_t> bytes;
};
std::optional<Announced> announced_literal(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  auto open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  auto digits = line.substr(open + 1, line.size() - open - 2);
  if (digits.ends_with('+')) digits.remove_suffix(1);
  const bool plain =
      !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!plain) return std::nullopt;
  if (open > 0 && line[open - 1] == '~') --open;
  return Announced{open, number(digits)};
}

// Words of one line, appended. `depth` is how many lists are open.
class Words {
 public:
  Words(std::string_view line, std::size_t& depth, std::vector<Token>& to)
      : line_(line), depth_(depth), to_(to) {}

  Result<void> read() {
    while (at_ < line_.size()) {
      const char c = line_[at_];
      if (c == ' ') {
        ++at_;
      } else if (c == '(' || c == ')') {
        if (auto read = bracket(c); !read) return read;
      } else if (c == '"') {
        if (auto read = quoted(); !read) return read;
      } else {
        atom();
      }
    }
    return {};
  }

 private:
  Result<void> bracket(char c) {
    if (c == ')' && depth_ == 0) return no_imap("a list is closed that was not opened");
    depth_ += c == '(' ? 1 : -1;
    if (depth_ > depth_max) return no_imap("lists in lists without end");
    to_.push_back({c == '(' ? Token::Kind::open : Token::Kind::close, {}});
    ++at_;
    return {};
  }

  Result<void> quoted() {
    std::string text;
    for (++at_; at_ < line_.size(); ++at_) {
      char c = line_[at_];
      if (c == '"') {
        ++at_;
        to_.push_back({Token::Kind::text, std::move(text)});
        return {};
      }
      if (c == '\\' && at_ + 1 < line_.size()) c = line_[++at_];
      text += c;
    }
    return no_imap("a quoted string without an end");
  }

  // BODY[HEADER.FIELDS (SUBJECT)]<0> is one word.
  void atom() {
    const auto begin = at_;
    bool in_section = false;
    for (; at_ < line_.size(); ++at_) {
      const char c = line_[at_];
      if (c == '[') in_section = true;
      if (c == ']') in_section = false;
      if (!in_section && (c == ' ' || c == '(' || c == ')')) break;
    }
    std::string text(line_.substr(begin, at_ - begin));
    const auto kind = equal_words(text, "NIL") ? Token::Kind::nil : Token::Kind::atom;
    to_.push_back({kind, std::move(text)});
  }

  std::string_view line_;
  std::size_t& depth_;
  std::vector<Token>& to_;
  std::size_t at_ = 0;
};

// Where the value that begins at `at` ends.
std::size_t end_of_value(const std::vector<Token>& tokens, std::size_t at) {
  std::size_t depth = 0;
  for (; at < tokens.size(); ++at) {
    if (tokens[at].kind == Token::Kind::open) ++depth;
    if (tokens[at].kind == Token::Kind::close && depth > 0) --depth;
    if (depth == 0) return at + 1;
  }
  return at;
}

std::vector<std::string> words_of(const std::vector<Token>& tokens, std::size_t from,
                                  std::size_t to) {
  std::vector<std::string> out;
  for (; from < to; ++from) {
    const auto kind = tokens[from].kind;
    if (kind == Token::Kind::atom || kind == Token::Kind::text) out.push_back(tokens[from].text);
  }
  return out;
}

bool begins_with(const Response& response, std::string_view word) {
  return response.tag == "*" && response.status.empty() && !response.tokens.empty() &&
         response.tokens.front().kind == Token::Kind::atom &&
         equal_words(response.tokens.front().text, word);
}

void take_attribute(Fetched& out, std::string_view name, const std::vector<Token>& tokens,
                    std::size_t from, std::size_t to) {
  const auto& value = tokens[from].text;
  if (equal_words(name, "UID")) {
    out.uid = number(value).value_or(0);
  } else if (equal_words(name, "FLAGS")) {
    out.flags = words_of(tokens, from, to);
  } else if (equal_words(name, "RFC822.SIZE")) {
    out.bytes = number(value).value_or(0);
  } else if (equal_words(name, "INTERNALDATE")) {
    out.internal_date = value;
  } else if (name.size() > 5 && equal_words(name.substr(0, 5), "BODY[") && !out.body) {
    out.body = value;
  }
}

}  // namespace

bool equal_words(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::ranges::equal(a, b, {}, upper, upper);
}

// A line, and the literal behind it. False: it is not whole yet.
Result<bool> ResponseReader::take_piece() {
  const auto end = buffer_.find('\n', searched_);
  const auto seen = (end == std::string::npos ? buffer_.size() : end) - at_;
  if (line_bytes_ + seen > limits_.line_bytes_max) return no_imap("a line without end");
  if (end == std::string::npos) {
    searched_ = buffer_.size();
    return false;
  }
  auto line = std::string_view(buffer_).substr(at_, end - at_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (pieces_.empty()) is_status_ = is_status(line) || line.starts_with('+');
  Piece piece{.begin = at_, .end = at_ + line.size()};
  // The text of a status is for people, and may end in anything.
  const auto literal = is_status_ ? std::nullopt : announced_literal(line);
  std::size_t next = end + 1;
  if (literal) {
    if (!literal->bytes || *literal->bytes > limits_.bytes_max ||
        next + *literal->bytes > limits_.bytes_max) {
      return no_imap("more than was asked for");
    }
    if (buffer_.size() < next + *literal->bytes) {
      searched_ = end;  // the line is found again at once
      return false;
    }
    piece.end = at_ + literal->at;
    piece.has_literal = true;
    piece.literal = *literal->bytes;
    piece.literal_at = next;
    next += *literal->bytes;
  }
  line_bytes_ += seen;
  pieces_.push_back(piece);
  at_ = searched_ = next;
  return true;
}

Result<Response> ResponseReader::make() const {
  Response out;
  const auto line_of = [&](const Piece& piece) {
    return std::string_view(buffer_).substr(piece.begin, piece.end - piece.begin);
  };
  const auto first = line_of(pieces_.front());
  out.tag = first_word(first);
  auto rest = behind_word(first);
  if (out.tag.empty()) return no_imap("a line that begins with a blank, or an empty one");
  if (out.tag == "+") {
    out.text = rest;
    return out;
  }
  if (is_status_) {
    out.status = first_word(rest);
    for (char& c : out.status) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    rest = behind_word(rest);
    const auto close = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
    if (close != std::string_view::npos) {
      out.code = rest.substr(1, close - 1);
      rest.remove_prefix(std::min(close + 2, rest.size()));
    }
    out.text = rest;
    return out;
  }
  std::size_t depth = 0;
  for (const auto& piece : pieces_) {
    Words words(&piece == &pieces_.front() ? rest : line_of(piece), depth, out.tokens);
    if (auto read = words.read(); !read) return std::unexpected(std::move(read.error()));
    if (piece.has_literal) {
      out.tokens.push_back({Token::Kind::text, buffer_.substr(piece.literal_at, piece.literal)});
    }
  }
  if (depth != 0) return no_imap("a list without an end");
  return out;
}

Result<std::optional<Response>> ResponseReader::next() {
  while (true) {
    auto taken = take_piece();
    if (!taken) return std::unexpected(std::move(taken.error()));
    if (!*taken) return std::optional<Response>();
    if (pieces_.back().has_literal) continue;
    auto made = make();
    buffer_.erase(0, at_);
    pieces_.clear();
    at_ = searched_ = line_bytes_ = 0;
    if (!made) return std::unexpected(std::move(made.error()));
    return std::optional(std::move(*made));
  }
}

std::optional<Fetched> fetched_of(const Response& response) {
  const auto& tokens = response.tokens;
  const bool is_fetch = response.tag == "*" && tokens.size() >= 3 && number(tokens[0].text) &&
                        equal_words(tokens[1].text, "FETCH") && tokens[2].kind == Token::Kind::open;
  if (!is_fetch) return std::nullopt;
  Fetched out;
  for (std::size_t at = 3; at + 1 < tokens.size() && tokens[at].kind == Token::Kind::atom;) {
    const auto end = end_of_value(tokens, at + 1);
    take_attribute(out, tokens[at].text, tokens, at + 1, end);
    at = end;
  }
  return out;
}

std::optional<FolderStatus> status_of(const Response& response) {
  const auto& tokens = response.tokens;
  if (!begins_with(response, "STATUS") || tokens.size() < 4) return std::nullopt;
  FolderStatus out;
  out.folder = from_wire_name(tokens[1].text);
  for (std::size_t at = 3; at + 1 < tokens.size(); at += 2) {
    const auto value = number(tokens[at + 1].text).value_or(0);
    const auto& name = tokens[at].text;
    if (equal_words(name, "MESSAGES")) out.messages = value;
    if (equal_words(name, "UIDNEXT")) out.uid_next = value;
    if (equal_words(name, "UIDVALIDITY")) out.uid_validity = value;
    if (equal_words(name, "HIGHESTMODSEQ")) out.mod_seq = value;
  }
  return out;
}

std::optional<std::vector<std::uint64_t>> found_of(const Response& response) {
  if (!begins_with(response, "SEARCH")) return std::nullopt;
  std::vector<std::uint64_t> out;
  for (const auto& token : response.tokens) {
    if (token.kind == Token::Kind::open) break;  // (MODSEQ 17)
    if (const auto uid = number(token.text)) out.push_back(*uid);
  }
  return out;
}

std::optional<std::vector<std::string>> capabilities_of(const Response& response) {
  constexpr std::string_view word = "CAPABILITY";
  std::vector<std::string> out;
  if (begins_with(response, word)) {
    out = words_of(response.tokens, 1, response.tokens.size());
  } else if (equal_words(first_word(response.code), word)) {
    for (auto rest = behind_word(response.code); !rest.empty(); rest = behind_word(rest)) {
      out.emplace_back(first_word(rest));
    }
  } else {
    return std::nullopt;
  }
  return out;
}

std::optional<std::uint64_t> number_before(const Response& response, std::string_view word) {
  const auto& tokens = response.tokens;
  if (response.tag != "*" || tokens.size() < 2) return std::nullopt;
  return equal_words(tokens[1].text, word) ? number(tokens[0].text) : std::nullopt;
}

std::optional<std::uint64_t> number_in_code(const Response& response, std::string_view word) {
  if (!equal_words(first_word(response.code), word)) return std::nullopt;
  return number(first_word(behind_word(response.code)));
}

std::optional<Listed> listed_of(const Response& response) {
  const auto& tokens = response.tokens;
  if (!begins_with(response, "LIST") || tokens.size() < 4) return std::nullopt;
  const auto end = end_of_value(tokens, 1);
  if (end + 1 >= tokens.size()) return std::nullopt;
  return Listed{from_wire_name(tokens[end + 1].text), words_of(tokens, 1, end)};
}

std::optional<std::string> quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      return std::nullopt;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace vigil::mail
