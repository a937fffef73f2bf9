#include "entities/deps/rewrite_requirement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "entities/deps/lockfile_parts.hpp"
#include "entities/deps/requirement.hpp"
#include "entities/deps/version.hpp"

namespace vigil::entities::deps {
namespace {

VersionScheme scheme_for(Manner manner) {
  switch (manner) {
    case Manner::gem:
      return VersionScheme::rubygems;
    case Manner::composer:
      return VersionScheme::packagist;
    case Manner::python:
      return VersionScheme::pypi;
    case Manner::npm:
    case Manner::cargo:
      break;
  }
  return VersionScheme::semver;
}

struct Parts {
  std::string_view op;
  std::string_view gap;  // between the operator and the version
  std::string_view version;
};

bool is_plain_version(std::string_view text) {
  if (text.empty() || text.size() > 100) return false;
  const auto rest = text.front() == 'v' ? text.substr(1) : text;
  if (rest.empty() || rest.front() < '0' || rest.front() > '9') return false;
  return std::ranges::all_of(rest,
                             [](char c) {
                               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                      (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '+';
                             }) &&
         rest.find(".x") == std::string_view::npos && rest.find(".X") == std::string_view::npos;
}

std::optional<Parts> parts_of(std::string_view requirement) {
  Parts parts;
  for (const std::string_view op : {"===", "~>", "~=", "==", ">=", "^", "~", "="}) {
    if (!requirement.starts_with(op)) continue;
    parts.op = op;
    break;
  }
  auto rest = requirement.substr(parts.op.size());
  const auto start = rest.find_first_not_of(' ');
  if (start == std::string_view::npos) return std::nullopt;
  parts.gap = rest.substr(0, start);
  parts.version = rest.substr(start);
  if (!is_plain_version(parts.version)) return std::nullopt;
  return parts;
}

std::size_t segments_of(std::string_view version) {
  return 1 + static_cast<std::size_t>(std::ranges::count(version, '.'));
}

std::string_view first_segments(std::string_view version, std::size_t count) {
  std::size_t at = 0;
  for (; count > 0; --count) {
    const auto dot = version.find('.', at);
    if (dot == std::string_view::npos) return version;
    at = dot + 1;
  }
  return version.substr(0, at - 1);
}

// "~> 1.2.3" holds all but the last number; so do "~=" and composer's "~".
bool takes_all_but_last(VersionScheme scheme, std::string_view floor, std::string_view version) {
  if (compare_versions(scheme, version, floor) < 0) return false;
  const auto held = std::max<std::size_t>(segments_of(floor), 2) - 1;
  return first_segments(version, held) == first_segments(floor, held);
}

bool is_all_but_last(Manner manner, std::string_view op) {
  return op == "~>" || op == "~=" || (op == "~" && manner == Manner::composer);
}

}  // namespace

std::optional<bool> takes(Manner manner, std::string_view requirement, std::string_view version) {
  requirement = trim(requirement);
  if (manner == Manner::npm || manner == Manner::cargo) {
    const auto dialect = manner == Manner::npm ? Dialect::npm : Dialect::cargo;
    if (!spans_of(dialect, requirement)) return std::nullopt;
    return allows(dialect, requirement, version);
  }
  if (requirement == "*") return true;
  const auto parts = parts_of(requirement);
  if (!parts) return std::nullopt;
  const auto scheme = scheme_for(manner);
  const auto order = compare_versions(scheme, version, parts->version);
  if (parts->op == ">=") return order >= 0;
  if (is_all_but_last(manner, parts->op)) {
    return takes_all_but_last(scheme, parts->version, version);
  }
  if (parts->op == "^") return allows(Dialect::npm, requirement, version);
  if (parts->op == "~") {
    return order >= 0 && first_segments(version, 2) == first_segments(parts->version, 2);
  }
  return order == 0;
}

std::optional<std::string> raised(Manner manner, std::string_view requirement,
                                  std::string_view version) {
  requirement = trim(requirement);
  const auto now = takes(manner, requirement, version);
  if (!now) return std::nullopt;
  if (*now) return std::string(requirement);
  const auto parts = parts_of(requirement);
  if (!parts) return std::nullopt;
  auto wanted = std::string(version);
  if (!wanted.starts_with('v') && parts->version.front() == 'v') wanted.insert(0, "v");
  // "~> 4.2" means any 4: with three numbers it would mean less.
  if (is_all_but_last(manner, parts->op) && segments_of(parts->version) <= 2) {
    wanted = std::string(first_segments(wanted, 2));
  }
  auto out = fmt::format("{}{}{}", parts->op, parts->gap, wanted);
  if (!takes(manner, out, version).value_or(false)) return std::nullopt;
  return out;
}

}  // namespace vigil::entities::deps
