#pragma once
// What an IMAP server says, cut into responses and words (RFC 3501 part 7 and 9, RFC 9051; literals
// also as RFC 7888 and RFC 3516 write them). The server is not trusted: everything is bounded,
// nothing recurses. Pure; any thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::mail {

struct Token {
  enum class Kind { atom, text, nil, open, close };
  Kind kind = Kind::atom;
  std::string text;  // of an atom or a text (a quoted string or a literal)
};

struct Response {
  std::string tag;            // "*", "+", or that of a command
  std::string status;         // OK, NO, BAD, BYE, PREAUTH, in capitals; empty: it is data
  std::string code;           // of a status: what stands in brackets
  std::string text;           // of a status or "+": the rest, for people
  std::vector<Token> tokens;  // of data, behind the tag
};

struct ResponseLimits {
  std::size_t line_bytes_max = 1024 * 1024;  // without literals
  std::size_t bytes_max = 64 * 1024 * 1024;  // with them
};

class ResponseReader {
 public:
  explicit ResponseReader(ResponseLimits limits = {}) : limits_(limits) {}
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole response; nothing: more bytes are needed. An error: this is no IMAP, or it is
  // too much; nothing more can be read.
  Result<std::optional<Response>> next();
  // What was fed and not read yet: behind STARTTLS there must be nothing.
  std::size_t left() const { return buffer_.size(); }

 private:
  struct Piece {
    std::size_t begin = 0;
    std::size_t end = 0;      // of the line, without a literal's announcement
    std::size_t literal = 0;  // bytes, behind the line's end
    std::size_t literal_at = 0;
    bool has_literal = false;
  };
  Result<bool> take_piece();
  Result<Response> make() const;

  ResponseLimits limits_;
  std::string buffer_;
  std::size_t at_ = 0;  // where the next piece begins
  std::size_t searched_ = 0;
  std::size_t line_bytes_ = 0;
  bool is_status_ = false;
  std::vector<Piece> pieces_;
};

// One message as FETCH tells it; what was not asked for is not there.
struct Fetched {
  std::uint64_t uid = 0;
  std::optional<std::vector<std::string>> flags;  // as the server writes them
  std::uint64_t bytes = 0;                        // RFC822.SIZE
  std::string internal_date;
  std::optional<std::string> body;  // the first BODY[...] of it
};
// Nothing: it is no FETCH.
std::optional<Fetched> fetched_of(const Response& response);

struct FolderStatus {
  std::string folder;
  std::uint64_t messages = 0;
  std::uint64_t uid_next = 0;
  std::uint64_t uid_validity = 0;
  std::uint64_t mod_seq = 0;  // 0: not known
};
std::optional<FolderStatus> status_of(const Response& response);

std::optional<std::vector<std::uint64_t>> found_of(const Response& response);  // SEARCH
std::optional<std::vector<std::string>> capabilities_of(const Response& response);
// "3 EXISTS": the number in front of a word.
std::optional<std::uint64_t> number_before(const Response& response, std::string_view word);
// "UIDNEXT 17" as a code: the number behind a word.
std::optional<std::uint64_t> number_in_code(const Response& response, std::string_view word);

struct Listed {
  std::string folder;
  std::vector<std::string> attributes;  // \Drafts, \Sent, \Noselect ...
};
std::optional<Listed> listed_of(const Response& response);

bool equal_words(std::string_view a, std::string_view b);  // letters of ASCII: case is nothing

// A folder's name as it travels (RFC 3501 5.1.3) and back. Backwards what is malformed stays as it
// is.
std::string to_wire_name(std::string_view utf8);
std::string from_wire_name(std::string_view wire);

// A quoted string. Nothing: it holds a line break, a NUL or bytes that are not ASCII.
std::optional<std::string> quoted_string(std::string_view text);

}  // namespace vigil::mail
