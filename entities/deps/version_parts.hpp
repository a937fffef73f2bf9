#pragma once
// What the orders of versions are made of. For version*.cpp alone.
#include <compare>
#include <string_view>
#include <vector>

namespace vigil::entities::deps {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool all_digits(std::string_view text);  // and not empty

// Numbers of any length: leading zeros do not count, an empty text is 0.
std::weak_ordering compare_numbers(std::string_view a, std::string_view b);
std::weak_ordering compare_bytes(std::string_view a, std::string_view b);
// Identifiers of SemVer: numbers by value and before words, words byte by byte.
std::weak_ordering compare_identifiers(std::string_view a, std::string_view b);
// "1.2" and "1.2.0" are equal: what is missing is 0.
std::weak_ordering compare_cores(const std::vector<std::string_view>& a,
                                 const std::vector<std::string_view>& b);

// Takes the digits at the front of the text away and gives them.
std::string_view take_digits(std::string_view& text);
std::string_view take_letters(std::string_view& text);

std::weak_ordering compare_pypi(std::string_view a, std::string_view b);
bool is_pypi_prerelease(std::string_view version);
std::weak_ordering compare_maven(std::string_view a, std::string_view b);
bool is_maven_prerelease(std::string_view version);
std::weak_ordering compare_debian(std::string_view a, std::string_view b);
std::weak_ordering compare_alpine(std::string_view a, std::string_view b);
std::weak_ordering compare_rpm(std::string_view a, std::string_view b);

}  // namespace vigil::entities::deps
