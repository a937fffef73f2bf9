#include "daemon/ingress/telegram_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <map>
#include <utility>

#include "core/log.hpp"
#include "daemon/http/refusal.hpp"
#include "daemon/ingress/chat.hpp"
#include "daemon/ingress/keeper.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 2s;
constexpr Duration retry_most = 10min;
constexpr Duration answer_time = 20s;  // beyond the time it stays open
constexpr std::size_t answer_bytes_max = 8 * 1024 * 1024;
constexpr int updates_max = 100;  // in one answer: the API's own limit
const std::string offset_item = "offset";

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::TelegramSource with, Taint from)
      : name(std::move(called)), settings(std::move(with)), taint(from), work(executor) {}

  std::string name;
  config::TelegramSource settings;
  Taint taint;
  config::Secret token;
  std::string own_id;  // the token begins with it
  bool dismissed = false;
  int failures = 0;
  std::string trouble;
  TaskGroup work;
};
using EntryPtr = std::shared_ptr<Entry>;

bool is_wanted(const Entry& entry, const json::value& payload) {
  const auto& chats = entry.settings.chats;
  const auto chat = find_text(payload, "channel").value_or("");
  return chats.empty() || std::ranges::find(chats, chat) != chats.end();
}

storage::NewEvent event_of(const Entry& entry, const Chat& chat, TimePoint now) {
  storage::NewEvent event;
  event.uid = chat.described.uid;
  event.source = entry.name;
  event.type = chat.described.type;
  event.subject = to_valid_utf8(chat.described.subject);
  event.time = chat.described.time.value_or(now);
  event.received_at = now;
  event.content_type = "application/json";
  event.taint = entry.taint;
  event.data = to_text(chat.payload);
  return event;
}

}  // namespace

struct TelegramListener::State {
  State(asio::any_io_executor on, Clock& time, Fetch fetches, AcceptNoticed accepts)
      : executor(on),
        clock(time),
        fetch(std::move(fetches)),
        accept(std::move(accepts)),
        keeper(on, "listen to", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<Result<Duration>> look(EntryPtr entry);
  asio::awaitable<Result<void>> store(EntryPtr entry, json::array updates);

  asio::any_io_executor executor;
  Clock& clock;
  Fetch fetch;
  AcceptNoticed accept;
  storage::Stores* reader = nullptr;
  Keeper<Entry> keeper;
};

asio::awaitable<Result<void>> TelegramListener::State::store(EntryPtr entry, json::array updates) {
  Noticed noticed;
  std::int64_t last = -1;
  for (const auto& update : updates) {
    last = std::max(last, find_integer(update, "update_id").value_or(-1));
    auto chat = telegram_chat(entry->name, update, {entry->own_id});
    if (!chat || chat->is_own || !is_wanted(*entry, chat->payload)) continue;
    noticed.events.push_back(event_of(*entry, *chat, clock.now()));
    noticed.payloads.push_back(std::move(chat->payload));
  }
  if (last < 0) co_return fail(ErrorCode::unavailable, "Telegram's updates have no ids");
  noticed.along = [name = entry->name, last, now = clock.now()](storage::Stores& stores) {
    stores.seen.put(name, offset_item, fmt::format("{}", last + 1), now);
  };
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto accepting = accept(std::move(noticed));
  Result<int> accepted = co_await std::move(accepting);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (!accepted) co_return std::unexpected(std::move(accepted.error()));
  co_return Result<void>{};
}

// How long Telegram wants to be left alone.
asio::awaitable<Result<Duration>> TelegramListener::State::look(EntryPtr entry) {
  const auto wait = std::chrono::floor<std::chrono::seconds>(entry->settings.wait);
  const auto offset = reader->seen.get(entry->name, offset_item).value_or("0");
  http::Request request;
  request.method = "GET";
  request.url = fmt::format(
      "{}/bot{}/getUpdates?offset={}&limit={}&timeout={}&allowed_updates=%5B%22message%22%2C%22"
      "channel_post%22%5D",
      entry->settings.base_url, entry->token.reveal(), offset, updates_max, wait.count());
  request.configured = entry->settings.base_url;
  request.secret = entry->token.reveal();
  request.headers = {{"User-Agent", "vigild/" VIGIL_VERSION}};
  request.deadline = clock.now() + entry->settings.wait + answer_time;
  request.answer_bytes_max = answer_bytes_max;
  auto fetching = fetch(std::move(request));
  http::Received answer = co_await std::move(fetching);
  if (!answer) co_return std::unexpected(std::move(answer.error().error));
  auto said = parse_json(answer->body);
  if (!answer->ok() || !said || !find_bool(*said, "ok").value_or(false)) {
    const auto why = said ? find_text(*said, "description").value_or("") : "";
    const auto pause = said ? find_integer(*said, "parameters.retry_after").value_or(0) : 0;
    const bool asks_for_time = answer->status == 429 && pause > 0 && pause < 86'400;
    if (asks_for_time) co_return Duration(std::chrono::seconds(pause));
    co_return fail(
        ErrorCode::unavailable,
        fmt::format("Telegram says {} {}{}", answer->status, vigil::quoted(std::string(why)),
                    answer->status == 401   ? ": check the token"
                    : answer->status == 409 ? ": the bot has a webhook or another reader"
                                            : ""));
  }
  const auto* updates = find_path(*said, "result");
  if (updates == nullptr || !updates->is_array()) {
    co_return fail(ErrorCode::unavailable, "Telegram's answer cannot be read");
  }
  if (updates->get_array().empty()) {
    const Duration quiet = wait.count() > 0 ? Duration{0} : Duration{1s};
    co_return quiet;
  }
  auto storing = store(entry, updates->get_array());
  Result<void> stored = co_await std::move(storing);
  if (!stored) co_return std::unexpected(std::move(stored.error()));
  co_return Duration{0};
}

asio::awaitable<void> TelegramListener::State::run(EntryPtr entry) {
  while (!entry->dismissed) {
    auto looking = look(entry);
    Result<Duration> pause = co_await std::move(looking);
    if (pause) {
      entry->failures = 0;
      entry->trouble.clear();
      auto sleeping = clock.sleep_for(*pause);
      co_await std::move(sleeping);
      continue;
    }
    const auto later =
        std::min<Duration>(retry_most, retry_least * (1 << std::min(entry->failures++, 9)));
    if (entry->trouble != pause.error().message) {
      log_warn("a bot cannot be heard, trying again in {}: source={} error={}", to_text(later),
               entry->name, vigil::quoted(pause.error().message));
    }
    entry->trouble = std::move(pause.error().message);
    co_await clock.sleep_for(later);
  }
}

TelegramListener::TelegramListener(asio::any_io_executor executor, Clock& clock, Fetch fetch,
                                   AcceptNoticed accept)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(fetch),
                                     std::move(accept))) {}
TelegramListener::~TelegramListener() = default;

Result<void> TelegramListener::apply(const config::Settings& settings) {
  auto& state = *state_;
  std::map<std::string, EntryPtr> wanted;
  for (const auto& [name, source] : settings.sources) {
    const auto* telegram = std::get_if<config::TelegramSource>(&source.of);
    if (telegram == nullptr) continue;
    auto token = config::read_secret(telegram->token);
    if (!token) {
      return fail(token.error().code,
                  fmt::format("source.{}.token: {}", name, token.error().message));
    }
    const auto taint = source.trusted ? Taint::trusted : Taint::untrusted;
    auto entry = std::make_shared<Entry>(state.executor, name, *telegram, taint);
    entry->token = std::move(*token);
    entry->own_id = std::string(entry->token.reveal().substr(0, entry->token.reveal().find(':')));
    wanted[name] = std::move(entry);
  }
  state.keeper.replace(std::move(wanted));
  return {};
}

void TelegramListener::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

asio::awaitable<void> TelegramListener::stop() { co_await state_->keeper.stop(); }

std::vector<SourceTrouble> TelegramListener::troubles() const {
  std::vector<SourceTrouble> out;
  for (const auto& [name, entry] : state_->keeper.entries()) {
    if (!entry->trouble.empty()) out.push_back({name, entry->trouble});
  }
  return out;
}

}  // namespace vigil::ingress
