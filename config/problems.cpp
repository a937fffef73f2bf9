#include "config/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <tuple>

namespace vigil::config {
namespace {

// Is `key` the same as `above`, or something inside it?
bool is_within(std::string_view key, std::string_view above) {
  if (!key.starts_with(above)) return false;
  return key.size() == above.size() || key[above.size()] == '.' || key[above.size()] == '[';
}

// A diagnostic stays on its line, whatever a key or value holds.
std::string on_one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string Diagnostic::to_text() const {
  std::string text = file;
  if (line > 0) text += fmt::format(":{}:{}", line, column);
  if (!key.empty()) text += ": " + on_one_line(key);
  return text + ": " + on_one_line(message);
}

std::string parent_of(std::string_view key) {
  const auto step = key.find_last_of(".[");
  return step == std::string_view::npos ? std::string() : std::string(key.substr(0, step));
}

void Problems::begin_file(const std::string& file) {
  namespace fs = std::filesystem;
  file_ = file;
  files_.push_back(file);
  std::error_code failed;
  fs::path absolute = fs::absolute(fs::path(file), failed);
  if (failed) absolute = file;
  directory_ = absolute.parent_path().lexically_normal().string();
}

void Problems::add(std::string key, Place place, std::string message) {
  diagnostics_.push_back(
      Diagnostic{file_, place.line, place.column, std::move(key), std::move(message)});
}

void Problems::learn(const std::string& key, Place place) {
  places_.try_emplace(key, Whereabouts{file_, place});
}

std::string Problems::whereabouts(const std::string& key) const {
  const auto found = places_.find(key);
  if (found == places_.end()) return {};
  return fmt::format("{}:{}", found->second.file, found->second.place.line);
}

bool Problems::known_broken(const std::string& key) const {
  const auto spoils = [&](const Diagnostic& wrong) {
    return !wrong.key.empty() && (is_within(wrong.key, key) || is_within(key, wrong.key));
  };
  const auto above = [&](const std::string& broken) { return is_within(key, broken); };
  return std::ranges::any_of(diagnostics_, spoils) || std::ranges::any_of(given_up_, above);
}

void Problems::add_later(const std::string& key, std::string message, const std::string& rests_on) {
  if (known_broken(key) || (!rests_on.empty() && known_broken(rests_on))) return;
  std::string at = key;
  while (!at.empty() && !places_.contains(at)) at = parent_of(at);
  const auto found = places_.find(at);
  const auto where = found == places_.end() ? Whereabouts{files_.empty() ? "" : files_.front(), {}}
                                            : found->second;
  later_.push_back(
      Diagnostic{where.file, where.place.line, where.place.column, key, std::move(message)});
}

std::vector<Diagnostic> Problems::take() {
  std::ranges::move(later_, std::back_inserter(diagnostics_));
  later_.clear();
  const auto rank = [&](const Diagnostic& diagnostic) {
    return std::ranges::find(files_, diagnostic.file) - files_.begin();
  };
  std::ranges::sort(diagnostics_, [&](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(rank(a), a.line, a.column, std::string_view(a.key)) <
           std::tuple(rank(b), b.line, b.column, std::string_view(b.key));
  });
  return std::move(diagnostics_);
}

}  // namespace vigil::config
