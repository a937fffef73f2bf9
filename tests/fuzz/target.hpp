#pragma once
// What a fuzzer gives bytes to. A target takes any bytes and checks what must hold whatever they
// are; what does not hold ends the program.
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

namespace vigil::fuzz {

struct Target {
  std::string_view name;
  std::string_view
      seeds;  // folders and files of ../shared/data, and of tests/, separated by blanks
  void (*run)(std::string_view bytes);
};

std::span<const Target> door_targets();    // what a client or a service manager sends us
std::span<const Target> inside_targets();  // configuration, plans, children
std::span<const Target> mail_targets();    // mail on all its ways in
std::span<const Target> reader_targets();  // what analysers read

inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// The bytes up to the first newline, and what follows it.
struct Halves {
  std::string_view first;
  std::string_view rest;
};
inline Halves halves_of(std::string_view bytes) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) return {bytes, {}};
  return {bytes.substr(0, end), bytes.substr(end + 1)};
}

}  // namespace vigil::fuzz
