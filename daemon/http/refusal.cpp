#include "daemon/http/refusal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/json.hpp"
#include "core/log.hpp"

namespace vigil::http {
namespace {

std::optional<Duration> limit_resets_in(const Answer& answer, TimePoint now) {
  if (answer.header("x-ratelimit-remaining") != "0") return std::nullopt;
  const auto text = answer.header("x-ratelimit-reset");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr std::int64_t year_9999 = 253'370'764'800;
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (seconds < 0 || seconds > year_9999) return std::nullopt;
  return std::max(Duration{0}, TimePoint{std::chrono::seconds{seconds}} - now);
}

std::string_view advice(int status) {
  switch (status) {
    case 401:
      return "; check the secret or token";
    case 403:
      return "; check what the secret or token allows";
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

Refusal refusal_of(const Answer& answer, TimePoint now) {
  const int status = answer.status;
  Refusal out{fmt::format("the server answered {}", status), false, std::nullopt};
  if (status >= 300 && status < 400) {
    out.text += fmt::format(
        " and sends us to {}, which is another address: put the right one into the configuration",
        quoted(answer.header("location")));
    return out;
  }
  if (!answer.body.empty()) out.text += ": " + quoted(to_valid_utf8(answer.body));
  const auto after = retry_after(answer, now);
  const auto resets = limit_resets_in(answer, now);
  out.not_for = after ? after : resets;
  out.worth_retrying = status >= 500 || status == 408 || status == 425 || status == 429 ||
                       (status == 403 && out.not_for);
  if (!out.worth_retrying) out.text += advice(status);
  return out;
}

}  // namespace vigil::http
