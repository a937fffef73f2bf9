#pragma once
// Patterns over what services log. What a stranger wrote (a name, a path) is a hole of its own
// kind, so that it is never taken for the address of who wrote it. Not regular expressions: few
// kinds of holes, bounded work, letters of either case alike. Pure.
//   %a an address (1.2.3.4, ::1, [::1], IPv6:::1)   %h an address or a name   %x the same, not kept
//   %* text of a stranger, as long as can be   %? text of the program, as short as can be
//   %w without blanks   %f without "|"   %n digits   %_ blanks   %o an optional ":port"
//   %c an optional "AH01234: "   %{a|b|} one of these words
// The whole text must match.
#include <optional>
#include <string>
#include <string_view>

namespace vigil::entities::logs {

constexpr std::size_t attack_text_bytes_max = 4096;  // what is longer matches nothing

struct PatternMatch {
  std::string host;  // the first %a or %h; ::ffff:1.2.3.4 is 1.2.3.4. Empty: the pattern has none
};

// nullopt also when it is not certain: text of strangers on both sides of the address, and other
// addresses would match, too; or when it takes too long to tell.
std::optional<PatternMatch> match_pattern(std::string_view pattern, std::string_view text);

// The longest piece of text that whatever matches must hold, in small letters: quick to look for.
std::string needle_of(std::string_view pattern);

bool is_address(std::string_view text);
// ::ffff:1.2.3.4 as 1.2.3.4
std::string plain_address(std::string_view text);

}  // namespace vigil::entities::logs
