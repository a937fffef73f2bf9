#include "daemon/ingress/signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "core/digest.hpp"

namespace vigil::ingress {
namespace {

using config::Scheme;
using config::Secret;
using Secrets = std::span<const Secret>;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::unauthorized, std::move(message));
}

std::unexpected<Error> missing(std::string_view header) {
  return refuse(fmt::format("the header {} is missing: set the secret at the sender", header));
}

std::unexpected<Error> wrong() {
  return refuse(
      "the signature does not fit: do both sides have the same secret, and does nothing "
      "between them change the body?");
}

// All secrets are tried, whatever the first ones say.
template <class Fits>
Result<void> any_fits(Secrets secrets, Fits fits) {
  bool found = false;
  for (const auto& secret : secrets) found = fits(secret.reveal()) || found;
  if (!found) return wrong();
  return {};
}

std::optional<std::string> decode(std::string_view text, std::string_view encoding) {
  return encoding == "base64" ? from_base64(text) : from_hex(text);
}

bool mac_fits(std::string_view key, std::string_view content, std::string_view given) {
  const auto mac = hmac_sha256(key, content);
  return equal_constant_time(as_bytes(mac), given);
}

Result<void> check_mac(Secrets secrets, const Request& request, std::string_view header,
                       std::string_view prefix, std::string_view encoding) {
  auto given = request.header(header);
  if (given.empty()) return missing(header);
  if (!given.starts_with(prefix)) {
    return refuse(fmt::format("the header {} does not begin with '{}'", header, prefix));
  }
  given.remove_prefix(prefix.size());
  const auto bytes = decode(given, encoding);
  if (!bytes) return refuse(fmt::format("the header {} is not {}", header, encoding));
  return any_fits(secrets, [&](auto key) { return mac_fits(key, request.body, *bytes); });
}

Result<void> check_github(Secrets secrets, const Request& request) {
  constexpr std::string_view header = "x-hub-signature-256";
  if (request.header(header).empty() && !request.header("x-hub-signature").empty()) {
    return refuse("only the old SHA-1 signature came: let the sender sign with SHA-256");
  }
  return check_mac(secrets, request, header, "sha256=", "hex");
}

Result<void> check_time(std::string_view text, Duration tolerance, TimePoint now) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 0 ||
      seconds > 100'000'000'000) {
    return refuse("the timestamp is not a number of seconds");
  }
  const Duration age = now - from_unix_us(seconds * 1'000'000);
  if (age > tolerance) {
    return refuse(
        fmt::format("the request was signed {} ago, more than {}: is this machine's clock "
                    "right, or is it a replay?",
                    to_text(age), to_text(tolerance)));
  }
  if (-age > tolerance) {
    return refuse(
        fmt::format("the request was signed {} in the future: is this machine's clock "
                    "right?",
                    to_text(-age)));
  }
  return {};
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(at));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (!part.empty()) out.push_back(part.starts_with(' ') ? part.substr(1) : part);
  }
  return out;
}

// The values of "v1=" in "t=1,v1=aa,v1=bb".
std::vector<std::string> values_of(std::string_view list, std::string_view name) {
  std::vector<std::string> out;
  for (const auto part : split(list, ',')) {
    if (!part.starts_with(name)) continue;
    if (auto bytes = from_hex(part.substr(name.size()))) out.push_back(std::move(*bytes));
  }
  return out;
}

// One digest a key, however many signatures a stranger puts into the header.
bool any_mac_fits(std::string_view key, std::string_view content,
                  const std::vector<std::string>& given) {
  const auto mac = hmac_sha256(key, content);
  bool found = false;
  for (const auto& one : given) found = equal_constant_time(as_bytes(mac), one) || found;
  return found;
}

Result<void> check_slack(const config::Webhook& source, Secrets secrets, const Request& request,
                         TimePoint now) {
  const auto timestamp = request.header("x-slack-request-timestamp");
  const auto signature = request.header("x-slack-signature");
  if (timestamp.empty()) return missing("X-Slack-Request-Timestamp");
  if (signature.empty()) return missing("X-Slack-Signature");
  if (auto fresh = check_time(timestamp, source.tolerance, now); !fresh) return fresh;
  const auto given = signature.starts_with("v0=") ? from_hex(signature.substr(3)) : std::nullopt;
  if (!given) return refuse("the header X-Slack-Signature is not v0=<hex>");
  const auto content = fmt::format("v0:{}:{}", timestamp, request.body);
  return any_fits(secrets, [&](auto key) { return mac_fits(key, content, *given); });
}

Result<void> check_stripe(const config::Webhook& source, Secrets secrets, const Request& request,
                          TimePoint now) {
  const auto header = request.header("stripe-signature");
  if (header.empty()) return missing("Stripe-Signature");
  std::string_view timestamp;
  for (const auto part : split(header, ',')) {
    if (part.starts_with("t=")) timestamp = part.substr(2);
  }
  if (timestamp.empty()) return refuse("the header Stripe-Signature has no t=");
  if (auto fresh = check_time(timestamp, source.tolerance, now); !fresh) return fresh;
  const auto given = values_of(header, "v1=");
  const auto content = fmt::format("{}.{}", timestamp, request.body);
  return any_fits(secrets, [&](auto key) { return any_mac_fits(key, content, given); });
}

// A secret of Standard Webhooks is base64 behind "whsec_"; without the prefix it is taken as it is.
std::string standard_key(std::string_view secret) {
  constexpr std::string_view prefix = "whsec_";
  if (!secret.starts_with(prefix)) return std::string(secret);
  return from_base64(secret.substr(prefix.size())).value_or(std::string());
}

Result<void> check_standard(const config::Webhook& source, Secrets secrets, const Request& request,
                            TimePoint now) {
  const auto id = request.header("webhook-id");
  const auto timestamp = request.header("webhook-timestamp");
  const auto signature = request.header("webhook-signature");
  if (id.empty()) return missing("webhook-id");
  if (timestamp.empty()) return missing("webhook-timestamp");
  if (signature.empty()) return missing("webhook-signature");
  if (auto fresh = check_time(timestamp, source.tolerance, now); !fresh) return fresh;
  std::vector<std::string> given;
  for (const auto part : split(signature, ' ')) {
    if (!part.starts_with("v1,")) continue;  // v1a is asymmetric: not ours to check
    if (auto bytes = from_base64(part.substr(3))) given.push_back(std::move(*bytes));
  }
  const auto content = fmt::format("{}.{}.{}", id, timestamp, request.body);
  return any_fits(secrets, [&](auto secret) {
    const auto key = standard_key(secret);
    return !key.empty() && any_mac_fits(key, content, given);
  });
}

Result<void> check_pagerduty(Secrets secrets, const Request& request) {
  const auto header = request.header("x-pagerduty-signature");
  if (header.empty()) return missing("X-PagerDuty-Signature");
  const auto given = values_of(header, "v1=");
  return any_fits(secrets, [&](auto key) { return any_mac_fits(key, request.body, given); });
}

// What follows "Bearer ", whose case does not matter; nothing when it is another scheme.
std::optional<std::string_view> credentials(std::string_view field, std::string_view scheme) {
  if (field.size() <= scheme.size() || field[scheme.size()] != ' ') return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    if ((field[i] | 0x20) != scheme[i]) return std::nullopt;
  }
  return field.substr(scheme.size() + 1);
}

bool bearer_fits(std::string_view secret, std::string_view field) {
  const auto given = credentials(field, "bearer");
  return given && equal_constant_time(*given, secret);
}

bool basic_fits(const std::string& user, std::string_view secret, std::string_view field) {
  const auto given = credentials(field, "basic");
  if (!given) return false;
  const auto pair = from_base64(*given);
  return pair && equal_constant_time(*pair, fmt::format("{}:{}", user, secret));
}

Result<void> check_authorization(const config::Webhook& source, Secrets secrets,
                                 const Request& request) {
  const auto given = request.header("authorization");
  if (given.empty()) return missing("Authorization");
  bool found = false;
  for (const auto& secret : secrets) {
    const bool basic = source.scheme == Scheme::basic || !source.user.empty();
    found = (basic ? basic_fits(source.user, secret.reveal(), given)
                   : bearer_fits(secret.reveal(), given)) ||
            found;
  }
  if (!found) return refuse("the credentials do not fit");
  return {};
}

// Compares in constant time what was given as it is.
Result<void> check_token(Secrets secrets, std::string_view given, std::string_view what) {
  if (given.empty()) return missing(what);
  return any_fits(secrets, [&](auto secret) { return equal_constant_time(given, secret); });
}

// A header's value, which loses spaces at its ends on the way.
bool fits_into_header(std::string_view text) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  return std::ranges::none_of(text, control) && !text.starts_with(' ') && !text.ends_with(' ');
}

// One step of a path, spelt as it is.
bool fits_into_path(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return plain || std::string_view("-._~+=").contains(c);
  });
}

}  // namespace

Result<void> check_secret(Scheme scheme, const Secret& secret) {
  const auto text = secret.reveal();
  const auto refused = [](std::string_view why) {
    return fail(ErrorCode::invalid_input, std::string(why));
  };
  switch (scheme) {
    case Scheme::standard_webhooks:
      if (!standard_key(text).empty()) return {};
      return refused("what follows whsec_ is not base64: copy the secret as the sender shows it");
    case Scheme::gitlab:
    case Scheme::alertmanager:
    case Scheme::bearer:
    case Scheme::basic:
    case Scheme::telegram:
      if (fits_into_header(text)) return {};
      return refused(
          "a secret that travels in a header has no control characters, and no space "
          "at its ends: does the file hold more than the secret?");
    case Scheme::tradingview:
    case Scheme::sendgrid:
    case Scheme::postmark:
      if (fits_into_path(text)) return {};
      return refused("a secret that travels in a path is letters, digits and any of - . _ ~ + =");
    case Scheme::ping:
      if (text.size() >= 16 && text.size() <= 200 && fits_into_path(text)) return {};
      return refused(
          "what stands in the address of a ping is 16 to 200 letters, digits and any of "
          "- . _ ~ + =: uuidgen makes one");
    default:
      return {};
  }
}

Result<void> verify(const config::Webhook& source, Secrets secrets, const Request& request,
                    std::string_view path_rest, TimePoint now) {
  switch (source.scheme) {
    case Scheme::github:
      return check_github(secrets, request);
    case Scheme::gitlab:
      return check_token(secrets, request.header("x-gitlab-token"), "X-Gitlab-Token");
    case Scheme::gitea:
      if (request.header("x-gitea-signature").empty()) return check_github(secrets, request);
      return check_mac(secrets, request, "x-gitea-signature", "", "hex");
    case Scheme::slack:
      return check_slack(source, secrets, request, now);
    case Scheme::stripe:
      return check_stripe(source, secrets, request, now);
    case Scheme::standard_webhooks:
      return check_standard(source, secrets, request, now);
    case Scheme::pagerduty:
      return check_pagerduty(secrets, request);
    case Scheme::hmac:
      return check_mac(secrets, request, source.signature_header, source.signature_prefix,
                       source.signature_encoding);
    case Scheme::alertmanager:
    case Scheme::bearer:
    case Scheme::basic:
      return check_authorization(source, secrets, request);
    case Scheme::sendgrid:
    case Scheme::postmark:
      if (!source.user.empty()) return check_authorization(source, secrets, request);
      [[fallthrough]];
    case Scheme::tradingview:
      return check_token(secrets, path_rest, "secret at the end of the path");
    case Scheme::telegram:
      return check_token(secrets, request.header("x-telegram-bot-api-secret-token"),
                         "X-Telegram-Bot-Api-Secret-Token");
    case Scheme::mailgun:  // what it signs stands in the body: webhook_mail.cpp
    case Scheme::none:
      return {};
    case Scheme::sns:
    case Scheme::ping:
      break;  // proven elsewhere
  }
  return refuse("the source has no known scheme");
}

std::string body_mac_of(const config::Webhook& source, const Request& request) {
  auto header = std::string_view("x-hub-signature-256");
  std::string_view prefix = "sha256=";
  std::string_view encoding = "hex";
  if (source.scheme == Scheme::hmac) {
    header = source.signature_header;
    prefix = source.signature_prefix;
    encoding = source.signature_encoding;
  } else if (source.scheme == Scheme::gitea && !request.header("x-gitea-signature").empty()) {
    header = "x-gitea-signature";
    prefix = "";
  } else if (source.scheme != Scheme::github && source.scheme != Scheme::gitea) {
    return {};
  }
  const auto given = request.header(header);
  if (given.size() < prefix.size()) return {};
  const auto bytes = decode(given.substr(prefix.size()), encoding);
  return bytes ? to_hex(*bytes) : std::string();
}

}  // namespace vigil::ingress
