#include "daemon/ingress/caller.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vigil::ingress {
namespace {

// "192.0.2.1" of "10.0.0.1, 192.0.2.1"
std::string last_of(std::string_view list) {
  auto last = list.substr(list.rfind(',') + 1);
  while (last.starts_with(' ')) last.remove_prefix(1);
  return std::string(last);
}

}  // namespace

Result<std::vector<http::AddressRange>> open_allow(const config::Source& source,
                                                   const config::Webhook& settings) {
  std::vector<http::AddressRange> out;
  for (const auto& text : settings.allow) {
    const auto range = http::AddressRange::parse(text);
    if (!range) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("source.{}.allow: {}", source.name, range.error().message));
    }
    out.push_back(*range);
  }
  return out;
}

bool may_call(const std::vector<http::AddressRange>& allow, Behind behind, const Request& request) {
  if (allow.empty()) return true;
  auto address = request.peer.address;
  if (behind == Behind::proxy && http::is_loopback(address)) {
    for (const auto& [name, value] : request.headers) {
      if (name == "x-forwarded-for") address = last_of(value);  // of several fields the last
    }
  }
  return std::ranges::any_of(allow, [&](const auto& range) { return range.contains(address); });
}

}  // namespace vigil::ingress
