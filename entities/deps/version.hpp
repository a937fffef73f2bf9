#pragma once
// The order of versions, as each ecosystem defines it. Pure; any thread. Every text has a place in
// the order, odd ones too: nothing here fails, and the work is linear in the length of the texts.
#include <algorithm>
#include <compare>
#include <string_view>

namespace vigil::entities::deps {

// How versions are compared; several ecosystems share one.
enum class VersionScheme {
  semver,  // npm, crates.io, Go, Hex, Pub, SwiftURL and everything unknown
  pypi,
  maven,
  nuget,
  rubygems,
  packagist,
  numbers,  // Hackage, CRAN: lists of numbers
  debian,
  alpine,
  rpm,
};

// By the ecosystem's name in advisories; what follows a colon ("Debian:12") plays no part.
VersionScheme scheme_of(std::string_view ecosystem);

// Only the first bytes are compared: versions longer than this are no versions.
constexpr std::size_t version_bytes_max = 4096;

std::weak_ordering compare_versions(VersionScheme scheme, std::string_view a, std::string_view b);
std::weak_ordering compare_versions(std::string_view ecosystem, std::string_view a,
                                    std::string_view b);

// Sorts by an order of versions. Texts from outside may be so odd that an order of theirs goes
// round in a circle, where std::sort reads past the end; a heap never does.
void sort_versions(auto& texts, auto less) {
  std::ranges::make_heap(texts, less);
  std::ranges::sort_heap(texts, less);
}

// Whether the version is one before a release (alpha, rc, dev, snapshot), by its scheme.
bool is_prerelease(VersionScheme scheme, std::string_view version);

}  // namespace vigil::entities::deps
