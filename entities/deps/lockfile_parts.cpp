#include "entities/deps/lockfile_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/stream_parser.hpp>

namespace vigil::entities::deps {

std::unexpected<Error> refuse(int line, std::string_view what) {
  return fail(ErrorCode::invalid_input, fmt::format("{}: {}", line, what));
}

int line_at(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  return 1 + static_cast<int>(std::ranges::count(before, '\n'));
}

void Packages::add(std::string_view name, std::string_view version, Purpose purpose, int line) {
  std::string key(name);
  key += '\n';
  key += version;
  const auto [at, is_new] = known_.try_emplace(std::move(key), file_.packages.size());
  if (!is_new) {
    auto& known = file_.packages[at->second];
    known.purpose = std::min(known.purpose, purpose);
    return;
  }
  file_.packages.push_back({ecosystem_, std::string(name), std::string(version), purpose, line});
}

int Lines::arrive(std::size_t at) {
  line_ += static_cast<int>(std::ranges::count(text_.substr(at_, at - at_), '\n'));
  at_ = at;
  return line_;
}

int Lines::of_key(std::string_view key, char opens) {
  if (lost_) return 0;
  const std::string needle = fmt::format("\"{}\"", key);
  auto from = at_;
  while (true) {
    const auto found = text_.find(needle, from);
    if (found == std::string_view::npos) {
      lost_ = true;
      return 0;
    }
    auto after = text_.find_first_not_of(" \t\r\n", found + needle.size());
    from = found + needle.size();
    if (after == std::string_view::npos || text_[after] != ':') continue;
    after = text_.find_first_not_of(" \t\r\n", after + 1);
    if (after == std::string_view::npos || text_[after] != opens) continue;
    const int line = arrive(found);
    at_ = found + 1;
    return line;
  }
}

int Lines::of_text(std::string_view needle) {
  if (lost_) return 0;
  const auto found = text_.find(needle, at_);
  if (found == std::string_view::npos) {
    lost_ = true;
    return 0;
  }
  return arrive(found);
}

bool LineReader::next(std::string_view& line) {
  if (rest_.empty()) return false;
  const auto end = rest_.find('\n');
  line = rest_.substr(0, end);
  rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
    line.remove_suffix(1);
  }
  ++number_;
  return true;
}

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

std::string_view unquote(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::size_t indent_of(std::string_view line) {
  const auto from = line.find_first_not_of(' ');
  return from == std::string_view::npos ? line.size() : from;
}

Result<json::object> read_json_object(std::string_view text, std::string_view what) {
  json::parse_options options;
  // Old npm files nest a package in another, two levels of JSON each time.
  options.max_depth = 256;
  json::stream_parser parser({}, options);
  json::error_code error;
  const auto read = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (!error && !trim(text.substr(read)).empty()) error = json::error::extra_data;
  if (error) {
    return refuse(line_at(text, read), fmt::format("not {}: {}", what, error.message()));
  }
  auto value = parser.release();
  if (!value.is_object()) return refuse(1, fmt::format("not {}: expected an object", what));
  return std::move(value.get_object());
}

const json::object* object_in(const json::object& parent, std::string_view key) {
  const auto* value = parent.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::string_view text_in(const json::object& parent, std::string_view key) {
  const auto* value = parent.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return value->get_string();
}

bool flag_in(const json::object& parent, std::string_view key) {
  const auto* value = parent.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace vigil::entities::deps
