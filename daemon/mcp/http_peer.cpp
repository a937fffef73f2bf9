// A server that is reached over HTTP: each request a POST, answered as JSON or as a stream of
// events: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#streamable-http
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include "core/log.hpp"
#include "daemon/mcp/messages.hpp"
#include "daemon/mcp/peer.hpp"
#include "daemon/models/sse.hpp"

namespace vigil::mcp {
namespace asio = boost::asio;
namespace {

constexpr std::size_t body_bytes_max = 32 * 1024 * 1024;
constexpr Duration goodbye_time = std::chrono::seconds{2};

// An answer as it comes: one JSON text, or events of which one is awaited.
class Incoming {
 public:
  explicit Incoming(std::int64_t id) : id_(id) {}

  bool take(std::string_view bytes) {
    if (form_ == Form::unknown) {
      const auto first = bytes.find_first_not_of(" \t\r\n");
      if (first == std::string_view::npos) return true;
      form_ = bytes[first] == '{' || bytes[first] == '[' ? Form::whole : Form::stream;
    }
    if (form_ == Form::whole) {
      body_.append(bytes, 0, body_bytes_max - std::min(body_bytes_max, body_.size()));
      return body_.size() < body_bytes_max;
    }
    const bool fits = stream_.take(bytes, [this](std::string_view data) { hear_event(data); });
    if (!fits && !answer_)
      answer_ = fail(ErrorCode::too_large, "an event of its answer is too long");
    return !answer_;
  }

  Result<json::object> answer() {
    if (form_ == Form::whole) hear_event(body_);
    if (answer_) return std::move(*answer_);
    return fail(ErrorCode::unavailable, "it does not answer what it was asked");
  }

 private:
  void hear_event(std::string_view data) {
    if (answer_ || data.empty()) return;
    auto heard = hear(data, id_);
    if (!heard) {
      answer_ = std::unexpected(heard.error());
    } else if (heard->answer) {
      answer_ = std::move(heard->answer);
    }  // what it asks itself is not answered here: we offered nothing
  }

  enum class Form { unknown, whole, stream };
  std::int64_t id_;
  Form form_ = Form::unknown;
  std::string body_;
  models::EventStream stream_;
  std::optional<Result<json::object>> answer_;
};

class HttpPeer final : public Peer {
 public:
  HttpPeer(Clock& clock, models::Perform perform, std::shared_ptr<const Entry> entry)
      : clock_(clock), perform_(std::move(perform)), entry_(std::move(entry)) {}

  bool has_ended() const override { return false; }

  asio::awaitable<Result<void>> begin(TimePoint deadline) override {
    session_.clear();
    version_.clear();
    auto asking = exchange("initialize", introduction(), deadline);
    Result<json::object> said = co_await std::move(asking);
    if (!said) co_return std::unexpected(said.error());
    version_ = find_text(json::value(*said), "protocolVersion").value_or("");
    if (!is_known_protocol(version_)) {
      co_return fail(ErrorCode::unavailable,
                     fmt::format("it speaks version {} of the protocol", vigil::quoted(version_)));
    }
    auto telling = perform_(request(notice_text("notifications/initialized", {}), deadline));
    http::Received told = co_await std::move(telling);
    if (!told) co_return std::unexpected(told.error().error);
    co_return Result<void>();
  }

  asio::awaitable<Result<json::object>> ask(std::string method, json::object parameters,
                                            TimePoint deadline) override {
    auto asking = exchange(method, parameters, deadline);
    Result<json::object> answered = co_await std::move(asking);
    // It has forgotten us, and so has not done it: we introduce ourselves again, once.
    if (answered || answered.error().code != ErrorCode::not_found || session_.empty()) {
      co_return answered;
    }
    auto beginning = begin(deadline);
    Result<void> begun = co_await std::move(beginning);
    if (!begun) co_return std::unexpected(begun.error());
    auto again = exchange(std::move(method), std::move(parameters), deadline);
    co_return co_await std::move(again);
  }

  asio::awaitable<void> end() override {
    if (session_.empty()) co_return;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto goodbye = request("", clock_.now() + goodbye_time);
    goodbye.method = "DELETE";
    auto parting = perform_(std::move(goodbye));
    http::Received parted = co_await std::move(parting);
    (void)parted;  // it may not know the word
  }

 private:
  http::Request request(std::string body, TimePoint deadline) const {
    http::Request out;
    out.url = entry_->settings.url;
    out.configured = out.url;
    out.headers = {{"Content-Type", "application/json"},
                   {"Accept", "application/json, text/event-stream"}};
    if (!version_.empty()) out.headers.emplace_back("MCP-Protocol-Version", version_);
    if (!session_.empty()) out.headers.emplace_back("Mcp-Session-Id", session_);
    if (!entry_->key.empty()) out.headers.emplace_back("Authorization", "Bearer " + entry_->key);
    out.secret = entry_->key;
    out.body = std::move(body);
    out.deadline = deadline;
    // What acts outside must not be sent twice.
    out.connection = http::Connection::fresh;
    return out;
  }

  asio::awaitable<Result<json::object>> exchange(std::string method, json::object parameters,
                                                 TimePoint deadline) {
    const auto id = ++last_id_;
    auto incoming = std::make_shared<Incoming>(id);
    auto asked = request(request_text(id, method, parameters), deadline);
    asked.heard = [incoming](std::string_view bytes) { return incoming->take(bytes); };
    auto asking = perform_(std::move(asked));
    http::Received received = co_await std::move(asking);
    if (!received) co_return std::unexpected(received.error().error);
    if (!received->ok()) {
      co_return fail(
          received->status == 404 ? ErrorCode::not_found : ErrorCode::unavailable,
          fmt::format("it answers {} {}", received->status, vigil::quoted(received->body)));
    }
    if (method == "initialize") session_ = received->header("mcp-session-id");
    co_return incoming->answer();
  }

  Clock& clock_;
  models::Perform perform_;
  std::shared_ptr<const Entry> entry_;
  std::string session_;
  std::string version_;
  std::int64_t last_id_ = 0;
};

}  // namespace

std::unique_ptr<Peer> over_http(Clock& clock, models::Perform perform,
                                std::shared_ptr<const Entry> entry) {
  return std::make_unique<HttpPeer>(clock, std::move(perform), std::move(entry));
}

}  // namespace vigil::mcp
