#include "entities/ci/place.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace vigil::entities::ci {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool has_drive(std::string_view path) {
  return path.size() > 1 && path[1] == ':' &&
         std::isalpha(static_cast<unsigned char>(path[0])) != 0;
}

std::string without_percents(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
    if (low < 0 || (high == 0 && low == 0)) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace

bool is_absolute(std::string_view path) {
  return path.starts_with('/') || path.starts_with('\\') || has_drive(path);
}

std::string path_of_uri(std::string_view uri) {
  const auto colon = uri.find(':');
  const bool has_scheme =
      colon != std::string_view::npos && colon > 1 &&
      std::ranges::all_of(uri.substr(0, colon), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
      });
  if (!has_scheme) return without_percents(uri);
  if (!uri.starts_with("file:")) return std::string(uri);
  uri.remove_prefix(5);
  if (uri.starts_with("//")) {
    const auto path = uri.find('/', 2);
    const auto host = uri.substr(2, path == std::string_view::npos ? path : path - 2);
    // file://<root>/x and file://host/share have something before the path.
    if (host.empty() || host == "localhost") uri.remove_prefix(std::min(path, uri.size()));
  }
  if (uri.size() > 2 && uri[0] == '/' && has_drive(uri.substr(1))) uri.remove_prefix(1);
  return without_percents(uri);
}

std::string tidy_path(std::string_view path) {
  std::string slashed(path);
  std::ranges::replace(slashed, '\\', '/');
  std::string_view rest = slashed;
  std::string root;
  if (has_drive(rest)) {
    root = rest.substr(0, 2);
    rest.remove_prefix(2);
  }
  if (rest.starts_with("//") && root.empty()) root = "/";
  const bool rooted = rest.starts_with('/');
  if (rooted) root += '/';
  std::vector<std::string_view> steps;
  while (!rest.empty()) {
    const auto step = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), step.size() + 1));
    if (step.empty() || step == ".") continue;
    const bool takes_back = step == ".." && !steps.empty() && steps.back() != "..";
    if (takes_back) {
      steps.pop_back();
    } else if (step != ".." || !rooted) {
      steps.push_back(step);
    }
  }
  std::string out = root;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i > 0) out += '/';
    out += steps[i];
  }
  return out;
}

std::string join_paths(std::string_view folder, std::string_view path) {
  if (folder.empty() || is_absolute(path)) return tidy_path(path);
  std::string both(folder);
  both += '/';
  both += path;
  return tidy_path(both);
}

}  // namespace vigil::entities::ci
