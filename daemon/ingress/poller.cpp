#include "daemon/ingress/poller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <map>
#include <utility>

#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/http/refusal.hpp"
#include "daemon/ingress/keeper.hpp"
#include "daemon/ingress/poll_reading.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration pause_most = 1h;  // between looks that fail, unless the server asks for more
constexpr Duration asked_most = 24h;
constexpr int pages_max = 10;  // of one look
constexpr std::string_view user_agent = "vigild";
constexpr std::string_view accepts_json = "application/json, */*;q=0.5";
constexpr std::string_view accepts_any =
    "application/atom+xml, application/rss+xml, application/feed+json, */*;q=0.5";

// What is kept of a source beside the ids of its items, which begin with "i:".
constexpr std::string_view form_key = "form";
constexpr std::string_view etag_key = "etag";
constexpr std::string_view modified_key = "modified";
constexpr std::int64_t keys = 3;

std::string item_key(const std::string& id) { return "i:" + id; }

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::Poll with, Taint from)
      : name(std::move(called)),
        settings(std::move(with)),
        taint(from),
        bell(executor),
        work(executor) {}

  std::string name;
  config::Poll settings;
  Taint taint;
  std::optional<config::Secret> token;
  bool dismissed = false;
  int failures = 0;
  Poller::View view;
  Bell bell;
  TaskGroup work;  // the one that looks
};
using EntryPtr = std::shared_ptr<Entry>;

// What one look found.
struct Found {
  std::vector<std::string> ids;
  std::vector<std::string> digests;
  std::vector<PolledItem> fresh;
  std::string left_out;
  std::string etag;
  std::string modified;
  bool unchanged = false;
  Duration asked{0};  // by the server, until the next look
};

// A look that failed, and how long the server wants to be left alone.
struct Trouble {
  std::string text;
  std::optional<Duration> not_for;
};

Duration seconds_in(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && value > 0 ? std::chrono::seconds{value} : Duration{0};
}

}  // namespace

struct Poller::State {
  State(asio::any_io_executor on, Clock& time, Fetch fetches, AcceptNoticed accepts,
        MakeRunner makes)
      : executor(on),
        clock(time),
        fetch(std::move(fetches)),
        accept(std::move(accepts)),
        reading(time, std::move(makes)),
        keeper(on, "poll", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  bool is_first(const Entry& entry) const;
  http::Request request_of(const Entry& entry, const std::string& url, int page) const;
  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<std::optional<Trouble>> look(EntryPtr entry);
  asio::awaitable<std::expected<Found, Trouble>> find(EntryPtr entry);
  asio::awaitable<Result<PolledPage>> read(EntryPtr entry, http::Received answer);
  asio::awaitable<Result<void>> store(EntryPtr entry, Found found);

  asio::any_io_executor executor;
  Clock& clock;
  Fetch fetch;
  AcceptNoticed accept;
  Reading reading;
  storage::Stores* reader = nullptr;  // once started
  Keeper<Entry> keeper;
};

bool Poller::State::is_first(const Entry& entry) const {
  return reader->seen.get(entry.name, std::string(form_key)) != poll_form(entry.settings);
}

http::Request Poller::State::request_of(const Entry& entry, const std::string& url,
                                        int page) const {
  http::Request out;
  out.method = "GET";
  out.url = url;
  out.configured = entry.settings.url;
  out.deadline = clock.now() + entry.settings.timeout;
  out.answer_bytes_max = entry.settings.body_bytes_max;
  out.headers = {
      {"User-Agent", std::string(user_agent)},
      {"Accept", std::string(is_read_outside(entry.settings) ? accepts_any : accepts_json)}};
  for (const auto& [name, value] : entry.settings.headers) out.headers.emplace_back(name, value);
  if (entry.token) {
    out.headers.push_back(http::bearer(entry.token->reveal()));
  }
  if (page > 0 || is_first(entry)) return out;
  if (const auto etag = reader->seen.get(entry.name, std::string(etag_key))) {
    out.headers.emplace_back("If-None-Match", *etag);
  }
  if (const auto modified = reader->seen.get(entry.name, std::string(modified_key))) {
    out.headers.emplace_back("If-Modified-Since", *modified);
  }
  return out;
}

asio::awaitable<Result<PolledPage>> Poller::State::read(EntryPtr entry, http::Received answer) {
  const bool first = is_first(*entry);
  const auto digest_of = [this, entry, first](const std::string& id) {
    return first ? std::nullopt : reader->seen.get(entry->name, item_key(id));
  };
  if (!is_read_outside(entry->settings)) {
    const auto known = [&](const std::string& id) { return digest_of(id).has_value(); };
    co_return read_page(entry->name, entry->settings, entry->taint, answer->body, known,
                        clock.now());
  }
  auto asking =
      reading.read(reading_task(entry->settings, answer->body, answer->header("content-type")));
  Result<json::value> items = co_await std::move(asking);
  if (!items) co_return std::unexpected(std::move(items.error()));
  co_return page_of(entry->name, entry->settings, entry->taint, *items, digest_of, clock.now());
}

// Page after page, as long as all on them is new.
asio::awaitable<std::expected<Found, Trouble>> Poller::State::find(EntryPtr entry) {
  Found found;
  const bool first = is_first(*entry);
  std::string url = entry->settings.url;
  for (int page = 0; page < pages_max && !url.empty(); ++page) {
    auto fetching = fetch(request_of(*entry, url, page));
    http::Received answer = co_await std::move(fetching);
    if (!answer) co_return std::unexpected(Trouble{answer.error().error.message, {}});
    const auto asked = seconds_in(answer->header("x-poll-interval"));
    if (page == 0) found.asked = asked;
    if (page == 0 && answer->status == 304) {
      found.unchanged = true;
      break;
    }
    if (!answer->ok()) {
      auto refusal = http::refusal_of(*answer, clock.now());
      co_return std::unexpected(Trouble{std::move(refusal.text), refusal.not_for});
    }
    if (answer->body_cut) {
      co_return std::unexpected(
          Trouble{"the document is larger than body_bytes_max: raise it, or ask for fewer", {}});
    }
    auto pages = this->read(entry, answer);
    Result<PolledPage> read = co_await std::move(pages);
    if (!read) co_return std::unexpected(Trouble{std::move(read.error().message), {}});
    if (page == 0) {
      found.etag = answer->header("etag");
      found.modified = answer->header("last-modified");
    }
    const bool all_new = !read->ids.empty() && read->fresh.size() == read->ids.size();
    std::ranges::move(read->ids, std::back_inserter(found.ids));
    std::ranges::move(read->digests, std::back_inserter(found.digests));
    found.left_out = std::move(read->trouble);
    std::ranges::move(read->fresh, std::back_inserter(found.fresh));
    const bool wanted =
        all_new && !is_read_outside(entry->settings) && (!first || entry->settings.backfill);
    url = wanted ? next_page(answer->header("link"), url) : std::string();
  }
  co_return found;
}

asio::awaitable<Result<void>> Poller::State::store(EntryPtr entry, Found found) {
  const bool first = is_first(*entry);
  Noticed noticed;
  if (entry->settings.newest_first) std::ranges::reverse(found.fresh);
  if (!first || entry->settings.backfill) {
    for (auto& item : found.fresh) {
      noticed.events.push_back(std::move(item.event));
      noticed.payloads.push_back(std::move(item.payload));
    }
  }
  const bool whole = entry->settings.form == config::PollForm::document;
  noticed.along = [name = entry->name, form = poll_form(entry->settings), first, whole,
                   etag = found.etag, modified = found.modified, ids = std::move(found.ids),
                   digests = std::move(found.digests), remember = entry->settings.remember,
                   now = clock.now()](storage::Stores& stores) {
    auto& seen = stores.seen;
    // A document that is as it was before is another one than the last.
    if (first || whole) seen.forget(name);
    seen.put(name, std::string(form_key), form, now);
    const auto keep = [&](std::string_view key, const std::string& value) {
      if (value.empty()) seen.erase(name, std::string(key));
      if (!value.empty()) seen.put(name, std::string(key), value, now);
    };
    keep(etag_key, etag);
    keep(modified_key, modified);
    for (std::size_t at = 0; at < ids.size(); ++at) {
      seen.put(name, item_key(ids[at]), at < digests.size() ? digests[at] : "", now);
    }
    const auto least = static_cast<std::int64_t>(ids.size());
    seen.keep_newest(name, std::max<std::int64_t>(remember, least) + keys);
  };
  auto accepting = accept(std::move(noticed));
  Result<int> accepted = co_await std::move(accepting);
  if (!accepted) co_return std::unexpected(std::move(accepted.error()));
  entry->view.events += static_cast<std::uint64_t>(*accepted);
  co_return Result<void>{};
}

asio::awaitable<std::optional<Trouble>> Poller::State::look(EntryPtr entry) {
  auto finding = find(entry);
  std::expected<Found, Trouble> found = co_await std::move(finding);
  if (!found) co_return std::move(found.error());
  entry->view.next_look =
      clock.now() + std::max(entry->settings.every, std::min(found->asked, asked_most));
  if (found->unchanged) {
    ++entry->view.unchanged;
    co_return std::nullopt;
  }
  if (found->left_out != entry->view.left_out && !found->left_out.empty()) {
    log_warn("a part of a document was left out: source={} error={}", entry->name,
             vigil::quoted(found->left_out));
  }
  entry->view.left_out = found->left_out;
  // What is stored must be known to be stored: no cancellation in between.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto storing = store(entry, std::move(*found));
  Result<void> stored = co_await std::move(storing);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (!stored) co_return Trouble{std::move(stored.error().message), {}};
  co_return std::nullopt;
}

asio::awaitable<void> Poller::State::run(EntryPtr entry) {
  auto& view = entry->view;
  while (!entry->dismissed) {
    auto looking = look(entry);
    std::optional<Trouble> trouble = co_await std::move(looking);
    view.last_look = clock.now();
    ++view.looks;
    if (!trouble) {
      if (entry->failures > 0) log_info("a document can be read again: source={}", entry->name);
      entry->failures = 0;
      view.trouble.clear();
    } else {
      const auto usual = entry->settings.every * (1 << std::min(entry->failures++, 12));
      const auto pause = std::max(std::min<Duration>(pause_most, usual),
                                  std::min(trouble->not_for.value_or(Duration{0}), asked_most));
      view.next_look = clock.now() + pause;
      if (view.trouble != trouble->text) {
        log_warn("a document cannot be read, trying again in {}: source={} error={}",
                 to_text(pause), entry->name, vigil::quoted(trouble->text));
      }
      view.trouble = std::move(trouble->text);
    }
    if (entry->dismissed) co_return;
    // How long it is to be left alone is steady time: a wall clock that was set changes nothing.
    auto waiting = with_timeout(clock, view.next_look - clock.now(), rung(entry->bell));
    Result<bool> rang = co_await std::move(waiting);
    (void)rang;  // it is time, or somebody poked
  }
}

Poller::Poller(asio::any_io_executor executor, Clock& clock, Fetch fetch, AcceptNoticed accept,
               MakeRunner make_runner)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(fetch),
                                     std::move(accept), std::move(make_runner))) {}
Poller::~Poller() = default;

Result<void> Poller::apply(const config::Settings& settings) {
  auto& state = *state_;
  Keeper<Entry>::Entries wanted;
  for (const auto& [name, source] : settings.sources) {
    const auto* poll = std::get_if<config::Poll>(&source.of);
    if (poll == nullptr) continue;
    const auto taint = source.trusted ? Taint::trusted : Taint::untrusted;
    auto entry = std::make_shared<Entry>(state.executor, name, *poll, taint);
    entry->view.source = name;
    entry->view.url = poll->url;
    if (poll->token) {
      auto token = config::read_secret(*poll->token);
      if (!token) {
        return fail(token.error().code,
                    fmt::format("source.{}.token: {}", name, token.error().message));
      }
      entry->token = std::move(*token);
    }
    if (const auto before = state.keeper.find(name)) {
      entry->view = before->view;  // a reload does not count as a beginning
      entry->view.url = poll->url;
    }
    wanted[name] = std::move(entry);
  }
  state.keeper.replace(std::move(wanted));
  return {};
}

void Poller::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

bool Poller::poke(const std::string& source) {
  const auto found = state_->keeper.find(source);
  if (!found) return false;
  found->bell.ring();
  return true;
}

asio::awaitable<void> Poller::stop() { return state_->keeper.stop(); }

std::vector<Poller::View> Poller::views() const {
  std::vector<View> out;
  for (const auto& [name, entry] : state_->keeper.entries()) out.push_back(entry->view);
  return out;
}

}  // namespace vigil::ingress
