#pragma once
// Links by which a proposal can be answered without a login: <link_url>/approvals/<action>?until=
// <unix seconds>&proof=<hex>. The proof is an HMAC-SHA256 over the action and the moment, so a link
// opens one proposal, until then. They are made when a sink is about to send them and are stored
// nowhere. Loop thread only.
#include <string>

#include "config/secret.hpp"
#include "config/settings.hpp"
#include "core/ids.hpp"
#include "storage/outbox.hpp"

namespace vigil::delivery {

constexpr std::string_view approvals_path = "/approvals/";

class ApprovalLinks {
 public:
  // Reads the secret anew. Without link_url there are no links. Nothing changes when it fails.
  Result<void> apply(const config::Approvals& approvals);
  bool enabled() const { return !base_.empty(); }
  std::string link(ActionId action, TimePoint now) const;
  // Which action a request's target opens: "/approvals/12?until=...&proof=...".
  Result<ActionId> opens(std::string_view target, TimePoint now) const;
  // To an action that tells of a proposal: `link`, and a line in `text`. Others stay as they are.
  void add_to(storage::Action& telling, TimePoint now) const;

 private:
  std::string proof(ActionId action, std::int64_t until) const;

  std::string base_;
  config::Secret secret_;
  Duration expires_{};
};

}  // namespace vigil::delivery
