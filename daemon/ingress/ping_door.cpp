#include "daemon/ingress/ping_door.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <map>
#include <set>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "daemon/ingress/caller.hpp"
#include "daemon/ingress/ping_path.hpp"
#include "daemon/ingress/presets.hpp"
#include "daemon/ingress/signature.hpp"
#include "daemon/ingress/status.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

constexpr std::size_t body_bytes_usual = 1024 * 1024;  // only its two ends are kept
constexpr Duration minute = std::chrono::minutes{1};

struct PingSource {
  std::string name;
  bool trusted = false;
  std::vector<ip::Range> allow;
  std::size_t body_bytes_max = 0;
  Duration pause{};  // of one check, on the average
};

// What a secret in an address opens: one check, or all of them.
struct Opens {
  std::shared_ptr<const PingSource> source;
  std::string check;  // empty: the next step says which
};
// By digest: how long a look-up takes says nothing about a secret.
using Addresses = std::map<std::string, Opens, std::less<>>;
using Checks = std::set<std::string, std::less<>>;

std::string digest_of(std::string_view secret) { return std::string(as_bytes(sha256(secret))); }

Checks checks_of(const config::Settings& settings) {
  Checks out;
  for (const auto& [name, entity] : settings.entities) {
    const auto* ops = config::find_kind<config::Ops>(entity);
    if (ops == nullptr) continue;
    for (const auto& check : ops->checks) out.insert(check.id);
  }
  return out;
}

Result<void> add_address(Addresses& to, const config::SecretRef& ref, const std::string& key,
                         Opens opens) {
  const auto refuse = [&](const Error& error) {
    return fail(error.code, fmt::format("source.{}.{}: {}: {}", opens.source->name, key, ref.text,
                                        error.message));
  };
  const auto secret = config::read_secret(ref);
  if (!secret) return refuse(secret.error());
  if (const auto usable = check_secret(config::Scheme::ping, *secret); !usable) {
    return refuse(usable.error());
  }
  const auto added = to.emplace(digest_of(secret->reveal()), opens).second;
  if (!added) return refuse({ErrorCode::conflict, "the same secret opens something else already"});
  return {};
}

struct Wanted {  // what an address asks for
  std::shared_ptr<const PingSource> source;
  std::string check;
  std::optional<PingVerb> verb;
  std::optional<std::string> run;
};

Response plain(int status, std::string text) {
  Response out;
  out.status = status;
  out.content_type = "text/plain; charset=utf-8";
  out.body = std::move(text);
  return out;
}

json::object data_of(const Wanted& wanted, const Request& request) {
  json::object out;
  out["check"] = wanted.check;
  out["state"] = wanted.verb->state;
  if (wanted.verb->exit) out["exit"] = *wanted.verb->exit;
  if (!wanted.run->empty()) out["rid"] = *wanted.run;
  out["method"] = request.method;
  if (!request.body.empty()) {
    out["body"] = ping_body(request.body);
    out["body_bytes"] = request.body.size();
  }
  return out;
}

}  // namespace

struct PingDoor::State {
  std::optional<Wanted> find(const Request& request) const;
  // How long to wait before this one, or nothing: it may come now.
  std::optional<Duration> too_soon(const Wanted& wanted);
  asio::awaitable<Response> store(Wanted wanted, Request request);

  Clock& clock;
  const Accept& accept;
  DoorStats& stats;
  Addresses addresses;
  Checks checks;
  Behind behind = Behind::nothing;
  std::map<std::string, Duration> next;  // by check: when an even sender would be there
};

std::optional<Wanted> PingDoor::State::find(const Request& request) const {
  auto steps = ping_steps(request.path());
  if (steps.empty()) return std::nullopt;
  const auto found = addresses.find(digest_of(steps.front()));
  if (found == addresses.end()) return std::nullopt;
  Wanted out{found->second.source, found->second.check, {}, ping_run(request.target)};
  steps.erase(steps.begin());
  if (out.check.empty()) {
    if (steps.empty() || !checks.contains(steps.front())) {
      log_debug("a ping of an unknown check: source={} check={}", out.source->name,
                vigil::quoted(steps.empty() ? "" : steps.front()));
      return std::nullopt;
    }
    out.check = steps.front();
    steps.erase(steps.begin());
  }
  if (steps.size() <= 1) out.verb = ping_verb(steps.empty() ? "" : steps.front());
  return out;
}

// As many in a row as a minute allows, then one in each part of it. Remarks have a measure of their
// own: a talkative job must not lose its end.
std::optional<Duration> PingDoor::State::too_soon(const Wanted& wanted) {
  const bool remark = wanted.verb && wanted.verb->state == "log";
  const auto now = clock.steady_now();
  auto& at = next[fmt::format("{}/{}", wanted.check, remark ? "log" : "")];
  const auto then = std::max(at, now) + wanted.source->pause;
  if (then - now > minute) return then - now - minute;
  at = then;
  return std::nullopt;
}

PingDoor::PingDoor(Clock& clock, const Accept& accept, DoorStats& stats)
    : state_(new State{clock, accept, stats, {}, {}, Behind::nothing, {}}) {}
PingDoor::~PingDoor() = default;

bool PingDoor::is_its(std::string_view path) { return path.starts_with("/ping/"); }

Result<void> PingDoor::apply(const config::Settings& settings) {
  Addresses addresses;
  auto checks = checks_of(settings);
  for (const auto& [name, from] : settings.sources) {
    const auto* hook = std::get_if<config::Webhook>(&from.of);
    if (hook == nullptr || hook->scheme != config::Scheme::ping) continue;
    auto allow = open_allow(from, *hook);
    if (!allow) return std::unexpected(std::move(allow.error()));
    const auto most = hook->body_bytes_max > 0 ? hook->body_bytes_max : body_bytes_usual;
    const auto source = std::make_shared<const PingSource>(PingSource{
        name, from.trusted, std::move(*allow), most, minute / std::max(hook->per_minute_max, 1)});
    for (const auto& ref : hook->secrets) {
      if (auto added = add_address(addresses, ref, "secrets", {source, {}}); !added) return added;
    }
    for (const auto& [check, ref] : hook->ids) {
      checks.insert(check);
      if (auto added = add_address(addresses, ref, "ids." + check, {source, check}); !added) {
        return added;
      }
    }
  }
  state_->addresses = std::move(addresses);
  state_->checks = std::move(checks);
  state_->next.clear();
  state_->behind = settings.http.behind_proxy ? Behind::proxy : Behind::nothing;
  return {};
}

HeadVerdict PingDoor::check_head(const Request& head) {
  const auto verdict = [&](int status, std::string_view error, std::string_view hint) {
    ++state_->stats.refused;
    return HeadVerdict{0, status, error_response(status, error, hint).body, {}};
  };
  const auto wanted = state_->find(head);
  if (!wanted) return verdict(404, "there is nothing here", "is the address whole?");
  if (!may_call(wanted->source->allow, state_->behind, head)) {
    return verdict(403, "this address may not call here", "add it to `allow` of the source");
  }
  if (head.method != "GET" && head.method != "HEAD" && head.method != "POST") {
    auto out = verdict(405, "a ping is a GET, HEAD or POST", "use one of these");
    out.refuse_headers = {{"Allow", "GET, HEAD, POST"}};
    return out;
  }
  if (!wanted->verb) {
    return verdict(400, "this is no state of a run", "end with start, fail, log or 0 to 255");
  }
  if (!wanted->run) return verdict(400, "rid is no id", "use a UUID: ?rid=$(uuidgen)");
  if (const auto wait = state_->too_soon(*wanted)) {
    auto out = verdict(429, "too many pings of this check", "raise per_minute_max of the source");
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    out.refuse_headers = {{"Retry-After", std::to_string(seconds)}};
    return out;
  }
  return HeadVerdict{wanted->source->body_bytes_max, 0, {}, {}};
}

asio::awaitable<Response> PingDoor::handle(Request request) {
  auto wanted = state_->find(request);
  if (!wanted || !wanted->verb || !wanted->run) {  // gone by a reload while the body came
    ++state_->stats.refused;
    co_return error_response(404, "there is nothing here", "is the address whole?");
  }
  auto storing = state_->store(std::move(*wanted), std::move(request));
  co_return co_await std::move(storing);
}

asio::awaitable<Response> PingDoor::State::store(Wanted wanted, Request request) {
  json::value data = data_of(wanted, request);
  storage::NewEvent event;
  event.uid = random_hex(16);  // two pings that say the same are two
  event.source = wanted.source->name;
  event.type = event.source + ".ping";
  event.subject = wanted.check;
  event.time = clock.now();
  event.received_at = event.time;
  event.content_type = "application/json";
  event.headers = kept_headers(request);
  event.taint = wanted.source->trusted ? Taint::trusted : Taint::untrusted;
  event.data = to_text(data);
  auto accepting = accept(std::move(event), std::move(data));
  Result<storage::Appended> appended = co_await std::move(accepting);
  if (!appended) {
    ++stats.unavailable;
    co_return busy_response(appended.error().message);
  }
  ++stats.accepted;
  co_return plain(200, "OK\n");
}

}  // namespace vigil::ingress
