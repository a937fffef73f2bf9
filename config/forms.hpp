#pragma once
// What texts in the configuration must look like. Pure, except that a zone is looked up in the
// system's time zone database.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/spec.hpp"
#include "core/error.hpp"

namespace vigil::config {

// What was expected, or nothing when the text is of the form.
std::optional<std::string> why_not(Form form, std::string_view text);

bool is_name(std::string_view text);  // [a-z0-9_-]{1,64}
bool is_loopback(std::string_view listen);
bool is_task_name(std::string_view text);

constexpr std::int64_t size_bytes_max = 1LL << 60;

// "25MiB", "64KiB", "1GiB", "900B".
Result<std::int64_t> parse_size(std::string_view text);
std::string size_text(std::int64_t bytes);  // the same, exactly: "25MiB" or "1500B"

// Exactly what parse_duration reads back; to_text in core rounds.
std::string exact_text(Duration duration);

// "08:00" as minutes of the day; "24:00" is its end.
std::optional<int> parse_clock(std::string_view text);
std::string clock_text(int minutes);

}  // namespace vigil::config
