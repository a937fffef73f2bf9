#include "entities/ci/fingerprint.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "entities/ci/report_parts.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t text_bytes_max = 16 * 1024;
constexpr std::size_t message_lines_max = 5;
constexpr std::size_t frames_max = 8;
constexpr std::size_t hex_digits = 12;

// Each pattern takes out one kind of incident; the order is from the most to the least special.
struct Incident {
  const char* pattern;
  const char* instead;
};
constexpr std::array incidents{
    Incident{"\x1b\\[[0-9;?]*[A-Za-z]", ""},
    Incident{R"((?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)", "#"},
    Incident{R"(\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)",
             "#"},
    Incident{R"(\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?)", "#"},
    Incident{R"(\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b)", "#"},
    Incident{R"(\b0[xX][0-9a-fA-F]+\b)", "#"},
    Incident{R"(@[0-9a-f]{5,16}\b)", "@#"},  // Java's Object@1b6d3586
    // Folders differ between machines, what is in them does not.
    Incident{R"((?:file://)?(?:\b[A-Za-z]:)?(?:[\\/][^\\/\s:"'()<>,;|]+)*)"
             R"([\\/]([^\\/\s:"'()<>,;|]+))",
             R"(\1)"},
    Incident{R"((?i)\b[0-9a-f]*(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]{6,}\b)", "#"},  // digests, ids
    Incident{R"(\b\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)? ?)"
             R"((?:ns|us|ms|s|sec|secs|seconds?|min|minutes?|m|h|hours?|[KMG]i?B|bytes)\b)",
             "#"},
    Incident{R"(\d+(?:[.,_]\d+)*)", "#"},
    Incident{R"(##+)", "#"},
    Incident{R"(\s+)", " "},
};

struct Compiled {
  std::array<std::unique_ptr<RE2>, incidents.size()> patterns;
  Compiled() {
    for (std::size_t i = 0; i < incidents.size(); ++i) {
      patterns[i] = std::make_unique<RE2>(incidents[i].pattern);
    }
  }
};

// A frame names a function and a file; its line moves with every change above it.
std::optional<std::string> frame_of(std::string_view line) {
  static const RE2 frame(R"(^\s*(?:at |#\d+ |File "|in |from |\d+: |created by ))"
                         R"(|\(\w+\.\w+:\d+\)|\.\w{1,6}:\d+(?:[:)]|$))");
  const re2::StringPiece text(line.data(), line.size());
  if (!RE2::PartialMatch(text, frame)) return std::nullopt;
  return without_incidents(trimmed(line));
}

}  // namespace

std::string without_incidents(std::string_view text) {
  static const Compiled compiled;
  std::string out = to_valid_utf8(text.substr(0, text_bytes_max));
  for (std::size_t i = 0; i < incidents.size(); ++i) {
    RE2::GlobalReplace(&out, *compiled.patterns[i], incidents[i].instead);
  }
  return std::string(trimmed(out));
}

namespace {

struct Parts {
  std::string what;
  std::string frames;
};

Parts parts_of(std::string_view message, std::string_view stack) {
  Parts parts;
  std::size_t lines = 0;
  std::size_t frame_count = 0;
  const auto take = [&](std::string_view text, bool says_message) {
    text = text.substr(0, text_bytes_max);
    while (!text.empty()) {
      const auto line = take_stack_line(text);
      if (trimmed(line).empty()) continue;
      if (const auto frame = frame_of(line)) {
        if (!says_message && frame_count++ < frames_max) parts.frames += *frame + '\n';
      } else if (says_message && lines++ < message_lines_max) {
        parts.what += without_incidents(line) + '\n';
      }
    }
  };
  take(message, true);
  if (lines == 0) take(stack, true);
  take(stack, false);
  return parts;
}

std::string digest_of(const Parts& parts, std::string_view name) {
  std::string all = parts.what + '\0' + parts.frames + '\0';
  all += name;
  return to_hex(as_bytes(sha256(all))).substr(0, hex_digits);
}

}  // namespace

std::string failure_fingerprint(std::string_view message, std::string_view stack) {
  return digest_of(parts_of(message, stack), "");
}

std::string failure_fingerprint(const TestCase& test) {
  constexpr std::ptrdiff_t blanks_min = 2;
  const auto parts = parts_of(test.message, test.stack);
  // "failed" or nothing at all is no reason that two tests could share.
  const bool says_little =
      parts.frames.empty() && std::ranges::count(trimmed(parts.what), ' ') < blanks_min;
  return digest_of(parts, says_little ? test.suite + "::" + test.name : "");
}

}  // namespace vigil::entities::ci
