#include "entities/deps/version.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "entities/deps/version_parts.hpp"

namespace vigil::entities::deps {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::weak_ordering compare_bytes(std::string_view a, std::string_view b) {
  return a.compare(b) <=> 0;
}

std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  while (a.starts_with('0')) a.remove_prefix(1);
  while (b.starts_with('0')) b.remove_prefix(1);
  if (a.size() != b.size()) return a.size() <=> b.size();
  return compare_bytes(a, b);
}

std::weak_ordering compare_identifiers(std::string_view a, std::string_view b) {
  const bool number_a = all_digits(a);
  const bool number_b = all_digits(b);
  if (number_a && number_b) return compare_numbers(a, b);
  if (number_a != number_b) {
    return number_a ? std::weak_ordering::less : std::weak_ordering::greater;
  }
  return compare_bytes(a, b);
}

std::weak_ordering compare_cores(const std::vector<std::string_view>& a,
                                 const std::vector<std::string_view>& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const auto left = i < a.size() ? a[i] : std::string_view();
    const auto right = i < b.size() ? b[i] : std::string_view();
    if (const auto order = compare_numbers(left, right); order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const auto taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_letter(text[size])) ++size;
  const auto taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

namespace {

// The numbers in front, and what comes after them without its dash. Build metadata is dropped.
struct Numbered {
  std::vector<std::string_view> core;
  std::string_view suffix;
};

Numbered split_numbered(std::string_view text) {
  Numbered parts;
  text = text.substr(0, text.find('+'));
  while (text.starts_with(' ') || text.starts_with('=')) text.remove_prefix(1);
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  while (!text.empty() && is_digit(text.front())) {
    parts.core.push_back(take_digits(text));
    if (text.size() < 2 || text.front() != '.' || !is_digit(text[1])) break;
    text.remove_prefix(1);
  }
  if (text.starts_with('-') || text.starts_with('.')) text.remove_prefix(1);
  parts.suffix = text;
  return parts;
}

std::weak_ordering compare_suffixes(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return b.size() <=> a.size();  // none is the release itself
  while (true) {
    const auto dot_a = a.find('.');
    const auto dot_b = b.find('.');
    const auto order = compare_identifiers(a.substr(0, dot_a), b.substr(0, dot_b));
    if (order != 0) return order;
    const bool last_a = dot_a == std::string_view::npos;
    const bool last_b = dot_b == std::string_view::npos;
    if (last_a || last_b) return last_b <=> last_a;
    a.remove_prefix(dot_a + 1);
    b.remove_prefix(dot_b + 1);
  }
}

std::weak_ordering compare_semver(std::string_view a, std::string_view b) {
  const auto left = split_numbered(a);
  const auto right = split_numbered(b);
  if (const auto order = compare_cores(left.core, right.core); order != 0) return order;
  return compare_suffixes(left.suffix, right.suffix);
}

// NuGet knows four numbers and no case.
std::weak_ordering compare_nuget(std::string_view a, std::string_view b) {
  std::string left(a);
  std::string right(b);
  std::ranges::transform(left, left.begin(), lower);
  std::ranges::transform(right, right.begin(), lower);
  return compare_semver(left, right);
}

std::weak_ordering compare_number_lists(std::string_view a, std::string_view b) {
  const auto split = [](std::string_view text) {
    std::vector<std::string_view> all;
    while (!text.empty()) {
      all.push_back(take_digits(text));
      if (!text.empty()) text.remove_prefix(1);
    }
    return all;
  };
  const auto left = split(a);
  const auto right = split(b);
  if (const auto order = compare_cores(left, right); order != 0) return order;
  return left.size() <=> right.size();
}

// A gem's version as its runs of digits and letters. "1.0-b" is written "1.0.pre.b".
std::vector<std::string_view> gem_segments(std::string_view text) {
  std::vector<std::string_view> all;
  std::size_t words_from = std::string_view::npos;
  const auto add = [&](std::string_view part) {
    if (words_from == std::string_view::npos && is_letter(part.front())) {
      while (!all.empty() && compare_numbers(all.back(), "") == 0) all.pop_back();
      words_from = all.size();
    }
    all.push_back(part);
  };
  while (!text.empty()) {
    if (is_digit(text.front())) {
      add(take_digits(text));
    } else if (is_letter(text.front())) {
      add(take_letters(text));
    } else {
      if (text.front() == '-') add("pre");
      text.remove_prefix(1);
    }
  }
  while (!all.empty() && all_digits(all.back()) && compare_numbers(all.back(), "") == 0) {
    all.pop_back();
  }
  return all;
}

std::weak_ordering compare_rubygems(std::string_view a, std::string_view b) {
  const auto left = gem_segments(a);
  const auto right = gem_segments(b);
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const auto one = i < left.size() ? left[i] : "0";
    const auto other = i < right.size() ? right[i] : "0";
    const bool word_one = is_letter(one.front());
    const bool word_other = is_letter(other.front());
    if (word_one != word_other) {
      return word_one ? std::weak_ordering::less : std::weak_ordering::greater;
    }
    const auto order = word_one ? compare_bytes(one, other) : compare_numbers(one, other);
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

// Where a word stands between the numbers: those of PHP's version_compare.
int composer_rank(std::string_view word) {
  std::string name(word);
  std::ranges::transform(name, name.begin(), lower);
  constexpr std::array<std::pair<std::string_view, int>, 14> ranks{{{"dev", 1},
                                                                    {"alpha", 2},
                                                                    {"a", 2},
                                                                    {"beta", 3},
                                                                    {"b", 3},
                                                                    {"rc", 4},
                                                                    {"c", 4},
                                                                    {"stable", 5},
                                                                    {"", 5},
                                                                    {"p", 6},
                                                                    {"pl", 6},
                                                                    {"patch", 6},
                                                                    {"r", 6},
                                                                    {"rev", 6}}};
  const auto found =
      std::ranges::find(ranks, std::string_view(name), &std::pair<std::string_view, int>::first);
  return found == ranks.end() ? 0 : found->second;
}

std::weak_ordering compare_packagist(std::string_view a, std::string_view b) {
  auto left = split_numbered(a);
  auto right = split_numbered(b);
  if (const auto order = compare_cores(left.core, right.core); order != 0) return order;
  auto& one = left.suffix;
  auto& other = right.suffix;
  while (!one.empty() || !other.empty()) {
    const auto word_one = take_letters(one);
    const auto word_other = take_letters(other);
    const auto rank = composer_rank(word_one) <=> composer_rank(word_other);
    if (rank != 0) return rank;
    if (composer_rank(word_one) == 0) {
      if (const auto order = compare_bytes(word_one, word_other); order != 0) return order;
    }
    while (!one.empty() && !is_digit(one.front()) && !is_letter(one.front())) one.remove_prefix(1);
    while (!other.empty() && !is_digit(other.front()) && !is_letter(other.front())) {
      other.remove_prefix(1);
    }
    const auto order = compare_numbers(take_digits(one), take_digits(other));
    if (order != 0) return order;
    while (one.starts_with('.') || one.starts_with('-')) one.remove_prefix(1);
    while (other.starts_with('.') || other.starts_with('-')) other.remove_prefix(1);
  }
  return std::weak_ordering::equivalent;
}

}  // namespace

VersionScheme scheme_of(std::string_view ecosystem) {
  ecosystem = ecosystem.substr(0, ecosystem.find(':'));
  using enum VersionScheme;
  constexpr std::array<std::pair<std::string_view, VersionScheme>, 24> schemes{
      {{"PyPI", pypi},           {"Maven", maven},
       {"NuGet", nuget},         {"RubyGems", rubygems},
       {"Packagist", packagist}, {"Hackage", numbers},
       {"CRAN", numbers},        {"Debian", debian},
       {"Ubuntu", debian},       {"Echo", debian},
       {"Alpine", alpine},       {"Wolfi", alpine},
       {"Chainguard", alpine},   {"MinimOS", alpine},
       {"Alpaquita", alpine},    {"BellSoft Hardened Containers", alpine},
       {"openSUSE", rpm},        {"SUSE", rpm},
       {"Red Hat", rpm},         {"Rocky Linux", rpm},
       {"AlmaLinux", rpm},       {"Mageia", rpm},
       {"openEuler", rpm},       {"Photon OS", rpm}}};
  const auto found =
      std::ranges::find(schemes, ecosystem, &std::pair<std::string_view, VersionScheme>::first);
  return found == schemes.end() ? semver : found->second;
}

std::weak_ordering compare_versions(VersionScheme scheme, std::string_view a, std::string_view b) {
  a = a.substr(0, version_bytes_max);
  b = b.substr(0, version_bytes_max);
  switch (scheme) {
    case VersionScheme::semver:
      return compare_semver(a, b);
    case VersionScheme::pypi:
      return compare_pypi(a, b);
    case VersionScheme::maven:
      return compare_maven(a, b);
    case VersionScheme::nuget:
      return compare_nuget(a, b);
    case VersionScheme::rubygems:
      return compare_rubygems(a, b);
    case VersionScheme::packagist:
      return compare_packagist(a, b);
    case VersionScheme::numbers:
      return compare_number_lists(a, b);
    case VersionScheme::debian:
      return compare_debian(a, b);
    case VersionScheme::alpine:
      return compare_alpine(a, b);
    case VersionScheme::rpm:
      return compare_rpm(a, b);
  }
  return std::weak_ordering::equivalent;
}

std::weak_ordering compare_versions(std::string_view ecosystem, std::string_view a,
                                    std::string_view b) {
  return compare_versions(scheme_of(ecosystem), a, b);
}

bool is_prerelease(VersionScheme scheme, std::string_view version) {
  version = version.substr(0, version_bytes_max);
  switch (scheme) {
    case VersionScheme::semver:
    case VersionScheme::nuget:
      return !split_numbered(version).suffix.empty();
    case VersionScheme::packagist: {
      auto suffix = split_numbered(version).suffix;
      return composer_rank(take_letters(suffix)) < composer_rank("");
    }
    case VersionScheme::rubygems:
      return std::ranges::any_of(version, is_letter);
    case VersionScheme::pypi:
      return is_pypi_prerelease(version);
    case VersionScheme::maven:
      return is_maven_prerelease(version);
    case VersionScheme::numbers:
    case VersionScheme::debian:
    case VersionScheme::alpine:
    case VersionScheme::rpm:
      return version.find('~') != std::string_view::npos;
  }
  return false;
}

}  // namespace vigil::entities::deps
