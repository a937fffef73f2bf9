#include "daemon/ingress/redelivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/log.hpp"
#include "daemon/http/refusal.hpp"
#include "daemon/ingress/keeper.hpp"
#include "daemon/ingress/poll_reading.hpp"
#include "daemon/ingress/redelivery_reading.hpp"
#include "storage/known.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 5s;
constexpr Duration retry_most = 10min;
constexpr Duration between_asks = 1s;  // as GitHub wants between requests that change something
constexpr std::size_t answer_bytes_max = 8 * 1024 * 1024;
constexpr int pages_max = 50;  // of 100 deliveries

// Why a look ended early.
struct Trouble {
  std::string text;
  Duration not_for{0};  // the server wants to be left alone so long
};

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::Redelivery with, Duration keep)
      : name(std::move(called)), settings(std::move(with)), within(keep), work(executor) {
    while (settings.base_url.ends_with('/')) settings.base_url.pop_back();
  }

  std::string name;
  config::Redelivery settings;
  Duration within;
  // Of the newest page of each hook; kept once nothing is left to ask for.
  std::map<std::string, std::string> etags;
  Redeliveries::View view;
  std::string trouble;
  int failures = 0;
  bool dismissed = false;
  TaskGroup work;
};
using EntryPtr = std::shared_ptr<Entry>;

Trouble trouble_of(const http::Received& answer, TimePoint now) {
  if (!answer) return {answer.error().error.message, Duration{0}};
  const auto refusal = http::refusal_of(*answer, now);
  return {refusal.text, refusal.not_for.value_or(Duration{0})};
}

// No requests left, though this one was still answered.
Duration rest_after(const http::Answer& answer, TimePoint now) {
  if (answer.header("x-ratelimit-remaining") != "0") return Duration{0};
  return http::refusal_of(answer, now).not_for.value_or(Duration{0});
}

}  // namespace

struct Redeliveries::State {
  State(asio::any_io_executor on, Clock& time, Fetch fetches)
      : executor(on),
        clock(time),
        fetch(std::move(fetches)),
        keeper(on, "redelivery to", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  Result<http::Request> request_of(const Entry& entry, std::string method, std::string url) const;
  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<std::optional<Trouble>> look(EntryPtr entry);
  asio::awaitable<std::optional<Trouble>> look_at(EntryPtr entry, std::string hook);
  asio::awaitable<std::optional<Trouble>> ask(EntryPtr entry, std::string hook,
                                              std::vector<DeliveryAttempt> missed);

  asio::any_io_executor executor;
  Clock& clock;
  Fetch fetch;
  storage::Stores* reader = nullptr;  // once started
  Keeper<Entry> keeper;
};

Result<http::Request> Redeliveries::State::request_of(const Entry& entry, std::string method,
                                                      std::string url) const {
  const auto& settings = entry.settings;
  http::Request out;
  out.method = std::move(method);
  out.url = std::move(url);
  out.configured = settings.base_url;
  out.deadline = clock.now() + settings.timeout;
  out.answer_bytes_max = answer_bytes_max;
  out.headers = {{"Accept", "application/vnd.github+json"},
                 {"X-GitHub-Api-Version", "2022-11-28"},
                 {"User-Agent", "vigild/" VIGIL_VERSION}};
  const auto& ref = settings.private_key ? settings.private_key : settings.token;
  auto secret = config::read_secret(*ref);
  if (!secret) return std::unexpected(std::move(secret.error()));
  if (!settings.private_key) {
    out.headers.push_back(http::bearer(secret->reveal()));
    return out;
  }
  const auto token = app_token(settings.app_id, secret->reveal(), clock.now());
  if (!token) return std::unexpected(token.error());
  out.headers.push_back(http::bearer(*token));
  return out;
}

asio::awaitable<std::optional<Trouble>> Redeliveries::State::ask(
    EntryPtr entry, std::string hook, std::vector<DeliveryAttempt> missed) {
  for (const auto& one : missed) {
    // It may have come while the others were asked for.
    if (storage::has_event(*reader, entry->name, one.guid)) continue;
    auto request = request_of(
        *entry, "POST",
        fmt::format("{}/{}/deliveries/{}/attempts", entry->settings.base_url, hook, one.id));
    if (!request) co_return Trouble{request.error().message};
    auto asking = fetch(std::move(*request));
    http::Received answer = co_await std::move(asking);
    if (!answer || !answer->ok()) co_return trouble_of(answer, clock.now());
    ++entry->view.asked;
    log_info("a missed delivery is asked for again: source={} delivery={} of={}", entry->name,
             vigil::quoted(one.guid), to_rfc3339(one.at));
    const auto rest = std::max(between_asks, rest_after(*answer, clock.now()));
    co_await clock.sleep_for(rest);
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<Trouble>> Redeliveries::State::look_at(EntryPtr entry,
                                                                     std::string hook) {
  const auto since = clock.now() - entry->within;
  auto url = fmt::format("{}/{}/deliveries?per_page=100", entry->settings.base_url, hook);
  std::vector<DeliveryAttempt> attempts;
  std::string etag;
  for (int page = 0; page < pages_max && !url.empty(); ++page) {
    auto request = request_of(*entry, "GET", url);
    if (!request) co_return Trouble{request.error().message};
    const auto known = entry->etags.find(hook);
    if (page == 0 && known != entry->etags.end()) {
      request->headers.emplace_back("If-None-Match", known->second);
    }
    auto asking = fetch(std::move(*request));
    http::Received answer = co_await std::move(asking);
    if (answer && answer->status == 304) co_return std::nullopt;
    if (!answer || !answer->ok()) co_return trouble_of(answer, clock.now());
    auto read = read_deliveries(answer->body);
    if (!read) co_return Trouble{read.error().message};
    if (page == 0) etag = answer->header("etag");
    const bool is_old = !read->empty() && read->back().at < since;
    attempts.insert(attempts.end(), read->begin(), read->end());
    url = is_old ? "" : next_page(answer->header("link"), entry->settings.base_url + "/");
    if (const auto rest = rest_after(*answer, clock.now()); rest > Duration{0}) {
      co_await clock.sleep_for(rest);
    }
  }
  auto missed = missed_of(
      attempts, {since, entry->settings.attempts_max, [this, &entry](const std::string& guid) {
                   return storage::has_event(*reader, entry->name, guid);
                 }});
  entry->etags.erase(hook);
  const bool complete = missed.empty();
  auto asking = ask(entry, hook, std::move(missed));
  std::optional<Trouble> trouble = co_await std::move(asking);
  // With something asked for the list changes, and whether it came is seen at the next look.
  if (!trouble && complete && !etag.empty()) entry->etags[hook] = etag;
  co_return trouble;
}

asio::awaitable<std::optional<Trouble>> Redeliveries::State::look(EntryPtr entry) {
  ++entry->view.looks;
  std::optional<Trouble> first;
  for (const auto& hook : entry->settings.hooks) {
    auto looking = look_at(entry, hook);
    std::optional<Trouble> trouble = co_await std::move(looking);
    if (trouble && !first) first = Trouble{hook + ": " + trouble->text, trouble->not_for};
    if (trouble && trouble->not_for > Duration{0}) break;  // meant for all of us
  }
  co_return first;
}

asio::awaitable<void> Redeliveries::State::run(EntryPtr entry) {
  while (!entry->dismissed) {
    auto looking = look(entry);
    std::optional<Trouble> trouble = co_await std::move(looking);
    auto pause = entry->settings.every;
    if (!trouble) {
      entry->failures = 0;
      entry->trouble.clear();
    } else {
      const Duration backoff = retry_least * (1 << std::min(entry->failures++, 7));
      pause = std::max(trouble->not_for, std::min({backoff, retry_most, pause}));
      if (entry->trouble != trouble->text) {
        log_warn("missed deliveries cannot be asked for, trying again in {}: source={} error={}",
                 to_text(pause), entry->name, vigil::quoted(trouble->text));
      }
      entry->trouble = std::move(trouble->text);
    }
    co_await clock.sleep_for(pause);
  }
}

Redeliveries::Redeliveries(asio::any_io_executor executor, Clock& clock, Fetch fetch)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(fetch))) {}
Redeliveries::~Redeliveries() = default;

Result<void> Redeliveries::apply(const config::Settings& settings) {
  auto& state = *state_;
  Keeper<Entry>::Entries wanted;
  for (const auto& [name, source] : settings.sources) {
    const auto* hook = std::get_if<config::Webhook>(&source.of);
    if (hook == nullptr || !hook->redelivery) continue;
    const auto& redelivery = *hook->redelivery;
    // A mistake is told now, not at night.
    const auto& ref = redelivery.private_key ? redelivery.private_key : redelivery.token;
    auto secret = config::read_secret(*ref);
    auto tried = secret && redelivery.private_key
                     ? app_token(redelivery.app_id, secret->reveal(), state.clock.now())
                     : Result<std::string>("");
    if (!secret || !tried) {
      const auto& error = secret ? tried.error() : secret.error();
      return fail(error.code, fmt::format("source.{}.redelivery: {}", name, error.message));
    }
    // What was erased already would seem to be missing.
    const auto keep = settings.storage.events_keep;
    const auto within = keep > Duration{0} ? std::min(keep, redelivery.within) : redelivery.within;
    wanted[name] = std::make_shared<Entry>(state.executor, name, redelivery, within);
    wanted[name]->view.source = name;
  }
  state.keeper.replace(std::move(wanted));
  return {};
}

void Redeliveries::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

asio::awaitable<void> Redeliveries::stop() { return state_->keeper.stop(); }

std::vector<SourceTrouble> Redeliveries::troubles() const {
  std::vector<SourceTrouble> out;
  for (const auto& [name, entry] : state_->keeper.entries()) {
    if (!entry->trouble.empty()) out.push_back({name, entry->trouble});
  }
  return out;
}

std::vector<Redeliveries::View> Redeliveries::views() const {
  std::vector<View> out;
  for (const auto& [name, entry] : state_->keeper.entries()) out.push_back(entry->view);
  return out;
}

}  // namespace vigil::ingress
