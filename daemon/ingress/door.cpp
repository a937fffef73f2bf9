#include "daemon/ingress/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <fstream>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "daemon/ingress/body.hpp"
#include "daemon/ingress/caller.hpp"
#include "daemon/ingress/chat.hpp"
#include "daemon/ingress/ping_door.hpp"
#include "daemon/ingress/presets.hpp"
#include "daemon/ingress/signature.hpp"
#include "daemon/ingress/sns.hpp"
#include "daemon/ingress/status.hpp"
#include "daemon/ingress/webhook_mail.hpp"

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
  std::vector<ip::Range> allow;
  std::size_t body_bytes_max = 0;
  std::string certificate;  // PEM; scheme sns: empty is fetched
};

using Sources = std::map<std::string, std::shared_ptr<const Source>, std::less<>>;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Result<std::string> read_certificate(const std::string& path) {
  constexpr std::size_t bytes_max = 64 * 1024;
  std::ifstream in(path, std::ios::binary);
  std::string text(bytes_max, '\0');
  in.read(text.data(), bytes_max);
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.contains("-----BEGIN CERTIFICATE-----")) return text;
  return fail(ErrorCode::invalid_input, fmt::format("{} is no certificate in PEM form", path));
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
  if (!out->settings.certificate.empty()) {
    auto certificate = read_certificate(out->settings.certificate);
    if (!certificate) {
      return fail(certificate.error().code,
                  fmt::format("source.{}.certificate: {}", from.name, certificate.error().message));
    }
    out->certificate = std::move(*certificate);
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
  asio::awaitable<Response> receive_sns(std::shared_ptr<const Source> source, Request request);
  asio::awaitable<Response> receive_mail(std::shared_ptr<const Source> source, Request request);
  Response answer(const Result<storage::Appended>& appended);
  asio::awaitable<Response> store(std::shared_ptr<const Source> source, Request request, Body body);
  Response not_proven(const Source& source, const std::string& why) {
    log_debug("a webhook was not proven: source={} reason={}", source.name, vigil::quoted(why));
    return refuse(401, why, "docs/webhooks.md says how each sender signs");
  }
  Response not_read(const Error& error, bool unsupported) {
    const auto hint = unsupported ? "send application/json" : "send one JSON value in UTF-8";
    return refuse(unsupported ? 415 : 400, error.message, hint);
  }

  Clock& clock;
  Accept accept;
  MailIntake* mail = nullptr;
  Sources sources = {};
  Behind behind = Behind::nothing;
  bool draining = false;
  DoorStats stats = {};
  PingDoor pings{clock, accept, stats};
  Sns sns{clock};
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

void Door::fetch_with(Fetch fetch) { state_->sns.fetch_with(std::move(fetch)); }
void Door::take_mail_with(MailIntake& intake) { state_->mail = &intake; }

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
  if (source->settings.scheme == config::Scheme::sns) {
    auto receiving = receive_sns(std::move(source), std::move(request));
    co_return co_await std::move(receiving);
  }
  const auto proven = verify(source->settings, source->secrets, request, path_rest, clock.now());
  if (!proven) co_return not_proven(*source, proven.error().message);
  if (is_mail_scheme(source->settings.scheme)) {
    auto taking = receive_mail(std::move(source), std::move(request));
    co_return co_await std::move(taking);
  }
  bool unsupported = false;
  auto body = read_body(source->settings.scheme, request, unsupported);
  if (!body) co_return not_read(body.error(), unsupported);
  if (source->settings.scheme == config::Scheme::slack &&
      find_text(body->data, "type") == "url_verification") {
    co_return json_answer(200, {{"challenge", find_text(body->data, "challenge").value_or("")}});
  }
  auto storing = store(std::move(source), std::move(request), std::move(*body));
  co_return co_await std::move(storing);
}

// What SNS signs are fields of its document: that is read first. A refusal that may be other in a
// minute is 503, and SNS tries again.
asio::awaitable<Response> Door::State::receive_sns(std::shared_ptr<const Source> source,
                                                   Request request) {
  bool unsupported = false;
  auto body = read_body(config::Scheme::sns, request, unsupported);
  if (!body) co_return not_read(body.error(), unsupported);
  auto message = read_sns(body->data);
  if (!message) co_return not_proven(*source, message.error().message);
  auto proving = sns.prove(*message, source->settings.topics, source->certificate);
  Result<void> proven = co_await std::move(proving);
  if (!proven && proven.error().code == ErrorCode::unavailable) {
    ++stats.unavailable;
    log_warn("a message of SNS cannot be proven, it will come again: source={} error={}",
             source->name, vigil::quoted(proven.error().message));
    co_return busy_response(proven.error().message);
  }
  if (!proven) co_return not_proven(*source, proven.error().message);
  const bool asks = source->settings.confirm && message->type == "SubscriptionConfirmation";
  auto storing = store(source, std::move(request), std::move(*body));
  Response stored = co_await std::move(storing);
  if (!asks || stored.status >= 300) co_return stored;
  auto confirming = sns.confirm(std::move(*message));
  Result<void> confirmed = co_await std::move(confirming);
  if (confirmed) co_return stored;
  log_warn("a subscription could not be confirmed, SNS will ask again: source={} error={}",
           source->name, vigil::quoted(confirmed.error().message));
  co_return busy_response(confirmed.error().message);
}

asio::awaitable<Response> Door::State::store(std::shared_ptr<const Source> source, Request request,
                                             Body body) {
  auto chat = chat_of(source->name, source->settings, body.data);
  if (chat && chat->is_own) co_return json_answer(200, {{"status", "ignored"}});
  auto described = describe(source->name, source->settings, request, body.data);
  if (chat) {
    described = std::move(chat->described);
    body.text = to_text(chat->payload);
    body.data = std::move(chat->payload);
  }
  std::string dedup;
  if (!described.signed_id) {
    dedup = body_mac_of(source->settings, request);
    if (dedup.empty()) dedup = to_hex(as_bytes(sha256(body.text)));
  }
  auto event = event_of(*source, request, std::move(described), body, dedup, clock.now());
  auto accepting = accept(std::move(event), std::move(body.data));
  Result<storage::Appended> appended = co_await std::move(accepting);
  co_return answer(appended);
}

Response Door::State::answer(const Result<storage::Appended>& appended) {
  if (!appended) {
    ++stats.unavailable;
    return busy_response(appended.error().message);
  }
  if (appended->duplicate) {
    ++stats.duplicates;
    return json_answer(200, {{"status", "duplicate"}, {"id", appended->id.value}});
  }
  ++stats.accepted;
  return json_answer(202, {{"id", appended->id.value}, {"status", "accepted"}});
}

// The whole message is put together again, and read where all mail is.
asio::awaitable<Response> Door::State::receive_mail(std::shared_ptr<const Source> source,
                                                    Request request) {
  auto posted = read_posted_mail(source->settings, source->secrets, request, clock.now());
  if (!posted) {
    const bool unproven = posted.error().code == ErrorCode::unauthorized;
    co_return refuse(unproven ? 401 : 400, posted.error().message,
                     "docs/mail.md says what each provider posts");
  }
  if (mail == nullptr) co_return busy_response("mail is not taken here");
  Delivery delivery{.source = source->name,
                    .taint = source->trusted ? Taint::trusted : Taint::untrusted,
                    .from = std::move(posted->from),
                    .recipients = std::move(posted->recipients),
                    .raw = std::move(posted->raw)};
  auto taking = mail->take(std::move(delivery));
  Result<storage::Appended> appended = co_await std::move(taking);
  co_return answer(appended);
}

}  // namespace vigil::ingress
