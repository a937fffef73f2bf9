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

Result<std::vector<ip::Range>> open_allow(const config::Source& source,
                                          const config::Webhook& settings) {
  std::vector<ip::Range> out;
  for (const auto& text : settings.allow) {
    const auto range = ip::Range::parse(text);
    if (!range) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("source.{}.allow: {}", source.name, range.error().message));
    }
    out.push_back(*range);
  }
  return out;
}

bool may_call(const std::vector<ip::Range>& allow, Behind behind, const Request& request) {
  if (allow.empty()) return true;
  auto address = request.peer.address;
  if (behind == Behind::proxy && ip::is_loopback(address)) {
    for (const auto& [name, value] : request.headers) {
      if (name == "x-forwarded-for") address = last_of(value);  // of several fields the last
    }
  }
  return std::ranges::any_of(allow, [&](const auto& range) { return range.contains(address); });
}

}  // namespace vigil::ingress
