// The orders of Debian, Alpine and RPM packages.
#include <algorithm>
#include <array>
#include <tuple>

#include "entities/deps/version_parts.hpp"

namespace vigil::entities::deps {
namespace {

struct EpochVersionRelease {
  std::string_view epoch;
  std::string_view version;
  std::string_view release;
};

enum class ReleaseAfter { first_dash, last_dash };

EpochVersionRelease split(std::string_view text, ReleaseAfter where) {
  EpochVersionRelease parts;
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && all_digits(text.substr(0, colon))) {
    parts.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const auto dash = where == ReleaseAfter::last_dash ? text.rfind('-') : text.find('-');
  parts.version = text.substr(0, dash);
  if (dash != std::string_view::npos) parts.release = text.substr(dash + 1);
  return parts;
}

// Letters sort before everything that is no letter, and a tilde before the end itself.
int debian_rank(std::string_view text) {
  if (text.empty() || is_digit(text.front())) return 0;
  if (text.front() == '~') return -1;
  const int code = static_cast<unsigned char>(text.front());
  return is_letter(text.front()) ? code : code + 256;
}

std::weak_ordering compare_debian_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
      if (const auto order = debian_rank(a) <=> debian_rank(b); order != 0) return order;
      if (!a.empty()) a.remove_prefix(1);
      if (!b.empty()) b.remove_prefix(1);
    }
    const auto order = compare_numbers(take_digits(a), take_digits(b));
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

// rpmvercmp: runs of digits and of letters; everything else only parts them, but for ~ and ^.
std::weak_ordering compare_rpm_part(std::string_view a, std::string_view b) {
  const auto skip = [](std::string_view& text) {
    while (!text.empty() && !is_digit(text.front()) && !is_letter(text.front()) &&
           text.front() != '~' && text.front() != '^') {
      text.remove_prefix(1);
    }
  };
  while (!a.empty() || !b.empty()) {
    skip(a);
    skip(b);
    const bool tilde_a = a.starts_with('~');
    const bool tilde_b = b.starts_with('~');
    if (tilde_a != tilde_b) return tilde_b <=> tilde_a;
    const bool caret_a = a.starts_with('^');
    const bool caret_b = b.starts_with('^');
    if (caret_a != caret_b) {
      if (a.empty()) return std::weak_ordering::less;
      if (b.empty()) return std::weak_ordering::greater;
      return caret_b <=> caret_a;
    }
    if (tilde_a || caret_a) {
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    if (a.empty() || b.empty()) break;
    const bool number = is_digit(a.front());
    const auto one = number ? take_digits(a) : take_letters(a);
    const auto other = number ? take_digits(b) : take_letters(b);
    if (other.empty()) return number ? std::weak_ordering::greater : std::weak_ordering::less;
    const auto order = number ? compare_numbers(one, other) : compare_bytes(one, other);
    if (order != 0) return order;
  }
  return !a.empty() <=> !b.empty();
}

struct Apk {
  std::vector<std::string_view> numbers;
  std::string_view letter;
  std::vector<std::pair<int, std::string_view>> suffixes;
  std::string_view release;
};

int apk_rank(std::string_view word) {
  constexpr std::array<std::string_view, 10> words{"alpha", "beta", "pre", "rc", "",
                                                   "cvs",   "svn",  "git", "hg", "p"};
  return static_cast<int>(std::ranges::find(words, word) - words.begin());
}

Apk read_apk(std::string_view text) {
  Apk version;
  const auto release = text.rfind("-r");
  if (release != std::string_view::npos && all_digits(text.substr(release + 2))) {
    version.release = text.substr(release + 2);
    text = text.substr(0, release);
  }
  version.numbers.push_back(take_digits(text));
  while (text.size() > 1 && text.front() == '.' && is_digit(text[1])) {
    text.remove_prefix(1);
    version.numbers.push_back(take_digits(text));
  }
  version.letter = take_letters(text);
  while (text.starts_with('_')) {
    text.remove_prefix(1);
    const int rank = apk_rank(take_letters(text));
    version.suffixes.emplace_back(rank, take_digits(text));
  }
  return version;
}

// After the first number a leading zero makes it a fraction: 1.02 comes before 1.1.
std::weak_ordering compare_apk_numbers(const Apk& a, const Apk& b) {
  for (std::size_t i = 0; i < std::min(a.numbers.size(), b.numbers.size()); ++i) {
    const auto one = a.numbers[i];
    const auto other = b.numbers[i];
    const bool fraction = i > 0 && ((one.size() > 1 && one.starts_with('0')) ||
                                    (other.size() > 1 && other.starts_with('0')));
    const auto order = fraction ? compare_bytes(one, other) : compare_numbers(one, other);
    if (order != 0) return order;
  }
  return a.numbers.size() <=> b.numbers.size();
}

}  // namespace

std::weak_ordering compare_debian(std::string_view a, std::string_view b) {
  const auto left = split(a, ReleaseAfter::last_dash);
  const auto right = split(b, ReleaseAfter::last_dash);
  if (const auto order = compare_numbers(left.epoch, right.epoch); order != 0) return order;
  const auto order = compare_debian_part(left.version, right.version);
  return order != 0 ? order : compare_debian_part(left.release, right.release);
}

std::weak_ordering compare_rpm(std::string_view a, std::string_view b) {
  const auto left = split(a, ReleaseAfter::first_dash);
  const auto right = split(b, ReleaseAfter::first_dash);
  if (const auto order = compare_numbers(left.epoch, right.epoch); order != 0) return order;
  const auto order = compare_rpm_part(left.version, right.version);
  return order != 0 ? order : compare_rpm_part(left.release, right.release);
}

std::weak_ordering compare_alpine(std::string_view a, std::string_view b) {
  const auto left = read_apk(a);
  const auto right = read_apk(b);
  if (const auto order = compare_apk_numbers(left, right); order != 0) return order;
  if (const auto order = compare_bytes(left.letter, right.letter); order != 0) return order;
  const std::pair<int, std::string_view> none{apk_rank(""), ""};
  for (std::size_t i = 0; i < std::max(left.suffixes.size(), right.suffixes.size()); ++i) {
    const auto& one = i < left.suffixes.size() ? left.suffixes[i] : none;
    const auto& other = i < right.suffixes.size() ? right.suffixes[i] : none;
    if (const auto order = one.first <=> other.first; order != 0) return order;
    if (const auto order = compare_numbers(one.second, other.second); order != 0) return order;
  }
  return compare_numbers(left.release, right.release);
}

}  // namespace vigil::entities::deps
