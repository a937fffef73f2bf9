// [sink.NAME] kind = "slack" (chat.postMessage, chat.update) and kind = "telegram" (sendMessage,
// editMessageText): one message for each action, or with a sticky key one that is edited. A message
// whose answer was lost may be there: it is not written a second time (`unknown`).
// https://docs.slack.dev/reference/methods/chat.postMessage, https://core.telegram.org/bots/api
#include <fmt/format.h>

#include "core/log.hpp"
#include "daemon/delivery/answers.hpp"
#include "daemon/delivery/sinks.hpp"
#include "daemon/http/client.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr std::size_t answer_bytes_max = 256 * 1024;
constexpr std::size_t slack_text_max = 12'000;    // more is refused by Slack at 40,000 characters
constexpr std::size_t telegram_text_max = 4'000;  // of 4096 characters

std::string shortened_utf8(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return to_valid_utf8(text);
  auto end = bytes_max - 3;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return to_valid_utf8(text.substr(0, end)) + "...";
}

std::string text_at(const json::value& value, std::string_view path) {
  return find_scalar_text(value, path).value_or("");
}

// What a chat needs of an action.
struct Message {
  std::string place;  // channel or chat
  std::string thread;
  std::string text;
  std::string edits;  // the message that is edited; empty: a new one
};

Result<Message> message_of(const Attempt& attempt, std::string_view place_name,
                           std::string_view id_name, const std::string& usual_place,
                           std::size_t text_max) {
  const json::value payload(attempt.action.payload);
  Message out;
  out.place = text_at(payload, place_name);
  if (out.place.empty()) out.place = usual_place;
  if (out.place.empty()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("where to? give the sink a {0}, or the payload a \"{0}\"", place_name));
  }
  out.thread = text_at(payload, "thread");
  const auto text = find_text(payload, "text");
  if (!text || text->empty()) return fail(ErrorCode::invalid_input, "the payload has no \"text\"");
  out.text = shortened_utf8(*text, text_max);
  if (attempt.last_result && text_at(*attempt.last_result, place_name) == out.place) {
    out.edits = text_at(*attempt.last_result, id_name);
  }
  return out;
}

class ChatSink : public Sink {
 public:
  Repeat repeat(const storage::Action&) const override { return Repeat::dangerous; }
};

class SlackSink final : public ChatSink {
 public:
  SlackSink(config::SlackSink settings, config::Secret token, const SinkGround& ground)
      : settings_(std::move(settings)),
        token_(std::move(token)),
        clock_(ground.clock),
        http_(ground.http) {}

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    auto message = message_of(attempt, "channel", "ts", settings_.channel, slack_text_max);
    if (!message) co_return failed(message.error().message);
    if (!message->edits.empty()) {
      auto editing = call("chat.update", *message);
      Outcome edited = co_await std::move(editing);
      const bool gone = edited.error.find("message_not_found") != std::string::npos ||
                        edited.error.find("cant_update_message") != std::string::npos;
      // To edit once more is harmless.
      if (edited.fate == Outcome::Fate::unanswered) co_return retry_later(edited.error);
      if (!gone) co_return edited;
      message->edits.clear();  // somebody deleted it
    }
    auto posting = call("chat.postMessage", std::move(*message));
    co_return co_await std::move(posting);
  }

 private:
  asio::awaitable<Outcome> call(std::string method, Message message) {
    json::object body{{"channel", message.place}, {"text", message.text}};
    if (!message.edits.empty()) body["ts"] = message.edits;
    if (!message.thread.empty() && message.edits.empty()) body["thread_ts"] = message.thread;
    http::Request request;
    request.url = settings_.base_url + "/" + method;
    request.configured = settings_.base_url;
    request.body = vigil::to_text(json::value(std::move(body)));
    request.deadline = clock_.now() + settings_.timeout;
    request.answer_bytes_max = answer_bytes_max;
    request.connection = http::Connection::fresh;
    request.headers = {{"Content-Type", "application/json; charset=utf-8"},
                       {"User-Agent", "vigild/" VIGIL_VERSION}};
    request.headers.push_back(http::bearer(token_.reveal()));
    auto performing = http_.perform(std::move(request));
    http::Received answer = co_await std::move(performing);
    if (!answer) co_return outcome_of(answer.error());
    if (!answer->ok()) co_return outcome_of(*answer, clock_.now());
    const auto said = parse_json(answer->body);
    if (!said) co_return unanswered("Slack's answer cannot be read");
    if (find_bool(*said, "ok").value_or(false)) {
      co_return delivered(json::object{{"channel", message.place}, {"ts", text_at(*said, "ts")}});
    }
    const auto error = text_at(*said, "error");
    if (error == "internal_error" || error == "fatal_error") {  // part of it may have happened
      co_return unanswered("Slack says " + error);
    }
    if (error == "ratelimited" || error == "service_unavailable") {
      co_return retry_later("Slack says " + error, http::retry_after(*answer, clock_.now()));
    }
    co_return failed(fmt::format("Slack says {}: see {}'s errors in Slack's reference",
                                 vigil::quoted(error), method));
  }

  config::SlackSink settings_;
  config::Secret token_;
  Clock& clock_;
  http::Client& http_;
};

class TelegramSink final : public ChatSink {
 public:
  TelegramSink(config::TelegramSink settings, config::Secret token, const SinkGround& ground)
      : settings_(std::move(settings)),
        token_(std::move(token)),
        clock_(ground.clock),
        http_(ground.http) {}

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    auto message = message_of(attempt, "chat", "id", settings_.chat, telegram_text_max);
    if (!message) co_return failed(message.error().message);
    if (!message->edits.empty()) {
      auto editing = call("editMessageText", *message);
      Outcome edited = co_await std::move(editing);
      if (edited.error.find("message is not modified") != std::string::npos) {
        co_return delivered(json::object{{"chat", message->place}, {"id", message->edits}});
      }
      const bool gone = edited.error.find("message to edit not found") != std::string::npos ||
                        edited.error.find("message can't be edited") != std::string::npos;
      if (edited.fate == Outcome::Fate::unanswered) co_return retry_later(edited.error);
      if (!gone) co_return edited;
      message->edits.clear();
    }
    auto posting = call("sendMessage", std::move(*message));
    co_return co_await std::move(posting);
  }

 private:
  asio::awaitable<Outcome> call(std::string method, Message message) {
    json::object body{{"chat_id", message.place}, {"text", message.text}};
    if (!message.edits.empty()) body["message_id"] = message.edits;
    if (!message.thread.empty() && message.edits.empty()) {
      body["message_thread_id"] = message.thread;
    }
    http::Request request;
    request.url = fmt::format("{}/bot{}/{}", settings_.base_url, token_.reveal(), method);
    request.configured = settings_.base_url;
    request.secret = token_.reveal();
    request.body = vigil::to_text(json::value(std::move(body)));
    request.deadline = clock_.now() + settings_.timeout;
    request.answer_bytes_max = answer_bytes_max;
    request.connection = http::Connection::fresh;
    request.headers = {{"Content-Type", "application/json"},
                       {"User-Agent", "vigild/" VIGIL_VERSION}};
    auto performing = http_.perform(std::move(request));
    http::Received answer = co_await std::move(performing);
    if (!answer) co_return outcome_of(answer.error());
    const auto said = parse_json(answer->body);
    if (answer->ok() && said && find_bool(*said, "ok").value_or(false)) {
      co_return delivered(
          json::object{{"chat", message.place}, {"id", text_at(*said, "result.message_id")}});
    }
    const auto why = said ? text_at(*said, "description") : std::string();
    const auto pause = said ? find_integer(*said, "parameters.retry_after") : std::nullopt;
    if (answer->status >= 500) {  // of a proxy: the message may be there
      co_return unanswered(fmt::format("Telegram says {} {}", answer->status, vigil::quoted(why)));
    }
    if (answer->status == 429) {
      std::optional<Duration> not_for;
      if (pause && *pause > 0) not_for = std::chrono::seconds{*pause};
      co_return retry_later(fmt::format("Telegram says {} {}", answer->status, vigil::quoted(why)),
                            not_for);
    }
    co_return failed(fmt::format("Telegram says {} {}", answer->status, vigil::quoted(why)));
  }

  config::TelegramSink settings_;
  config::Secret token_;
  Clock& clock_;
  http::Client& http_;
};

template <class Made, class Settings>
Result<std::shared_ptr<Sink>> make(const std::string& name, const Settings& settings,
                                   const SinkGround& ground) {
  auto token = config::read_secret(settings.token);
  if (!token) {
    return fail(token.error().code, fmt::format("sink.{}.token: {}", name, token.error().message));
  }
  return std::make_shared<Made>(settings, std::move(*token), ground);
}

}  // namespace

Result<std::shared_ptr<Sink>> make_slack_sink(const std::string& name,
                                              const config::SlackSink& settings,
                                              const SinkGround& ground) {
  return make<SlackSink>(name, settings, ground);
}

Result<std::shared_ptr<Sink>> make_telegram_sink(const std::string& name,
                                                 const config::TelegramSink& settings,
                                                 const SinkGround& ground) {
  return make<TelegramSink>(name, settings, ground);
}

}  // namespace vigil::delivery
