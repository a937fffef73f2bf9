#include "daemon/delivery/approval_link.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/digest.hpp"

namespace vigil::delivery {
namespace {

constexpr std::size_t secret_bytes_min = 16;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out <= 0) return std::nullopt;
  return out;
}

std::int64_t seconds_of(TimePoint at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

}  // namespace

Result<void> ApprovalLinks::apply(const config::Approvals& approvals) {
  if (approvals.link_url.empty()) {
    base_.clear();
    secret_ = {};
    return {};
  }
  if (!approvals.link_secret) {
    return fail(ErrorCode::invalid_input,
                "approvals.link_secret is missing: links must be signed with a secret");
  }
  auto secret = config::read_secret(*approvals.link_secret);
  if (!secret) {
    return fail(secret.error().code,
                fmt::format("approvals.link_secret: {}", secret.error().message));
  }
  if (secret->reveal().size() < secret_bytes_min) {
    return fail(ErrorCode::invalid_input,
                fmt::format("approvals.link_secret is shorter than {} bytes: make one with "
                            "`openssl rand -hex 32`",
                            secret_bytes_min));
  }
  base_ = approvals.link_url;
  while (base_.ends_with('/')) base_.pop_back();
  secret_ = std::move(*secret);
  expires_ = approvals.link_expires;
  return {};
}

std::string ApprovalLinks::proof(ActionId action, std::int64_t until) const {
  const auto text = fmt::format("vigil approval 1\n{}\n{}", action.value, until);
  return to_hex(as_bytes(hmac_sha256(secret_.reveal(), text)));
}

std::string ApprovalLinks::link(ActionId action, TimePoint now) const {
  const auto until = seconds_of(now + expires_);
  return fmt::format("{}{}{}?until={}&proof={}", base_, approvals_path, action.value, until,
                     proof(action, until));
}

Result<ActionId> ApprovalLinks::opens(std::string_view target, TimePoint now) const {
  const auto no_link = [] {
    return fail(ErrorCode::not_found, "this link opens nothing: ask for a new one");
  };
  if (!enabled() || !target.starts_with(approvals_path)) return no_link();
  target.remove_prefix(approvals_path.size());
  const auto question = target.find("?until=");
  const auto middle = target.find("&proof=");
  if (question == std::string_view::npos || middle == std::string_view::npos || middle < question) {
    return no_link();
  }
  const auto action = number_of(target.substr(0, question));
  const auto until = number_of(target.substr(question + 7, middle - question - 7));
  if (!action || !until) return no_link();
  const ActionId id{*action};
  if (!equal_constant_time(target.substr(middle + 7), proof(id, *until))) return no_link();
  if (*until < seconds_of(now)) {
    return fail(ErrorCode::not_found,
                fmt::format("this link has ended: vigilctl actions show {}", id.value));
  }
  return id;
}

void ApprovalLinks::add_to(storage::Action& telling, TimePoint now) const {
  // The end of its key, which no guardian can give.
  if (!enabled() || !telling.key.ends_with(":told")) return;
  const json::value payload(telling.payload);
  const auto action = find_integer(payload, "action");
  if (!action) return;
  const auto url = link(ActionId{*action}, now);
  telling.payload["link"] = url;
  telling.payload["text"] =
      fmt::format("{}\napprove or deny: {}", find_text(payload, "text").value_or(""), url);
}

}  // namespace vigil::delivery
