#include "daemon/delivery/answers.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/log.hpp"

namespace vigil::delivery {
namespace {

std::optional<Duration> limit_resets_in(const HttpAnswer& answer, TimePoint now) {
  if (answer.header("x-ratelimit-remaining") != "0") return std::nullopt;
  const auto text = answer.header("x-ratelimit-reset");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr std::int64_t year_9999 = 253'370'764'800;
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (seconds < 0 || seconds > year_9999) return std::nullopt;
  return std::max(Duration{0}, TimePoint{std::chrono::seconds{seconds}} - now);
}

std::string_view advice(const HttpAnswer& answer) {
  switch (answer.status) {
    case 401:
      return "; check the secret or token of the sink";
    case 403:
      return "; check what the secret or token of the sink allows";
    case 404:
    case 410:
      return "; check the address";
    case 413:
      return "; the payload is too large for it";
    default:
      return "";
  }
}

}  // namespace

Outcome outcome_of(const HttpFailure& failure) {
  if (failure.may_have_arrived) return unanswered(failure.error.message);
  if (failure.worth_retrying) return retry_later(failure.error.message);
  return failed(failure.error.message);
}

Outcome outcome_of(const HttpAnswer& answer, TimePoint now) {
  const int status = answer.status;
  auto text = fmt::format("the server answered {}", status);
  if (status >= 300 && status < 400) {
    return failed(
        fmt::format("{} and sends us to {}, which is another address: put the right one "
                    "into the configuration",
                    text, quoted(answer.header("location"))));
  }
  if (!answer.body.empty()) text += ": " + quoted(to_valid_utf8(answer.body));
  const auto after = retry_after(answer, now);
  const auto resets = limit_resets_in(answer, now);
  const bool limited = status == 403 && (after || resets);
  if (status >= 500 || status == 408 || status == 425 || status == 429 || limited) {
    return retry_later(std::move(text), after ? after : resets);
  }
  return failed(text + std::string(advice(answer)));
}

}  // namespace vigil::delivery
