#include "daemon/ingress/mail_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <deque>

#include "core/bell.hpp"
#include "core/digest.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration reading_time = 30s;
constexpr Duration grace = 1s;
constexpr std::size_t output_bytes_max = 4 * 1024 * 1024;
constexpr int readings_max = 2;  // at once
constexpr std::size_t subject_bytes_max = 500;

json::array list_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

// IMAP keeps both in one list: what the standard names, and what people call their labels.
bool is_flag(const std::string& text) { return text.starts_with('\\') || text.starts_with('$'); }

void put_flags(json::object& data, const std::vector<std::string>& all) {
  json::array flags;
  json::array labels;
  for (const auto& one : all) (is_flag(one) ? flags : labels).emplace_back(one);
  data["flags"] = std::move(flags);
  data["labels"] = std::move(labels);
}

storage::NewEvent event_at(const MailPlace& place, std::string type, std::string subject,
                           TimePoint now) {
  storage::NewEvent event;
  event.source = place.source;
  event.type = std::move(type);
  event.subject = to_valid_utf8(subject.substr(0, subject_bytes_max));
  event.time = place.received.value_or(now);
  if (event.time > now + 24h) event.time = now;  // of a clock that is wrong
  event.received_at = now;
  event.content_type = "application/json";
  event.taint = place.taint;
  return event;
}

void put_place(json::object& data, const MailPlace& place) {
  data["account"] = place.source;
  if (!place.folder.empty()) data["folder"] = to_valid_utf8(place.folder);
  if (!place.special.empty()) data["special"] = place.special;
  data["raw_ref"] = place.raw_ref;
  if (place.received) data["received"] = to_rfc3339(*place.received);
}

MailEvent finish(storage::NewEvent event, json::object data) {
  MailEvent out;
  out.payload = json::value(std::move(data));
  out.event = std::move(event);
  out.event.data = to_text(out.payload);
  return out;
}

// Something is missing or busy here; any other end is the message's: a child that it kills or keeps
// busy without end must not keep those behind it waiting.
bool is_for_later(int exit_code) {
  constexpr std::array codes{75, 126, 127};  // try again, and what the launcher ends with
  return std::ranges::find(codes, exit_code) != codes.end();
}

std::string_view type_of(MailChange::Kind kind) {
  if (kind == MailChange::Kind::moved) return "mail.moved";
  if (kind == MailChange::Kind::flagged) return "mail.flagged";
  return "mail.gone";
}

}  // namespace

struct MailReader::State {
  State(const asio::any_io_executor& on, Clock& time) : executor(on), clock(time) {}
  void leave() {
    --readings;
    if (!waiting.empty()) waiting.front()->ring();
  }
  asio::awaitable<void> enter();

  asio::any_io_executor executor;
  Clock& clock;
  std::function<std::unique_ptr<swarm::Runner>()> make_runner;
  std::unique_ptr<swarm::Runner> runner;
  int readings = 0;
  std::deque<Bell*> waiting;
};

namespace {

// Leaves on every way out, cancellation included.
template <class State>
struct Seat {
  explicit Seat(State& in) : state(in) { ++state.readings; }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { state.leave(); }
  State& state;
};

struct Waiting {
  Waiting(std::deque<Bell*>& in, Bell* bell) : queue(in), mine(bell) { queue.push_back(mine); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { std::erase(queue, mine); }
  std::deque<Bell*>& queue;
  Bell* mine;
};

}  // namespace

asio::awaitable<void> MailReader::State::enter() {
  if (readings < readings_max && waiting.empty()) co_return;
  Bell bell(executor);
  const Waiting place(waiting, &bell);
  while (readings >= readings_max || waiting.front() != &bell) co_await bell.wait();
}

MailReader::MailReader(asio::any_io_executor executor, Clock& clock,
                       std::function<std::unique_ptr<swarm::Runner>()> make_runner)
    : state_(std::make_unique<State>(executor, clock)) {
  state_->make_runner = std::move(make_runner);
}
MailReader::~MailReader() = default;

asio::awaitable<Result<json::object>> MailReader::read(std::string raw) {
  auto& state = *state_;
  co_await state.enter();
  const Seat<State> seat(state);
  if (!state.runner) state.runner = state.make_runner();
  swarm::Attempt attempt;
  attempt.task.name = "mail";
  attempt.task.builtin = "comms.mail";
  attempt.task.containment = swarm::Containment::strict;
  attempt.task.output_bytes_max = output_bytes_max;
  attempt.task.timeout = reading_time;
  json::object input{{"message", to_base64(raw)}};
  raw = std::string();
  attempt.task.input = std::move(input);
  attempt.deadline = state.clock.now() + reading_time;
  attempt.grace = grace;
  auto running = state.runner->run(std::move(attempt));
  swarm::AttemptOutcome outcome = co_await std::move(running);
  if (outcome.ok && outcome.result.is_object()) co_return outcome.result.get_object();
  const bool again = !outcome.ok && is_for_later(outcome.exit_code);
  co_return fail(again ? ErrorCode::unavailable : ErrorCode::invalid_input,
                 outcome.ok ? "vigil-task gave no object: is it of this version?" : outcome.error);
}

json::object unreadable_mail(const Identity& identity, std::size_t bytes, const std::string& why) {
  json::object out;
  out["message_id"] = identity.message_id.empty() ? identity.key + "@no-id" : identity.message_id;
  out["size"] = bytes;
  out["defects"] = json::array{json::value("it could not be read: " + to_valid_utf8(why))};
  return out;
}

MailEvent message_event(const MailPlace& place, const std::string& uid, json::object mail,
                        const std::vector<std::string>& flags, TimePoint now) {
  const auto id = mail.if_contains("message_id");
  auto event = event_at(place, "mail.message",
                        id != nullptr && id->is_string() ? std::string(id->get_string()) : "", now);
  event.uid = uid;
  put_place(mail, place);
  put_flags(mail, flags);
  return finish(std::move(event), std::move(mail));
}

MailEvent change_event(const MailPlace& place, const MailChange& change, const json::object& mail,
                       TimePoint now) {
  const auto id =
      change.held.message_id.empty() ? change.held.key + "@no-id" : change.held.message_id;
  auto event = event_at(place, std::string(type_of(change.kind)), id, now);
  event.time = now;
  event.uid = fmt::format("{} {} {}", event.type, change.held.key, to_unix_us(now));
  json::object data;
  put_place(data, place);
  data.erase("received");
  data["message_id"] = id;
  put_flags(data, change.held.flags);
  if (!change.held.thread.empty()) data["thread"] = change.held.thread;
  if (change.kind == MailChange::Kind::moved) {
    data["from_folder"] = to_valid_utf8(change.from_folder);
    for (const std::string_view name : {"from", "to", "cc", "subject", "features"}) {
      if (const auto* value = mail.if_contains(name)) data[name] = *value;
    }
  }
  if (change.kind == MailChange::Kind::flagged) {
    data["added"] = list_of(change.added);
    data["removed"] = list_of(change.removed);
  }
  return finish(std::move(event), std::move(data));
}

}  // namespace vigil::ingress
