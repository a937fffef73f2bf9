#pragma once
// The door of signed links: GET shows a proposal and what it would do, POST answers it. A look
// changes nothing, so that programs which open links ahead of people answer nothing. Whoever has
// the link may answer; who that was is said as "link". Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "daemon/delivery/approval_link.hpp"
#include "daemon/ingress/http_server.hpp"
#include "daemon/runtime/runtime.hpp"

namespace vigil {

class ApprovalDoor {
 public:
  // They must outlive it.
  ApprovalDoor(Clock& clock, runtime::Runtime& runtime,
               std::function<const config::Settings&()> settings)
      : clock_(clock), runtime_(runtime), settings_(std::move(settings)) {}
  static bool is_its(std::string_view path) { return path.starts_with(delivery::approvals_path); }
  Result<void> apply(const config::Settings& settings) { return links_.apply(settings.approvals); }
  ingress::HeadVerdict check_head(const ingress::Request& head) const;
  boost::asio::awaitable<ingress::Response> handle(ingress::Request request);

 private:
  ingress::Response show(ActionId id) const;
  boost::asio::awaitable<ingress::Response> answer(ActionId id, std::string body);

  Clock& clock_;
  runtime::Runtime& runtime_;
  std::function<const config::Settings&()> settings_;
  delivery::ApprovalLinks links_;
};

}  // namespace vigil
