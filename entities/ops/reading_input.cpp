#include "entities/ops/reading_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/log.hpp"

namespace vigil::entities::ops {
namespace {

struct Close {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }  // only read from
};

}  // namespace

Result<double> number_in(const json::value& input, std::string_view name, double otherwise) {
  const auto* found = find_path(input, name);
  if (found == nullptr || found->is_null()) return otherwise;
  if (found->is_number()) return found->to_number<double>();
  if (found->is_string()) {
    const std::string_view text = found->get_string();
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size() && std::isfinite(value)) {
      return value;
    }
  }
  return fail(ErrorCode::invalid_input, fmt::format("{}: expected a number", name));
}

Result<Duration> time_in(const json::value& input, std::string_view name, Duration otherwise) {
  const auto* found = find_path(input, name);
  if (found == nullptr || found->is_null()) return otherwise;
  auto time = parse_duration(find_text(input, name).value_or(""));
  if (time && *time > Duration::zero()) return time;
  return fail(ErrorCode::invalid_input, fmt::format("{}: expected a time such as \"5s\"", name));
}

Result<bool> flag_in(const json::value& input, std::string_view name, bool otherwise) {
  const auto* found = find_path(input, name);
  if (found == nullptr || found->is_null()) return otherwise;
  if (found->is_bool()) return found->get_bool();
  const auto text = find_text(input, name).value_or("");
  if (text == "true" || text == "yes") return true;
  if (text == "false" || text == "no") return false;
  return fail(ErrorCode::invalid_input, fmt::format("{}: expected true or false", name));
}

Result<std::vector<std::string>> texts_in(const json::value& input, std::string_view name) {
  std::vector<std::string> out;
  const auto* found = find_path(input, name);
  if (found == nullptr || found->is_null()) return out;
  if (found->is_string()) {
    out.emplace_back(std::string_view(found->get_string()));
    return out;
  }
  if (found->is_array()) {
    for (const auto& one : found->get_array()) {
      if (one.is_string()) out.emplace_back(std::string_view(one.get_string()));
    }
    if (out.size() == found->get_array().size()) return out;
  }
  return fail(ErrorCode::invalid_input, fmt::format("{}: expected a text or a list of them", name));
}

std::string text_in(const json::value& input, std::string_view name, std::string_view otherwise) {
  return std::string(find_text(input, name).value_or(otherwise));
}

Result<void> known_members(const json::value& input,
                           std::initializer_list<std::string_view> known) {
  if (!input.is_object()) return {};
  for (const auto& [name, value] : input.get_object()) {
    const std::string_view word = name;
    if (word == "repository" || word == "files" || std::ranges::find(known, word) != known.end()) {
      continue;
    }
    return fail(ErrorCode::invalid_input, fmt::format("there is no input {}: it takes {}",
                                                      quoted(word), fmt::join(known, ", ")));
  }
  return {};
}

Result<void> read_in_pieces(const std::string& path,
                            const std::function<Result<void>(std::string_view)>& take) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  const auto cannot = [&] {
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::invalid_input,
                fmt::format("cannot read {}: {}", quoted(path), std::strerror(errno)));
  };
  if (!file) return cannot();
  std::string buffer(64 * 1024, '\0');
  while (true) {
    const auto count = std::fread(buffer.data(), 1, buffer.size(), file.get());
    if (count > 0) {
      if (auto taken = take(std::string_view(buffer).substr(0, count)); !taken) return taken;
    }
    if (count < buffer.size()) break;
  }
  if (std::ferror(file.get()) != 0) return cannot();
  return {};
}

Result<std::string> read_bounded(const std::string& path, std::size_t bytes_max) {
  std::string text;
  const auto read = read_in_pieces(path, [&](std::string_view piece) -> Result<void> {
    text += piece;
    if (text.size() <= bytes_max) return {};
    return fail(ErrorCode::too_large,
                fmt::format("{} is larger than {} bytes", quoted(path), bytes_max));
  });
  if (!read) return std::unexpected(read.error());
  return text;
}

}  // namespace vigil::entities::ops
