#include "daemon/ingress/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "daemon/ingress/body.hpp"
#include "daemon/ingress/caller.hpp"
#include "daemon/ingress/ping_door.hpp"
#include "daemon/ingress/presets.hpp"
#include "daemon/ingress/signature.hpp"
#include "daemon/ingress/status.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

constexpr std::string_view hooks = "/hooks/";
constexpr std::size_t uid_bytes_max = 200;
constexpr std::size_t subject_bytes_max = 500;
constexpr Duration clock_difference_max = std::chrono::hours{24};  // of a sender's clock

// A delivery id as it is stored. One that is too long is not cut: what it shares with another would
// make them one.
std::string uid_of(std::string_view given) {
  if (given.empty()) return random_hex(16);
  if (given.size() > uid_bytes_max) return to_hex(as_bytes(sha256(given)));
  return to_valid_utf8(given);
}

// A subject keys cases and stands in lists: a long one is cut, and ends in a digest, so that two
// that begin alike stay two.
std::string subject_of(std::string_view given) {
  if (given.size() <= subject_bytes_max) return to_valid_utf8(given);
  const auto digest = to_hex(as_bytes(sha256(given)).substr(0, 16));
  return to_valid_utf8(given.substr(0, subject_bytes_max - digest.size())) + "~" + digest;
}

struct Source {
  std::string name;
  bool trusted = false;
  config::Webhook settings;
  std::vector<config::Secret> secrets;
  std::vector<AddressRange> allow;
  std::size_t body_bytes_max = 0;
};

using Sources = std::map<std::string, std::shared_ptr<const Source>, std::less<>>;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Result<std::shared_ptr<const Source>> open_source(const config::Source& from,
                                                  const config::Http& http) {
  auto out = std::make_shared<Source>();
  out->name = from.name;
  out->trusted = from.trusted;
  out->settings = std::get<config::Webhook>(from.of);
  out->settings.signature_header = lower(out->settings.signature_header);
  out->settings.id_header = lower(out->settings.id_header);
  out->body_bytes_max =
      out->settings.body_bytes_max > 0 ? out->settings.body_bytes_max : http.body_bytes_max;
  for (const auto& ref : out->settings.secrets) {
    auto secret = config::read_secret(ref);
    if (!secret) {
      return fail(secret.error().code,
                  fmt::format("source.{}.secrets: {}", from.name, secret.error().message));
    }
    if (const auto usable = check_secret(out->settings.scheme, *secret); !usable) {
      return fail(usable.error().code, fmt::format("source.{}.secrets: {}: {}", from.name, ref.text,
                                                   usable.error().message));
    }
    out->secrets.push_back(std::move(*secret));
  }
  auto allow = open_allow(from, out->settings);
  if (!allow) return std::unexpected(std::move(allow.error()));
  out->allow = std::move(*allow);
  return out;
}

Response json_answer(int status, json::object body) {
  Response out;
  out.status = status;
  out.body = to_text(json::value(std::move(body))) + "\n";
  return out;
}

// Which source a path names, and what follows it.
struct Place {
  std::string_view source;
  std::string_view rest;
};

std::optional<Place> place_of(std::string_view path) {
  if (!path.starts_with(hooks)) return std::nullopt;
  path.remove_prefix(hooks.size());
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return Place{path, {}};
  return Place{path.substr(0, slash), path.substr(slash + 1)};
}

storage::NewEvent event_of(const Source& source, const Request& request, Described described,
                           Body& body, const std::string& body_hash, TimePoint now) {
  storage::NewEvent out;
  out.uid = uid_of(described.uid);
  out.source = source.name;
  out.type = std::move(described.type);
  out.subject = subject_of(described.subject);
  const bool likely = described.time && *described.time < now + clock_difference_max;
  out.time = likely ? *described.time : now;
  out.received_at = now;
  out.content_type = "application/json";
  out.headers = kept_headers(request);
  out.taint = source.trusted ? Taint::trusted : Taint::untrusted;
  out.data = std::move(body.text);
  out.dedup_hash = body_hash;
  out.names = described.names_state ? storage::Names::state : storage::Names::delivery;
  return out;
}

}  // namespace

struct Door::State {
  const Source* find(std::string_view name) const {
    const auto found = sources.find(name);
    return found == sources.end() ? nullptr : found->second.get();
  }
  Response refuse(int status, std::string_view error, std::string_view hint) {
    ++stats.refused;
    return error_response(status, error, hint);
  }
  asio::awaitable<Response> receive(std::shared_ptr<const Source> source, Request request,
                                    std::string path_rest);

  Clock& clock;
  Accept accept;
  Sources sources = {};
  Behind behind = Behind::nothing;
  bool draining = false;
  DoorStats stats = {};
  PingDoor pings{clock, accept, stats};
};

Door::Door(Clock& clock, Accept accept)
    : state_(new State{.clock = clock, .accept = std::move(accept)}) {}
Door::~Door() = default;

Result<void> Door::apply(const config::Settings& settings) {
  Sources sources;
  for (const auto& [name, source] : settings.sources) {
    const auto* hook = std::get_if<config::Webhook>(&source.of);
    if (hook == nullptr || hook->scheme == config::Scheme::ping) continue;
    auto opened = open_source(source, settings.http);
    if (!opened) return std::unexpected(std::move(opened.error()));
    sources.emplace(name, std::move(*opened));
  }
  if (auto taken = state_->pings.apply(settings); !taken) return taken;
  state_->sources = std::move(sources);
  state_->behind = settings.http.behind_proxy ? Behind::proxy : Behind::nothing;
  return {};
}

void Door::set_draining(bool draining) { state_->draining = draining; }

DoorStats Door::stats() const { return state_->stats; }

HeadVerdict Door::check_head(const Request& head) const {
  const auto verdict = [&](int status, std::string_view error, std::string_view hint) {
    ++(status == 503 ? state_->stats.unavailable : state_->stats.refused);
    return HeadVerdict{0, status, error_response(status, error, hint).body, {}};
  };
  if (state_->draining) return verdict(503, "the daemon is stopping", "send it again in a moment");
  if (PingDoor::is_its(head.path())) return state_->pings.check_head(head);
  const auto place = place_of(head.path());
  const auto* source = place ? state_->find(place->source) : nullptr;
  if (source == nullptr) {
    return verdict(404, "there is nothing here", "webhooks are posted to /hooks/<source>");
  }
  if (head.method != "POST") {
    return verdict(405, "webhooks are posted", "use POST");
  }
  if (!may_call(source->allow, state_->behind, head)) {
    return verdict(403, "this address may not call here", "add it to `allow` of the source");
  }
  // Without a secret any page that somebody here looks at could post events.
  const bool from_a_page = !head.header("origin").empty() || !head.header("sec-fetch-site").empty();
  if (source->settings.scheme == config::Scheme::none && from_a_page) {
    return verdict(403, "a browser's page may not call here",
                   "give the source a scheme and a secret");
  }
  return HeadVerdict{source->body_bytes_max, 0, {}, {}};
}

asio::awaitable<Response> Door::handle(Request request) {
  if (PingDoor::is_its(request.path())) {
    auto pinging = state_->pings.handle(std::move(request));
    co_return co_await std::move(pinging);
  }
  const auto place = place_of(request.path());
  const auto found = place ? state_->sources.find(place->source) : state_->sources.end();
  if (found == state_->sources.end()) {  // gone by a reload while the body came
    co_return state_->refuse(404, "there is nothing here",
                             "webhooks are posted to /hooks/<source>");
  }
  std::string rest(place->rest);
  auto receiving = state_->receive(found->second, std::move(request), std::move(rest));
  co_return co_await std::move(receiving);
}

asio::awaitable<Response> Door::State::receive(std::shared_ptr<const Source> source,
                                               Request request, std::string path_rest) {
  const auto now = clock.now();
  const auto proven = verify(source->settings, source->secrets, request, path_rest, now);
  if (!proven) {
    log_debug("a webhook was not proven: source={} reason={}", source->name,
              vigil::quoted(proven.error().message));
    co_return refuse(401, proven.error().message, "docs/webhooks.md says how each sender signs");
  }
  bool unsupported = false;
  auto body = read_body(source->settings.scheme, request, unsupported);
  if (!body) {
    const auto hint = unsupported ? "send application/json" : "send one JSON value in UTF-8";
    co_return refuse(unsupported ? 415 : 400, body.error().message, hint);
  }
  if (source->settings.scheme == config::Scheme::slack &&
      find_text(body->data, "type") == "url_verification") {
    co_return json_answer(200, {{"challenge", find_text(body->data, "challenge").value_or("")}});
  }
  auto described = describe(source->name, source->settings, request, body->data);
  std::string dedup;
  if (!described.signed_id) {
    dedup = body_mac_of(source->settings, request);
    if (dedup.empty()) dedup = to_hex(as_bytes(sha256(body->text)));
  }
  auto event = event_of(*source, request, std::move(described), *body, dedup, now);
  auto accepting = accept(std::move(event), std::move(body->data));
  Result<storage::Appended> appended = co_await std::move(accepting);
  if (!appended) {
    ++stats.unavailable;
    co_return busy_response(appended.error().message);
  }
  if (appended->duplicate) {
    ++stats.duplicates;
    co_return json_answer(200, {{"status", "duplicate"}, {"id", appended->id.value}});
  }
  ++stats.accepted;
  co_return json_answer(202, {{"id", appended->id.value}, {"status", "accepted"}});
}

}  // namespace vigil::ingress
