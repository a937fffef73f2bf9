#include "daemon/models/rate_headers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace vigil::models {
namespace {

// Longer than any limit a minute or a day has; what is more is a mistake of the sender's.
constexpr Duration reset_max = std::chrono::hours{24};

// "6m0s", "120ms", "1.5s", or bare seconds.
std::optional<Duration> reset_of(std::string_view text) {
  Duration sum{0};
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > 1e9) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    double us = 1e6;
    if (text.starts_with("ms"))
      us = 1e3;
    else if (text.starts_with("h"))
      us = 3600e6;
    else if (text.starts_with("m"))
      us = 60e6;
    text.remove_prefix(std::min(text.size(), std::size_t{us == 1e3 ? 2U : 1U}));
    sum += Duration{static_cast<std::int64_t>(number * us)};
  }
  return std::clamp(sum, Duration{0}, reset_max);
}

}  // namespace

RateLimits rate_limits_of(const http::Answer& answer, TimePoint now) {
  RateLimits out;
  const auto close = [&](std::string_view remaining, std::optional<TimePoint> reset) {
    if (remaining != "0" || !reset) return;
    out.closed_until = std::max(out.closed_until.value_or(*reset), *reset);
  };
  for (const std::string_view what : {"requests", "tokens"}) {
    const auto text = answer.header(fmt::format("x-ratelimit-reset-{}", what));
    const auto wait = text.empty() ? std::nullopt : reset_of(text);
    close(answer.header(fmt::format("x-ratelimit-remaining-{}", what)),
          wait ? std::optional(now + *wait) : std::nullopt);
  }
  for (const std::string_view what : {"requests", "tokens", "input-tokens", "output-tokens"}) {
    const auto text = answer.header(fmt::format("anthropic-ratelimit-{}-reset", what));
    auto moment = parse_rfc3339(text);
    std::optional<TimePoint> reset;
    if (moment) reset = std::min(*moment, now + reset_max);
    close(answer.header(fmt::format("anthropic-ratelimit-{}-remaining", what)), reset);
  }
  return out;
}

}  // namespace vigil::models
