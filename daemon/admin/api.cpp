#include "daemon/admin/api.hpp"

#include <fmt/format.h>

#include <boost/asio/thread_pool.hpp>

#include "daemon/admin/routes.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr std::size_t body_bytes_max = 1024 * 1024;
constexpr std::size_t import_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t plan_bytes_max = 32 * 1024 * 1024;
constexpr std::size_t detail_bytes_max = 500;

// A peer without a uid came over something else than the unix socket.
bool may_ask(const ingress::Peer& peer) { return peer.uid >= 0; }

Refusal not_allowed() {
  return {403, "the admin API answers on its unix socket only",
          "connect to the socket in the state directory, as vigilctl does"};
}

// What a person may still do in safe mode: look, mend the configuration, keep a copy, leave.
bool is_still_allowed(const Call& call) {
  const auto& request = call.request;
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method == "GET" || request.method == "HEAD") return true;
  return path == "/v1/safe-mode/leave" || path == "/v1/events" || path == "/v1/config/reload" ||
         path == "/v1/backup";
}

Refusal not_your_role(Role role, Role needs) {
  return {403,
          role == Role::none
              ? std::string("you may not ask this daemon anything")
              : fmt::format("your role is '{}', this needs '{}'", to_text(role), to_text(needs)),
          "who may what stands in [admin] of the configuration"};
}

ingress::Response refused(const Refusal& refusal, const std::string& allow) {
  auto response = to_response(refusal);
  if (refusal.status == 405) response.headers.emplace_back("Allow", allow);
  if (refusal.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

Desk::Desk(Parts given) : parts(std::move(given)) {
  if (parts.started == TimePoint{}) parts.started = parts.clock.now();
}
Desk::~Desk() = default;

asio::thread_pool& Desk::long_reads() {
  if (!long_reads_) long_reads_ = std::make_unique<asio::thread_pool>(1);
  return *long_reads_;
}

std::string_view version() { return VIGIL_VERSION; }

struct Api::State {
  explicit State(Parts parts) : desk(std::move(parts)) {}
  Role role_of(const ingress::Peer& peer);
  asio::awaitable<Result<void>> note(const Route& route, const Call& call, std::string_view role);

  Desk desk;
  config::Admin wanted;  // what the roles were made from
  Roles roles{wanted};
};

Role Api::State::role_of(const ingress::Peer& peer) {
  if (const auto& now = desk.parts.settings().admin; now != wanted) {
    wanted = now;
    roles = Roles(wanted);
  }
  return roles.of(peer);
}

// Before it is done: what changes something leaves a trace even if the daemon dies of it.
asio::awaitable<Result<void>> Api::State::note(const Route& route, const Call& call,
                                               std::string_view role) {
  const auto& request = call.request;
  storage::AuditEntry entry{
      .at = desk.parts.clock.now(),
      .uid = request.peer.uid,
      .pid = request.peer.pid,
      .who = name_of_user(request.peer.uid),
      .role = std::string(role),
      .what = fmt::format("{} {}", route.method, request.target),
      .detail = to_valid_utf8(std::string_view(request.body).substr(0, detail_bytes_max))};
  auto change = [entry = std::move(entry)](storage::Stores& stores) { stores.audit.append(entry); };
  auto committing = desk.parts.writer.commit(std::move(change));
  co_return co_await std::move(committing);
}

Api::Api(Parts parts) : state_(std::make_unique<State>(std::move(parts))) {}
Api::~Api() = default;

ingress::HeadVerdict Api::check_head(const ingress::Request& head) const {
  if (!may_ask(head.peer)) {
    return {
        .body_bytes_max = 0, .refuse_status = 403, .refuse_body = to_response(not_allowed()).body};
  }
  const auto path = head.target.substr(0, head.target.find('?'));
  if (path == "/v1/events") return {state_->desk.parts.settings().http.body_bytes_max, 0, {}};
  if (path == "/v1/swarms") return {plan_bytes_max, 0, {}};
  if (path.ends_with("/import")) return {import_bytes_max, 0, {}};
  return {body_bytes_max, 0, {}};
}

asio::awaitable<ingress::Response> Api::handle(ingress::Request request) {
  std::string allow;
  if (!may_ask(request.peer)) co_return refused(not_allowed(), allow);
  auto found = find_route(std::move(request), allow);
  if (!found) co_return refused(found.error(), allow);
  const auto role = state_->role_of(found->call.request.peer);
  const bool allowed = role >= found->route->needs;
  if (found->route->audited || !allowed) {
    auto noting = state_->note(*found->route, found->call, allowed ? to_text(role) : "refused");
    Result<void> noted = co_await std::move(noting);
    if (!noted && allowed) co_return refused(refusal(noted.error()), allow);
  }
  if (!allowed) co_return refused(not_your_role(role, found->route->needs), allow);
  if (!is_still_allowed(found->call) && !state_->desk.parts.self().safe_mode.empty()) {
    const Refusal refusal{409, "the daemon is in safe mode: nothing is decided, run or sent",
                          "vigilctl doctor says why; vigilctl safe-mode leave ends it"};
    co_return refused(refusal, allow);
  }
  Answer answer;
  if (found->route->read != nullptr) {
    answer = found->route->read(state_->desk, found->call);
  } else {
    auto acting = found->route->act(state_->desk, std::move(found->call));
    answer = co_await std::move(acting);
  }
  if (!answer) co_return refused(answer.error(), allow);
  co_return std::move(*answer);
}

}  // namespace vigil::admin
