#include <algorithm>
#include <array>
#include <charconv>

#include "daemon/http/client.hpp"

namespace vigil::http {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// IMF-fixdate of RFC 9110, the one form that may be sent: "Fri, 15 Jan 2027 08:00:30 GMT".
std::optional<TimePoint> parse_http_date(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view form = "Fri, 15 Jan 2027 08:00:30 GMT";
  if (text.size() != form.size() || !text.ends_with(" GMT") || text[3] != ',') return std::nullopt;
  const auto month_name = std::ranges::find(months, text.substr(8, 3));
  const auto part = [&](std::size_t at, std::size_t size) { return number(text.substr(at, size)); };
  const auto d = part(5, 2), y = part(12, 4), h = part(17, 2), m = part(20, 2), s = part(23, 2);
  if (month_name == months.end() || !d || !y || !h || !m || !s) return std::nullopt;
  const year_month_day date{year{static_cast<int>(*y)},
                            month{static_cast<unsigned>(month_name - months.begin()) + 1},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok() || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  return TimePoint{sys_days{date}} + hours{*h} + minutes{*m} + seconds{*s};
}

}  // namespace

std::string_view Answer::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find_if(
      headers, [&](const auto& header) { return header.first == lower_case_name; });
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::pair<std::string, std::string> bearer(std::string_view token) {
  constexpr std::string_view scheme = "Bearer ";
  std::string value;
  value.reserve(scheme.size() + token.size());
  value.append(scheme).append(token);
  return {"Authorization", std::move(value)};
}

std::optional<Duration> retry_after(const Answer& answer, TimePoint now) {
  const auto text = answer.header("retry-after");
  if (const auto seconds = number(text)) {
    constexpr std::int64_t a_year = 366 * 86'400;
    return std::chrono::seconds{std::clamp<std::int64_t>(*seconds, 0, a_year)};
  }
  const auto at = parse_http_date(text);
  if (!at) return std::nullopt;
  return std::max(Duration{0}, *at - now);
}

}  // namespace vigil::http
