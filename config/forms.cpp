#include "config/forms.hpp"

#include <arpa/inet.h>
#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "config/cron_form.hpp"

namespace vigil::config {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Are all characters letters, digits or among `others`?
bool is_made_of(std::string_view text, std::string_view others) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
  });
}

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc{} && end == text.data() + text.size() && value >= 0;
  return good ? std::optional(value) : std::nullopt;
}

// 32 or 128 for an address, 0 for something else.
int address_bits(std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  const std::string address(text);
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return 32;
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return 128;
  return 0;
}

struct Listen {
  std::string_view address;
  std::string_view port;
};

Listen split_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {text, {}};
  auto address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != std::string_view::npos) {
    address = {};  // IPv6 stands in brackets, else its last part would be taken for the port
  }
  return {address, text.substr(colon + 1)};
}

bool is_listen(std::string_view text) {
  const auto parts = split_listen(text);
  const auto port = whole_number(parts.port);
  return port && *port <= 65'535 && address_bits(parts.address) != 0;
}

bool is_address_range(std::string_view text) {
  const auto slash = text.find('/');
  const int bits = address_bits(text.substr(0, slash));
  if (slash == std::string_view::npos) return bits != 0;
  const auto prefix = whole_number(text.substr(slash + 1));
  return bits != 0 && prefix && *prefix <= bits;
}

bool is_dotted(std::string_view text) {
  return !text.empty() && !text.starts_with('.') && !text.ends_with('.') &&
         text.find("..") == std::string_view::npos;
}

// A name as DNS has it, or `*.` and one.
bool is_host(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (whole_number(text.substr(text.rfind('.') + 1))) return false;  // half an address
  return is_dotted(text) && is_made_of(text, "-._") && text.size() <= 253;
}

bool is_destination(std::string_view text) {
  if (is_address_range(text)) return true;
  if (text.find(':') == std::string_view::npos) return is_host(text);
  const auto parts = split_listen(text);
  const auto port = whole_number(parts.port);
  return port && *port > 0 && *port <= 65'535 &&
         (address_bits(parts.address) != 0 || is_host(parts.address));
}

bool is_variable(std::string_view text) {
  return is_made_of(text, "_") && !whole_number(text.substr(0, 1));
}

bool is_zone(std::string_view name) {
  // cctz would also open a path, and takes "localtime", which means another thing on each machine.
  if (!is_made_of(name, "_+-/") || name.starts_with('/') || name == "localtime") return false;
  cctz::time_zone zone;
  return cctz::load_time_zone(std::string(name), &zone);
}

bool is_url(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!text.starts_with(scheme)) continue;
    const auto host =
        text.substr(scheme.size(), text.find_first_of("/?#", scheme.size()) - scheme.size());
    const bool printable =
        std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c != 0x7f; });
    return !host.empty() && host.find('@') == std::string_view::npos && printable;
  }
  return false;
}

bool has_no_blank(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c > 0x20; });
}

struct Unit {
  std::string_view name;
  std::int64_t bytes;
};
constexpr std::array sizes{Unit{"GiB", 1LL << 30}, Unit{"MiB", 1LL << 20}, Unit{"KiB", 1LL << 10},
                           Unit{"B", 1}};

// Without what stands before an `@` in an address, which may be a password.
std::string shown(std::string_view text) {
  const auto begin = text.find("://");
  if (begin == std::string_view::npos) return std::string(text);
  const auto end = text.substr(0, text.find_first_of("/?#", begin + 3)).rfind('@');
  if (end == std::string_view::npos) return std::string(text);
  return fmt::format("{}://***{}", text.substr(0, begin), text.substr(end));
}

std::optional<std::string> unless(bool good, std::string_view expected, std::string_view text) {
  if (good) return std::nullopt;
  return fmt::format("expected {}, not \"{}\"", expected, shown(text));
}

}  // namespace

std::optional<std::string> why_not(Form form, std::string_view text) {
  switch (form) {
    case Form::zone:
      return unless(is_zone(text), "an IANA time zone like \"Europe/Berlin\" or \"UTC\"", text);
    case Form::cron:
      return why_not_cron(text);
    case Form::url:
      return unless(is_url(text), "an address like \"https://host/path\", without a user name",
                    text);
    case Form::listen:
      return unless(is_listen(text), "address:port like \"127.0.0.1:8787\" or \"[::1]:8787\"",
                    text);
    case Form::address_range:
      return unless(is_address_range(text), "an address or a range like \"10.0.0.0/8\"", text);
    case Form::destination:
      return unless(is_destination(text),
                    "an address or a range like \"10.0.0.0/8\", a host like \"git.lan\" or "
                    "\"*.lan\", or an address or host with a port like \"git.lan:443\"",
                    text);
    case Form::variable:
      return unless(is_variable(text), "the name of a variable like \"API_TOKEN\"", text);
    case Form::header_name:
      return unless(is_made_of(text, "-"), "a header name like \"x-signature\"", text);
    case Form::dotted_path:
      return unless(is_dotted(text), "a dotted path like \"data.object.id\"", text);
    case Form::event_type:
      return unless(is_dotted(text) && has_no_blank(text), "a dotted type like \"disk.full\"",
                    text);
    case Form::pattern:
      return unless(has_no_blank(text), "a name, or a pattern like \"github.*\"", text);
    case Form::task_name:
      return unless(is_task_name(text), "a name of letters, digits and _.:/- (100 at most)", text);
    case Form::name:
      return unless(is_name(text), "a name of a-z, 0-9, _ and - (64 at most)", text);
    case Form::path:
    case Form::program:
    case Form::argv:
    case Form::clock:
    case Form::free:
      break;
  }
  return std::nullopt;
}

bool is_name(std::string_view text) {
  const auto fits = [](char c) { return is_letter_or_digit(c) ? !(c >= 'A' && c <= 'Z') : true; };
  return text.size() <= 64 && is_made_of(text, "_-") && std::ranges::all_of(text, fits);
}

bool is_task_name(std::string_view text) { return text.size() <= 100 && is_made_of(text, "_.:/-"); }

bool is_loopback(std::string_view listen) {
  const auto address = split_listen(listen).address;
  return address.starts_with("127.") || address == "::1";
}

Result<std::int64_t> parse_size(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto found = std::ranges::find(sizes, unit, &Unit::name);
  if (error != std::errc{} || count < 0 || found == sizes.end() ||
      count > size_bytes_max / found->bytes) {
    return fail(ErrorCode::invalid_input, "not a size");
  }
  return count * found->bytes;
}

std::string size_text(std::int64_t bytes) {
  for (const auto& unit : sizes) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0) {
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
    }
  }
  return "0B";
}

std::string exact_text(Duration duration) {
  struct Step {
    std::string_view name;
    std::int64_t us;
  };
  constexpr std::array steps{Step{"d", 86'400'000'000}, Step{"h", 3'600'000'000},
                             Step{"m", 60'000'000},     Step{"s", 1'000'000},
                             Step{"ms", 1'000},         Step{"us", 1}};
  std::int64_t rest = duration.count();
  std::string text;
  for (const auto& step : steps) {
    if (rest >= step.us) text += fmt::format("{}{}", rest / step.us, step.name);
    rest %= step.us;
  }
  return text.empty() ? "0s" : text;
}

std::optional<int> parse_clock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = whole_number(text.substr(0, 2));
  const auto minute = whole_number(text.substr(3));
  if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > 24 * 60) return std::nullopt;
  return *hour * 60 + *minute;
}

std::string clock_text(int minutes) {
  return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60);
}

}  // namespace vigil::config
