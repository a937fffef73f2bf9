// [sink.NAME] kind = "http": posts the payload, signed as Standard Webhooks when there is a secret
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
#include <fmt/format.h>

#include "core/digest.hpp"
#include "daemon/delivery/answers.hpp"
#include "daemon/delivery/sinks.hpp"
#include "daemon/http/client.hpp"
#include "storage/descent.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr std::size_t answer_kept_max = 4 * 1024;

json::value result_of(const http::Answer& answer) {
  json::object result{{"status", answer.status}};
  if (answer.body.empty()) return result;
  if (answer.body.size() <= answer_kept_max) {
    if (auto parsed = parse_json(answer.body)) {
      result["answer"] = std::move(*parsed);
      return result;
    }
  }
  result["answer"] = to_valid_utf8(std::string_view(answer.body).substr(0, answer_kept_max));
  return result;
}

class HttpSink final : public Sink {
 public:
  HttpSink(config::HttpSink settings, std::optional<config::Secret> key, const SinkGround& ground)
      : settings_(std::move(settings)),
        key_(std::move(key)),
        clock_(ground.clock),
        http_(ground.http) {}

  // Whoever honours the idempotency key sees it once.
  Repeat repeat(const storage::Action&) const override { return Repeat::harmless; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    auto request = request_of(attempt.action, attempt.descent);
    auto performing = http_.perform(std::move(request));
    http::Received answer = co_await std::move(performing);
    if (!answer) co_return outcome_of(answer.error());
    if (answer->ok()) co_return delivered(result_of(*answer));
    co_return outcome_of(*answer, clock_.now());
  }

 private:
  http::Request request_of(const storage::Action& action, int descent) const {
    const auto now = clock_.now();
    http::Request request;
    request.url = settings_.url;
    request.configured = settings_.url;
    request.body = to_text(json::value(action.payload));
    request.deadline = now + settings_.timeout;
    request.answer_bytes_max = answer_bytes_max;
    const auto timestamp =
        fmt::format("{}", std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    auto& headers = request.headers;
    headers.emplace_back("Content-Type", "application/json");
    headers.emplace_back("User-Agent", "vigild/" VIGIL_VERSION);
    headers.emplace_back("webhook-id", action.key);
    headers.emplace_back("webhook-timestamp", timestamp);
    headers.emplace_back("Idempotency-Key", action.key);
    headers.emplace_back(storage::descent_header, std::to_string(descent + 1));
    if (key_) {
      const auto mac =
          hmac_sha256(key_->reveal(), fmt::format("{}.{}.{}", action.key, timestamp, request.body));
      headers.emplace_back("webhook-signature", "v1," + to_base64(as_bytes(mac)));
    }
    for (const auto& [name, value] : settings_.headers) headers.emplace_back(name, value);
    return request;
  }

  config::HttpSink settings_;
  std::optional<config::Secret> key_;
  Clock& clock_;
  http::Client& http_;
};

// `whsec_` and base64 as the standard writes them; any other text is the key itself.
Result<config::Secret> signing_key(const config::Secret& secret) {
  constexpr std::string_view prefix = "whsec_";
  auto text = secret.reveal();
  if (!text.starts_with(prefix)) return config::Secret(std::string(text));
  auto bytes = from_base64(text.substr(prefix.size()));
  if (!bytes || bytes->empty()) {
    return fail(ErrorCode::invalid_input, "what follows whsec_ in the secret must be base64");
  }
  return config::Secret(std::move(*bytes));
}

}  // namespace

Result<std::shared_ptr<Sink>> make_http_sink(const std::string& name,
                                             const config::HttpSink& settings,
                                             const SinkGround& ground) {
  std::optional<config::Secret> key;
  if (settings.secret) {
    auto secret = config::read_secret(*settings.secret);
    auto read = secret ? signing_key(*secret) : std::unexpected(secret.error());
    if (!read) {
      return fail(read.error().code, fmt::format("sink.{}.secret: {}", name, read.error().message));
    }
    key = std::move(*read);
  }
  return std::make_shared<HttpSink>(settings, std::move(key), ground);
}

}  // namespace vigil::delivery
