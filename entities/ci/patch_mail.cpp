#include "entities/ci/patch_mail.hpp"

#include <algorithm>
#include <set>

#include "core/digest.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t boundaries_max = 32;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string_view without_end(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "Subject: x" or the separator of an mbox.
bool begins_a_head(std::string_view line) {
  if (line.starts_with("From ")) return true;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  return std::ranges::all_of(line.substr(0, colon), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

class Decoder {
 public:
  std::string decode(std::string_view text) {
    out_.reserve(text.size());
    while (!text.empty()) {
      const auto end = text.find('\n');
      const auto line = text.substr(0, end == std::string_view::npos ? end : end + 1);
      text.remove_prefix(line.size());
      take(line);
    }
    close_part();
    return std::move(out_);
  }

 private:
  enum class Encoding { plain, quoted, base64 };

  void take(std::string_view line) {
    const auto body = without_end(line);
    const bool is_boundary = body.starts_with("--") &&
                             (boundaries_.contains(std::string(body.substr(2))) ||
                              (body.ends_with("--") && body.size() > 4 &&
                               boundaries_.contains(std::string(body.substr(2, body.size() - 4)))));
    const bool is_next_mail =
        !in_head_ && was_blank_ && body.starts_with("From ") && encoding_ != Encoding::base64;
    if (is_boundary || is_next_mail) {
      close_part();
      encoding_ = Encoding::plain;
      in_head_ = true;
      if (is_next_mail) boundaries_.clear();
      out_ += line;
    } else if (in_head_) {
      out_ += line;
      read_head(body);
    } else {
      read_body(line, body);
    }
    was_blank_ = body.empty();
  }

  void read_head(std::string_view line) {
    if (line.empty()) {
      in_head_ = false;
      return;
    }
    const auto small = lower(line);
    if (small.starts_with("content-transfer-encoding:")) {
      if (small.find("quoted-printable") != std::string::npos) encoding_ = Encoding::quoted;
      if (small.find("base64") != std::string::npos) encoding_ = Encoding::base64;
    }
    const auto at = small.find("boundary=");
    if (at == std::string::npos || boundaries_.size() >= boundaries_max) return;
    auto name = line.substr(at + 9);
    name = name.starts_with('"') ? name.substr(1, name.find('"', 1) - 1)
                                 : name.substr(0, name.find_first_of("; \t"));
    if (!name.empty()) boundaries_.emplace(name);
  }

  void read_body(std::string_view line, std::string_view body) {
    if (encoding_ == Encoding::plain) {
      out_ += line;
    } else if (encoding_ == Encoding::base64) {
      held_ += body;
    } else {
      read_quoted(body, line.size() > body.size());
    }
  }

  void read_quoted(std::string_view body, bool has_end) {
    while (body.ends_with(' ') || body.ends_with('\t')) body.remove_suffix(1);  // added on the way
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (body[i] != '=') {
        out_ += body[i];
        continue;
      }
      if (i + 1 == body.size()) return;  // the line goes on in the next
      const int high = digit_of(body[i + 1]);
      const int low = i + 2 < body.size() ? digit_of(body[i + 2]) : -1;
      if (high < 0 || low < 0) {
        out_ += '=';
        continue;
      }
      out_ += static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (has_end) out_ += '\n';
  }

  // What is no base64 after all is kept as it came.
  void close_part() {
    if (held_.empty()) return;
    const auto decoded = from_base64(held_);
    out_ += decoded ? *decoded : held_;
    if (!out_.ends_with('\n')) out_ += '\n';
    held_.clear();
  }

  std::string out_;
  std::string held_;  // of a part in base64
  std::set<std::string> boundaries_;
  Encoding encoding_ = Encoding::plain;
  bool in_head_ = true;
  bool was_blank_ = true;
};

}  // namespace

std::string decode_mails(std::string_view text) {
  auto begin = text;
  while (!begin.empty() &&
         without_end(begin.substr(0, begin.find('\n'))).find_first_not_of(" \t") ==
             std::string_view::npos) {
    begin.remove_prefix(std::min(begin.size(), begin.substr(0, begin.find('\n')).size() + 1));
  }
  if (!begins_a_head(without_end(begin.substr(0, begin.find('\n'))))) return std::string(text);
  return Decoder().decode(begin);
}

}  // namespace vigil::entities::ci
