#include "daemon/ingress/mail_telling.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "core/log.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

constexpr std::size_t changes_at_once = 20;  // in one commit
constexpr std::size_t bytes_at_once = 8 * 1024 * 1024;

void write_seen(storage::Stores& stores, const std::string& source,
                const std::vector<SeenChange>& changes, TimePoint now) {
  for (const auto& [item, value] : changes) {
    if (value.empty()) stores.seen.erase(source, item);
    if (!value.empty()) stores.seen.put(source, item, value, now);
  }
}

}  // namespace

asio::awaitable<Result<void>> MailTelling::store(Step step, Memory memory) {
  if (step.seen.empty() && step.noticed.events.empty()) co_return Result<void>{};
  // What is stored must be known to be stored: no cancellation in between.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  step.noticed.along = [name = ground_.source, seen = std::move(step.seen), memory,
                        now = ground_.clock.now()](storage::Stores& stores) {
    if (memory == Memory::anew) stores.seen.forget(name);
    write_seen(stores, name, seen, now);
  };
  auto accepting = ground_.accept(std::move(step.noticed));
  Result<int> accepted = co_await std::move(accepting);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (!accepted) co_return std::unexpected(std::move(accepted.error()));
  told_ += static_cast<std::uint64_t>(*accepted);
  co_return Result<void>{};
}

asio::awaitable<Result<void>> MailTelling::remember(std::vector<SeenChange> seen, Memory memory) {
  Step step;
  step.seen = std::move(seen);
  auto storing = store(std::move(step), memory);
  co_return co_await std::move(storing);
}

// What a child finds in it. One that is gone meanwhile, or cannot be read, is told with what its
// headers said.
asio::awaitable<Result<json::object>> MailTelling::read(MailChange change) {
  const Identity identity{change.held.key, change.held.message_id, {}};
  auto fetching = fetch_(change);
  Result<std::optional<RawMail>> raw = co_await std::move(fetching);
  if (!raw) co_return std::unexpected(std::move(raw.error()));
  if (!*raw) co_return unreadable_mail(identity, 0, "it was gone before it could be read");
  const auto bytes = (*raw)->bytes;
  const bool cut = bytes > (*raw)->text.size();
  auto reading = ground_.read(std::move((*raw)->text));
  Result<json::object> mail = co_await std::move(reading);
  if (!mail && mail.error().code == ErrorCode::invalid_input) {
    log_warn("a message cannot be read: source={} folder={} place={} error={}", ground_.source,
             vigil::quoted(change.folder), vigil::quoted(change.place),
             vigil::quoted(mail.error().message));
    co_return unreadable_mail(identity, bytes, mail.error().message);
  }
  if (mail && cut) {
    (*mail)["size"] = bytes;
    (*mail)["cut"] = true;
  }
  co_return mail;
}

asio::awaitable<Result<void>> MailTelling::add(MailChange change) {
  using Kind = MailChange::Kind;
  if (change.kind == Kind::missing) misses_ = true;
  const bool told = change.kind != Kind::copied && change.kind != Kind::missing;
  json::object mail;
  if (change.kind == Kind::message || change.kind == Kind::moved) {
    auto reading = read(change);
    Result<json::object> found = co_await std::move(reading);
    if (!found) co_return std::unexpected(std::move(found.error()));
    mail = std::move(*found);
  }
  for (auto& one : to_seen(change)) step_.seen.push_back(std::move(one));
  if (!told) co_return Result<void>{};
  const auto place = place_(change);
  const auto now = ground_.clock.now();
  auto event = change.kind == Kind::message
                   ? message_event(place, change.held.key, std::move(mail), change.held.flags, now)
                   : change_event(place, change, mail, now);
  step_.bytes += event.event.data.size();
  step_.noticed.events.push_back(std::move(event.event));
  step_.noticed.payloads.push_back(std::move(event.payload));
  co_return Result<void>{};
}

asio::awaitable<Result<void>> MailTelling::tell(std::vector<MailChange> changes) {
  for (auto& change : changes) {
    if (ground_.dismissed) co_return fail(ErrorCode::cancelled, "it is not listened to any more");
    auto adding = add(std::move(change));
    Result<void> added = co_await std::move(adding);
    if (!added) co_return added;
    if (step_.noticed.events.size() < changes_at_once && step_.bytes < bytes_at_once) continue;
    auto storing = store(std::exchange(step_, Step{}), Memory::goes_on);
    Result<void> stored = co_await std::move(storing);
    if (!stored) co_return stored;
  }
  co_return Result<void>{};
}

asio::awaitable<Result<void>> MailTelling::finish(std::vector<SeenChange> seen) {
  for (auto& one : seen) step_.seen.push_back(std::move(one));
  auto storing = store(std::exchange(step_, Step{}), Memory::goes_on);
  co_return co_await std::move(storing);
}

}  // namespace vigil::ingress
