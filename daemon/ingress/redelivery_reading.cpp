#include "daemon/ingress/redelivery_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>
#include <utility>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "core/rsa.hpp"

namespace vigil::ingress {
namespace {

// RFC 4648 part 5, without padding.
std::string base64url(std::string_view bytes) {
  auto out = to_base64(bytes);
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  while (out.ends_with('=')) out.pop_back();
  return out;
}

}  // namespace

Result<std::vector<DeliveryAttempt>> read_deliveries(std::string_view body) {
  const auto parsed = parse_json(body);
  if (!parsed || !parsed->is_array()) {
    return fail(ErrorCode::invalid_input,
                "the answer is no list of deliveries: check base_url and hooks");
  }
  std::vector<DeliveryAttempt> out;
  for (const auto& item : parsed->get_array()) {
    DeliveryAttempt one;
    one.id = find_integer(item, "id").value_or(0);
    one.guid = find_text(item, "guid").value_or("");
    const auto at = parse_rfc3339(find_text(item, "delivered_at").value_or(""));
    const auto status = find_integer(item, "status_code").value_or(0);
    if (one.id <= 0 || one.guid.empty() || !at) continue;
    one.at = *at;
    one.answered = status >= 200 && status < 300;
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<DeliveryAttempt> missed_of(const std::vector<DeliveryAttempt>& attempts,
                                       const Wanted& wanted) {
  struct Seen {
    DeliveryAttempt newest;
    int attempts = 0;
    bool answered = false;
  };
  std::map<std::string, Seen> all;
  for (const auto& attempt : attempts) {
    auto& seen = all[attempt.guid];
    ++seen.attempts;
    seen.answered = seen.answered || attempt.answered;
    if (seen.newest.id == 0 || attempt.at > seen.newest.at) seen.newest = attempt;
  }
  std::vector<DeliveryAttempt> out;
  for (auto& [guid, seen] : all) {
    const int most = seen.answered ? 2 : wanted.attempts_max;
    const bool given_up = seen.attempts >= most || seen.newest.at < wanted.since;
    if (!given_up && !wanted.have(guid)) out.push_back(std::move(seen.newest));
  }
  std::ranges::sort(out, {}, [](const DeliveryAttempt& one) { return std::pair(one.at, one.id); });
  return out;
}

Result<std::string> app_token(const std::string& app_id, std::string_view key_pem, TimePoint now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  // A minute back, for clocks that differ; ten minutes is the most that GitHub takes.
  const auto text = base64url(R"({"alg":"RS256","typ":"JWT"})") + "." +
                    base64url(fmt::format(R"({{"iat":{},"exp":{},"iss":"{}"}})", seconds - 60,
                                          seconds + 480, app_id));
  const auto signature = sign_rsa_sha256(key_pem, text);
  if (!signature) return std::unexpected(signature.error());
  return text + "." + base64url(*signature);
}

}  // namespace vigil::ingress
