#include "daemon/ingress/status.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/object.hpp>
#include <chrono>

#include "core/json.hpp"

namespace vigil::ingress {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

std::string http_date(TimePoint at) {
  using namespace std::chrono;
  static constexpr std::array days_of_week{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(at - day)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     days_of_week[weekday{day}.c_encoding()], unsigned{date.day()},
                     months[unsigned{date.month()} - 1], int{date.year()}, time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

void add_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  head += "\r\n";
}

Response error_response(int status, std::string_view error, std::string_view hint) {
  json::object body;
  body["error"] = error;
  body["hint"] = hint;
  Response out;
  out.status = status;
  out.body = to_text(json::value(body)) + "\n";
  return out;
}

Response busy_response(std::string_view error) {
  auto out = error_response(503, error, "send it again after the time in Retry-After");
  out.headers.emplace_back("Retry-After", "5");
  return out;
}

std::string_view place_for_log(std::string_view path) {
  if (path.starts_with("/ping/")) return path.substr(0, 5);
  const auto second = path.find('/', 1);
  return second == std::string_view::npos ? path : path.substr(0, path.find('/', second + 1));
}

}  // namespace vigil::ingress
