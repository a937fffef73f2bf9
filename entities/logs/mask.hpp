#pragma once
// A message as tokens with what varies put aside: numbers, addresses, paths, hosts, times become
// marks, so that lines of the same statement look the same. Pure; the work is linear in the line.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::entities::logs {

// What stands for a value in a token: one byte that no message has, since those are blanked.
enum class Mark : char { any = 1, number, address, path, host, time, id };

constexpr std::size_t tokens_max = 96;        // of a message; what follows is not looked at
constexpr std::size_t token_bytes_max = 200;  // of a token; what follows is a value

// The tokens, with the marks of what was masked. Values in a row count as one.
std::vector<std::string> masked_tokens(std::string_view message);

// The same token, whatever kind of value it holds.
std::string key_of(std::string_view token);
bool has_mark(std::string_view token);
// For people: <number>, <address>, ...; <*> for any.
std::string shown(std::string_view token);

}  // namespace vigil::entities::logs
