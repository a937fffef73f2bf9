#pragma once
// How an index of advisories lies in its bytes: one header, then tables of rows, then all texts.
// For advisory_index*.cpp alone. Changing anything here asks for another index_version.
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace vigil::entities::deps {

struct TextRow {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

struct PackageRow {
  TextRow key;  // ecosystem, line feed, name; rows are sorted by it
  std::uint32_t entry = 0;
  std::uint32_t entries = 0;
};

struct EntryRow {  // one advisory about one package
  std::uint32_t advisory = 0;
  std::uint32_t interval = 0;
  std::uint32_t intervals = 0;
  std::uint32_t version = 0;
  std::uint32_t versions = 0;
};

struct IntervalRow {
  TextRow from;
  TextRow to;
  std::uint32_t ends = 0;
};

struct AdvisoryRow {
  TextRow id;
  TextRow aliases;
  TextRow summary;
  std::uint32_t severity = 0;
};
constexpr std::uint32_t severity_unknown = 255;

struct Table {
  std::uint64_t at = 0;
  std::uint64_t count = 0;
};

constexpr std::string_view index_magic = "vigiladv";

struct Header {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t byte_order = 0x01020304;
  std::array<std::uint8_t, 32> digest{};
  std::uint64_t checksum = 0;  // of everything behind the header
  std::uint64_t bytes = 0;     // of the whole
  std::uint64_t withdrawn = 0;
  std::uint64_t problems = 0;
  Table packages, entries, intervals, versions, advisories, texts;
  TextRow problem_text;
};
static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) % 8 == 0);

// Four lanes of multiply and rotate: fast enough to look at every byte each time it is opened.
inline std::uint64_t checksum_of(std::string_view bytes) {
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15ULL;
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at + lane * 8, 8);
      lanes[lane] = (lanes[lane] ^ word) * odd;
      lanes[lane] = (lanes[lane] << 29) | (lanes[lane] >> 35);
    }
  }
  std::uint64_t sum = bytes.size();
  for (; at < bytes.size(); ++at) sum = (sum ^ static_cast<std::uint8_t>(bytes[at])) * odd;
  for (const auto lane : lanes) sum = ((sum ^ lane) * odd) ^ (sum >> 31);
  return sum;
}

}  // namespace vigil::entities::deps
