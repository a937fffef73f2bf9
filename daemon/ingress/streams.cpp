#include "daemon/ingress/streams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <random>
#include <utility>

#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "core/timeout.hpp"
#include "daemon/ingress/stream_board.hpp"
#include "daemon/ingress/stream_outbox.hpp"
#include "daemon/ingress/stream_refetch.hpp"
#include "daemon/ingress/stream_settings.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 1s;
constexpr Duration retry_most = 1min;
constexpr Duration steady_after = 1min;  // a connection that held so long was a good one
constexpr Duration connect_timeout = 15s;
constexpr Duration refetch_timeout = 10s;
constexpr Duration advance_every = 1s;
constexpr Duration summary_every = 1h;
constexpr Duration gaps_quiet = 1min;  // between two words of the log about gaps
constexpr std::size_t holes_waiting_max = 100;
constexpr std::size_t answer_bytes_max = 8 * 1024 * 1024;

Duration shortest_of(const config::Stream& settings) {
  const auto window = window_of(settings);
  return window.intervals.empty() ? Duration{0} : window.intervals.front();
}

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::Stream with, Taint from)
      : name(std::move(called)),
        settings(std::move(with)),
        taint(from),
        window(window_of(settings)),
        board(shortest_of(settings), settings.quote_every),
        outbox(name, shortest_of(settings)),
        work_to_do(executor),
        things_to_tell(executor),
        holes_to_fill(executor),
        work(executor) {}

  bool has_open() const { return window.has_open() || board.has_open(); }

  std::string name;
  config::Stream settings;
  Taint taint;
  StreamWindow window;
  StreamBoard board;
  StreamOutbox outbox;
  std::deque<StreamWindow::Hole> holes;
  std::shared_ptr<Socket> socket;
  bool resumed = false;
  bool said_first = false;  // the form is stored
  bool dismissed = false;
  int failures = 0;
  TimePoint gaps_said{};
  TimePoint next_summary{};
  Streams::View view;
  Bell work_to_do;  // bars or holes that time will end
  Bell things_to_tell;
  Bell holes_to_fill;
  TaskGroup work;
};
using EntryPtr = std::shared_ptr<Entry>;

Duration with_jitter(Duration pause) {
  static std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> spread(0, pause.count() / 2);
  return pause / 2 + Duration{spread(random)};
}

}  // namespace

struct Streams::State {
  State(asio::any_io_executor on, Clock& time, OpenSocket opens, Fetch fetches,
        AcceptNoticed accepts)
      : executor(on),
        clock(time),
        open(std::move(opens)),
        fetch(std::move(fetches)),
        accept(std::move(accepts)),
        leaving(on) {}

  void begin(const EntryPtr& entry);
  void dismiss(const EntryPtr& entry);
  void resume(Entry& entry) const;
  void take(Entry& entry, StreamNews news);
  void sum_up(Entry& entry) const;
  void hear(Entry& entry, std::string_view text);
  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<Result<void>> listen(EntryPtr entry);
  asio::awaitable<void> greet(EntryPtr entry, std::shared_ptr<Socket> socket);
  asio::awaitable<void> advance(EntryPtr entry);
  asio::awaitable<void> tell(EntryPtr entry);
  asio::awaitable<void> refetch(EntryPtr entry);

  asio::any_io_executor executor;
  Clock& clock;
  OpenSocket open;
  Fetch fetch;
  AcceptNoticed accept;
  std::map<std::string, EntryPtr> entries;
  storage::Stores* reader = nullptr;
  TaskGroup leaving;
};

void Streams::State::resume(Entry& entry) const {
  entry.resumed = true;
  const auto rows = reader->seen.all(entry.name);
  const auto is_form = [](const auto& row) { return row.item == stream_form_key; };
  const auto form = std::ranges::find_if(rows, is_form);
  if (form == rows.end() || form->value != stream_form(entry.settings)) return;
  entry.said_first = true;
  for (const auto& row : rows) {
    if (!row.item.starts_with(stream_mark_start)) continue;
    const auto mark = parse_stream_mark(row.value);
    if (!mark) continue;
    entry.window.resume(row.item.substr(stream_mark_start.size()), *mark);
    entry.board.resume(row.item.substr(stream_mark_start.size()), *mark);
  }
}

void Streams::State::take(Entry& entry, StreamNews news) {
  const auto now = clock.now();
  if (!news.gaps.empty() && now - entry.gaps_said >= gaps_quiet) {
    const auto& gap = news.gaps.front();
    entry.gaps_said = now;
    log_warn("trades were missed: source={} symbol={} count={} from={} to={} symbols={}",
             entry.name, vigil::quoted(gap.symbol), gap.missed, to_rfc3339(gap.from),
             to_rfc3339(gap.to), news.gaps.size());
  }
  entry.outbox.push(std::move(news));
  auto& view = entry.view;
  view.counts = entry.window.counts();
  view.merged = entry.outbox.merged();
  view.waiting = entry.outbox.waiting();
  if (view.waiting > 0) entry.things_to_tell.ring();
}

// What was out of the ordinary, where it was.
void Streams::State::sum_up(Entry& entry) const {
  const auto now = clock.now();
  if (now < entry.next_summary) return;
  const bool first = entry.next_summary == TimePoint{};
  entry.next_summary = now + summary_every;
  const auto& counts = entry.view.counts;
  if (first || counts.duplicates + counts.late + counts.missed + entry.view.unread == 0) return;
  log_info("a stream so far: source={} trades={} missed={} late={} twice={} unread={} merged={}",
           entry.name, counts.trades, counts.missed, counts.late, counts.duplicates,
           entry.view.unread, entry.view.merged);
}

void Streams::State::hear(Entry& entry, std::string_view text) {
  const auto now = clock.now();
  ++entry.view.messages;
  auto message = read_stream_message(entry.settings, text, now);
  if (!message) {
    if (entry.view.unread++ == 0) {
      log_warn("a message is not understood: source={} error={}", entry.name,
               vigil::quoted(message.error().message));
    }
    return;
  }
  if (!message->refused.empty() && entry.view.trouble != message->refused) {
    entry.view.trouble = message->refused;
    log_warn("the server refuses: source={} error={}", entry.name, vigil::quoted(message->refused));
  }
  if (message->wants_reconnection) entry.socket->drop();
  StreamNews news;
  entry.board.take(*message, now, news);
  for (const auto& trade : message->trades) entry.window.add(trade, now, news);
  if (!entry.settings.refetch.empty()) {
    for (auto& hole : entry.window.take_holes()) {
      if (entry.holes.size() < holes_waiting_max) entry.holes.push_back(std::move(hole));
    }
    if (!entry.holes.empty()) entry.holes_to_fill.ring();
  } else {
    (void)entry.window.take_holes();  // they are given up when they are due
  }
  if (!news.empty()) take(entry, std::move(news));
  if (entry.has_open()) entry.work_to_do.ring();
}

// Subscribes, no faster than the server bears it.
asio::awaitable<void> Streams::State::greet(EntryPtr entry, std::shared_ptr<Socket> socket) {
  const auto pause = Duration{1s} / entry->settings.sends_per_second;
  for (auto& greeting : stream_greetings(entry->settings)) {
    if (entry->socket != socket) co_return;  // another connection is greeted anew
    auto sending = socket->send(std::move(greeting));
    Result<void> sent = co_await std::move(sending);
    if (!sent) co_return;  // who listens hears why
    co_await clock.sleep_for(pause);
  }
}

// One connection, until it ends. The error says why.
asio::awaitable<Result<void>> Streams::State::listen(EntryPtr entry) {
  const auto& settings = entry->settings;
  SocketSettings wanted{.url = stream_address(settings),
                        .ca = settings.ca,
                        .message_bytes_max = settings.message_bytes_max,
                        .idle = settings.idle};
  auto opening = open(std::move(wanted));
  auto timed = with_timeout(clock, connect_timeout, std::move(opening));
  Result<Result<std::unique_ptr<Socket>>> opened = co_await std::move(timed);
  if (!opened) co_return fail(ErrorCode::timed_out, "no answer while connecting");
  if (!*opened) co_return std::unexpected(std::move(opened->error()));
  entry->socket = std::move(**opened);
  entry->view.connected = true;
  ++entry->view.connections;
  entry->work.spawn("greetings of " + entry->name,
                    [this, entry, socket = entry->socket] { return greet(entry, socket); });
  while (!entry->dismissed) {
    auto receiving = entry->socket->receive();
    Result<std::string_view> text = co_await std::move(receiving);
    if (!text) co_return std::unexpected(std::move(text.error()));
    hear(*entry, *text);
  }
  co_return Result<void>{};
}

asio::awaitable<void> Streams::State::run(EntryPtr entry) {
  auto& view = entry->view;
  while (!entry->dismissed) {
    const auto begun = clock.now();
    auto listening = listen(entry);
    Result<void> ended = co_await std::move(listening);
    entry->socket.reset();
    view.connected = false;
    entry->window.disconnected(clock.now());
    entry->board.disconnected();
    if (ended) co_return;
    if (clock.now() - begun >= steady_after) entry->failures = 0;
    const auto usual = retry_least * (1 << std::min(entry->failures++, 6));
    const auto pause = with_jitter(std::min<Duration>(retry_most, usual));
    if (view.trouble != ended.error().message) {
      view.trouble = ended.error().message;
      log_warn("a stream ended, connecting again in {}: source={} error={}", to_text(pause),
               entry->name, vigil::quoted(view.trouble));
    }
    co_await clock.sleep_for(pause);
  }
}

// Runs while something is open, and sleeps otherwise.
asio::awaitable<void> Streams::State::advance(EntryPtr entry) {
  while (!entry->dismissed) {
    if (!entry->has_open()) co_await entry->work_to_do.wait();
    co_await clock.sleep_for(advance_every);
    StreamNews news;
    entry->window.advance(clock.now(), news);
    entry->board.advance(clock.now(), news);
    take(*entry, std::move(news));
    sum_up(*entry);
  }
}

// Stores what waits, with the marks of the bars; again and again until it is stored.
asio::awaitable<void> Streams::State::tell(EntryPtr entry) {
  while (!entry->dismissed) {
    if (entry->outbox.waiting() == 0) {
      co_await entry->things_to_tell.wait();
      continue;
    }
    auto noticed = entry->outbox.next(entry->taint, stream_form(entry->settings),
                                      !entry->said_first, clock.now());
    // What is stored must be known to be stored: no cancellation in between.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto accepting = accept(std::move(noticed));
    Result<int> accepted = co_await std::move(accepting);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (!accepted) {
      entry->outbox.failed();
      log_warn("bars cannot be stored, trying again in 1s: source={} waiting={} error={}",
               entry->name, entry->outbox.waiting(), vigil::quoted(accepted.error().message));
      co_await clock.sleep_for(retry_least);
      continue;
    }
    entry->said_first = true;
    entry->view.events += static_cast<std::uint64_t>(*accepted);
    entry->outbox.stored();
    entry->view.waiting = entry->outbox.waiting();
  }
}

// Asks for missed trades; what does not come in time is told as a gap.
asio::awaitable<void> Streams::State::refetch(EntryPtr entry) {
  while (!entry->dismissed) {
    if (entry->holes.empty()) co_await entry->holes_to_fill.wait();
    if (entry->holes.empty()) continue;
    const auto hole = entry->holes.front();
    entry->holes.pop_front();
    http::Request request;
    request.method = "GET";
    request.url = refetch_address(entry->settings, hole);
    request.configured = entry->settings.refetch;
    request.headers = {{"User-Agent", "vigild"}, {"Accept", "application/json"}};
    request.deadline = clock.now() + refetch_timeout;
    request.answer_bytes_max = answer_bytes_max;
    auto fetching = fetch(std::move(request));
    http::Received answer = co_await std::move(fetching);
    if (!answer || !answer->ok()) {
      log_warn("missed trades cannot be had: source={} symbol={}", entry->name,
               vigil::quoted(hole.symbol));
      co_await clock.sleep_for(retry_least);
      continue;
    }
    const auto trades = read_missed_trades(entry->settings, hole.symbol, answer->body, clock.now());
    if (!trades) {
      log_warn("missed trades are not understood: source={} error={}", entry->name,
               vigil::quoted(trades.error().message));
      continue;
    }
    auto left = entry->window.fill(hole, *trades, clock.now());
    if (left) entry->holes.push_front(std::move(*left));  // an answer has its bounds
    entry->view.refetched += trades->size();
  }
}

void Streams::State::begin(const EntryPtr& entry) {
  if (reader == nullptr) return;
  if (!entry->resumed) resume(*entry);
  entry->work.spawn("stream " + entry->name, [this, entry] { return run(entry); });
  entry->work.spawn("bars of " + entry->name, [this, entry] { return advance(entry); });
  entry->work.spawn("news of " + entry->name, [this, entry] { return tell(entry); });
  entry->work.spawn("holes of " + entry->name, [this, entry] { return refetch(entry); });
}

void Streams::State::dismiss(const EntryPtr& entry) {
  entry->dismissed = true;
  if (entry->socket) entry->socket->drop();
  entry->work.cancel();
  leaving.spawn("end of stream " + entry->name,
                [entry]() -> asio::awaitable<void> { co_await entry->work.join(); });
}

Streams::Streams(asio::any_io_executor executor, Clock& clock, OpenSocket open, Fetch fetch,
                 AcceptNoticed accept)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(open), std::move(fetch),
                                     std::move(accept))) {}
Streams::~Streams() = default;

Result<void> Streams::apply(const config::Settings& settings) {
  auto& state = *state_;
  const auto before = std::exchange(state.entries, {});
  for (const auto& [name, source] : settings.sources) {
    const auto* wanted = std::get_if<config::Stream>(&source.of);
    if (wanted == nullptr) continue;
    const auto taint = source.trusted ? Taint::trusted : Taint::untrusted;
    const auto known = before.find(name);
    if (known != before.end() && known->second->settings == *wanted) {
      known->second->taint = taint;
      state.entries[name] = known->second;  // goes on: its windows are not in the database
      continue;
    }
    auto entry = std::make_shared<Entry>(state.executor, name, *wanted, taint);
    entry->view.source = name;
    entry->view.address = stream_address(*wanted);
    state.entries[name] = entry;
    state.begin(entry);
  }
  for (const auto& [name, entry] : before) {
    const auto still = state.entries.find(name);
    if (still == state.entries.end() || still->second != entry) state.dismiss(entry);
  }
  return {};
}

void Streams::start(storage::Stores& reader) {
  state_->reader = &reader;
  for (const auto& [name, entry] : state_->entries) state_->begin(entry);
}

asio::awaitable<void> Streams::stop() {
  auto& state = *state_;
  for (const auto& [name, entry] : state.entries) state.dismiss(entry);
  state.entries.clear();
  co_await state.leaving.join();
}

std::vector<Streams::View> Streams::views() const {
  std::vector<View> out;
  for (const auto& [name, entry] : state_->entries) out.push_back(entry->view);
  return out;
}

}  // namespace vigil::ingress
