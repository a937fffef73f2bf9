// [sink.NAME] kind = "imap": flags, labels and moves messages, and leaves drafts. All of it can be
// taken back, and all of it may be asked for twice: what is done already is found done. Nothing is
// ever expunged but the place a message was moved away from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "daemon/delivery/mail_order.hpp"
#include "daemon/delivery/sinks.hpp"
#include "daemon/mail/compose.hpp"
#include "daemon/mail/imap.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

// A connection that failed in the middle of something: it is looked at again, and found done or
// not.
Outcome outcome_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::unauthorized:
    case ErrorCode::forbidden:
    case ErrorCode::invalid_input:
    case ErrorCode::not_found:
      return failed(error.message);
    default:
      return retry_later(error.message);
  }
}

bool has_word(const std::vector<std::string>& all, std::string_view word) {
  return std::ranges::any_of(all, [&](auto& one) { return mail::equal_words(one, word); });
}

// One attempt on one connection.
class ImapErrand {
 public:
  ImapErrand(const config::ImapSink& settings, const SinkGround& ground)
      : settings_(settings),
        clock_(ground.clock),
        imap_(ground.executor, ground.clock, ground.reach) {}

  asio::awaitable<Outcome> run(Attempt attempt);

 private:
  asio::awaitable<Result<Outcome>> act(const storage::Action& action);
  asio::awaitable<Result<Outcome>> mark(MailOrder order);
  asio::awaitable<Result<Outcome>> move(MailOrder order);
  asio::awaitable<Result<Outcome>> draft(const storage::Action& action);
  enum class Copy { missing, there };
  asio::awaitable<Result<Outcome>> move_found(std::uint64_t uid, MailOrder order, Copy copy);
  asio::awaitable<Result<void>> take_away(std::uint64_t uid);
  asio::awaitable<Result<std::string>> trash();
  asio::awaitable<Result<std::uint64_t>> find(MailOrder order);
  asio::awaitable<Result<std::uint64_t>> search(std::string message_id);
  asio::awaitable<Result<mail::Answered>> into_folder(std::string verb, std::string folder);

  const config::ImapSink& settings_;
  Clock& clock_;
  mail::Imap imap_;
};

// In the selected folder; 0: it is not there.
asio::awaitable<Result<std::uint64_t>> ImapErrand::search(std::string message_id) {
  const auto quoted = mail::quoted_string("<" + message_id + ">");
  if (!quoted || message_id.empty() || message_id.ends_with("@no-id")) co_return 0;
  auto asking = imap_.command("UID SEARCH HEADER MESSAGE-ID " + *quoted);
  Result<mail::Answered> answered = co_await std::move(asking);
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  for (const auto& response : answered->data) {
    const auto found = mail::found_of(response);
    if (found && !found->empty()) co_return found->back();
  }
  co_return 0;
}

// By its place, if what lies there is it; else by its id. 0: it is not in the folder.
asio::awaitable<Result<std::uint64_t>> ImapErrand::find(MailOrder order) {
  auto selecting = imap_.select(order.folder, mail::Access::write);
  Result<mail::FolderStatus> selected = co_await std::move(selecting);
  if (!selected && selected.error().code == ErrorCode::not_found) co_return 0;
  if (!selected) co_return std::unexpected(std::move(selected.error()));
  if (order.uid > 0 && selected->uid_validity == order.uid_validity) {
    auto asking = imap_.command(
        fmt::format("UID FETCH {} (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])", order.uid));
    Result<mail::Answered> answered = co_await std::move(asking);
    if (!answered) co_return std::unexpected(std::move(answered.error()));
    for (const auto& response : answered->data) {
      const auto fetched = mail::fetched_of(response);
      if (!fetched || fetched->uid != order.uid || !fetched->body) continue;
      const bool no_id = order.message_id.ends_with("@no-id");
      if (no_id || fetched->body->find("<" + order.message_id + ">") != std::string::npos) {
        co_return order.uid;
      }
    }
  }
  auto searching = search(order.message_id);
  co_return co_await std::move(searching);
}

asio::awaitable<Result<Outcome>> ImapErrand::mark(MailOrder order) {
  auto finding = find(order);
  Result<std::uint64_t> uid = co_await std::move(finding);
  if (!uid) co_return std::unexpected(std::move(uid.error()));
  if (*uid == 0) {
    co_return failed(
        fmt::format("the message is no more in \"{}\": it was moved or deleted "
                    "meanwhile",
                    order.folder));
  }
  std::vector<std::string> flags;
  for (const auto& [sign, words] : {std::pair{'-', &order.remove}, std::pair{'+', &order.add}}) {
    if (words->empty()) continue;
    auto asking =
        imap_.command(fmt::format("UID STORE {} {}FLAGS ({})", *uid, sign, fmt::join(*words, " ")));
    Result<mail::Answered> answered = co_await std::move(asking);
    if (!answered) co_return std::unexpected(std::move(answered.error()));
    for (const auto& response : answered->data) {
      auto fetched = mail::fetched_of(response);
      if (fetched && fetched->flags) flags = std::move(*fetched->flags);
    }
  }
  for (const auto& word : order.add) {
    if (flags.empty() || has_word(flags, word)) continue;
    co_return failed(fmt::format("the server keeps no \"{}\" in \"{}\"", word, order.folder));
  }
  co_return delivered(json::object{{"folder", order.folder}, {"uid", *uid}});
}

// COPY and MOVE make no folder: it is made when the server asks for that.
asio::awaitable<Result<mail::Answered>> ImapErrand::into_folder(std::string verb,
                                                                std::string folder) {
  const auto name = mail::quoted_string(mail::to_wire_name(folder));
  if (!name) co_return fail(ErrorCode::invalid_input, "a folder's name holds a control character");
  auto asking = imap_.command(fmt::format("{} {}", verb, *name));
  Result<mail::Answered> answered = co_await std::move(asking);
  if (answered || answered.error().code != ErrorCode::conflict) co_return answered;
  auto creating = imap_.command(fmt::format("CREATE {}", *name));
  Result<mail::Answered> created = co_await std::move(creating);
  if (!created) co_return answered;
  auto again = imap_.command(fmt::format("{} {}", verb, *name));
  co_return co_await std::move(again);
}

// The place it was copied from. Without UIDPLUS it stays, marked: EXPUNGE would take others' with
// it.
asio::awaitable<Result<void>> ImapErrand::take_away(std::uint64_t uid) {
  auto marking = imap_.command(fmt::format("UID STORE {} +FLAGS.SILENT (\\Deleted)", uid));
  Result<mail::Answered> done = co_await std::move(marking);
  if (done && imap_.can("UIDPLUS")) {
    auto expunging = imap_.command(fmt::format("UID EXPUNGE {}", uid));
    done = co_await std::move(expunging);
  }
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Result<void>();
}

// A copy that is there may be ours, of an attempt that broke off before the rest was done.
asio::awaitable<Result<Outcome>> ImapErrand::move_found(std::uint64_t uid, MailOrder order,
                                                        Copy copy) {
  const auto result = json::object{{"folder", order.to}, {"from", order.folder}};
  if (imap_.can("MOVE")) {
    auto moving = into_folder(fmt::format("UID MOVE {}", uid), order.to);
    Result<mail::Answered> moved = co_await std::move(moving);
    if (!moved) co_return std::unexpected(std::move(moved.error()));
    co_return delivered(result);
  }
  if (copy == Copy::missing) {
    auto copying = into_folder(fmt::format("UID COPY {}", uid), order.to);
    Result<mail::Answered> copied = co_await std::move(copying);
    if (!copied) co_return std::unexpected(std::move(copied.error()));
  }
  auto taking = take_away(uid);
  Result<void> taken = co_await std::move(taking);
  if (!taken) co_return std::unexpected(std::move(taken.error()));
  co_return delivered(result);
}

asio::awaitable<Result<Outcome>> ImapErrand::move(MailOrder order) {
  auto selecting = imap_.select(order.to, mail::Access::read);
  Result<mail::FolderStatus> there = co_await std::move(selecting);
  std::uint64_t already = 0;
  if (there) {
    auto searching = search(order.message_id);
    Result<std::uint64_t> found = co_await std::move(searching);
    if (!found) co_return std::unexpected(std::move(found.error()));
    already = *found;
  } else if (there.error().code != ErrorCode::not_found) {
    co_return std::unexpected(std::move(there.error()));
  }
  auto finding = find(order);
  Result<std::uint64_t> uid = co_await std::move(finding);
  if (!uid) co_return std::unexpected(std::move(uid.error()));
  if (*uid > 0) {
    const auto copy = already > 0 ? Copy::there : Copy::missing;
    auto moving = move_found(*uid, std::move(order), copy);
    co_return co_await std::move(moving);
  }
  if (already > 0) {
    co_return delivered(json::object{{"folder", order.to}, {"uid", already}, {"already", true}});
  }
  co_return failed(
      fmt::format("the message is neither in \"{}\" nor in \"{}\": somebody moved or "
                  "deleted it meanwhile",
                  order.folder, order.to));
}

asio::awaitable<Result<Outcome>> ImapErrand::draft(const storage::Action& action) {
  auto letter = mail::letter_from(json::value(action.payload));
  if (!letter) co_return std::unexpected(std::move(letter.error()));
  const auto at = settings_.user.rfind('@');
  if (at != std::string::npos) letter->from.address = settings_.user;
  letter->date = clock_.now();
  letter->message_id = mail::message_id_of_key(
      action.key, at == std::string::npos ? settings_.host : settings_.user.substr(at + 1));
  const json::object result{{"folder", settings_.drafts}, {"message_id", letter->message_id}};
  auto selecting = imap_.select(settings_.drafts, mail::Access::read);
  Result<mail::FolderStatus> there = co_await std::move(selecting);
  if (there) {
    auto searching = search(letter->message_id);
    Result<std::uint64_t> found = co_await std::move(searching);
    if (!found) co_return std::unexpected(std::move(found.error()));
    if (*found > 0) co_return delivered(result);
  } else if (there.error().code != ErrorCode::not_found) {
    co_return std::unexpected(std::move(there.error()));
  }
  const auto name = mail::quoted_string(mail::to_wire_name(settings_.drafts));
  if (!name) co_return failed("drafts: the folder's name holds a control character");
  if (!there) {
    auto creating = imap_.command("CREATE " + *name);
    Result<mail::Answered> created = co_await std::move(creating);
    if (!created) co_return std::unexpected(std::move(created.error()));
  }
  auto text = mail::compose(*letter);
  auto appending = imap_.command("APPEND " + *name + " (\\Draft \\Seen)", std::move(text));
  Result<mail::Answered> appended = co_await std::move(appending);
  if (!appended) co_return std::unexpected(std::move(appended.error()));
  co_return delivered(result);
}

// Where what is deleted goes: it can be taken out again.
asio::awaitable<Result<std::string>> ImapErrand::trash() {
  auto asking = imap_.command(imap_.can("SPECIAL-USE") && imap_.can("LIST-EXTENDED")
                                  ? "LIST \"\" \"*\" RETURN (SPECIAL-USE)"
                                  : "LIST \"\" \"*\"");
  Result<mail::Answered> answered = co_await std::move(asking);
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  std::string by_name;
  for (const auto& response : answered->data) {
    const auto listed = mail::listed_of(response);
    if (!listed) continue;
    if (has_word(listed->attributes, "\\Trash")) co_return listed->folder;
    if (mail::equal_words(listed->folder, "Trash")) by_name = listed->folder;
  }
  if (!by_name.empty()) co_return by_name;
  co_return fail(ErrorCode::not_found,
                 "the account has no folder for what is deleted (\\Trash): make one");
}

asio::awaitable<Result<Outcome>> ImapErrand::act(const storage::Action& action) {
  auto order = mail_order_from(json::value(action.payload));
  if (!order) co_return std::unexpected(std::move(order.error()));
  if (order->what == MailOrder::What::draft) {
    auto drafting = draft(action);
    co_return co_await std::move(drafting);
  }
  if (auto allowed = may_touch(settings_, *order); !allowed) {
    co_return std::unexpected(std::move(allowed.error()));
  }
  if (order->what == MailOrder::What::mark) {
    auto marking = mark(std::move(*order));
    co_return co_await std::move(marking);
  }
  if (order->what == MailOrder::What::remove) {
    auto looking = trash();
    Result<std::string> folder = co_await std::move(looking);
    if (!folder) co_return std::unexpected(std::move(folder.error()));
    order->to = std::move(*folder);
  }
  auto moving = move(std::move(*order));
  co_return co_await std::move(moving);
}

asio::awaitable<Outcome> ImapErrand::run(Attempt attempt) {
  auto opening = imap_.open(settings_);
  Result<void> opened = co_await std::move(opening);
  if (!opened && opened.error().code == ErrorCode::unauthorized) {
    co_return retry_later(opened.error().message);  // a token may be renewed meanwhile
  }
  if (!opened) co_return outcome_of(opened.error());
  auto acting = act(attempt.action);
  Result<Outcome> done = co_await std::move(acting);
  auto leaving = imap_.log_out();
  co_await std::move(leaving);
  if (!done) co_return outcome_of(done.error());
  co_return std::move(*done);
}

class ImapSink final : public Sink {
 public:
  ImapSink(config::ImapSink settings, const SinkGround& ground)
      : settings_(std::move(settings)), ground_(ground) {}

  // What is there is looked at before anything is done.
  Repeat repeat(const storage::Action&) const override { return Repeat::harmless; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    ImapErrand errand(settings_, ground_);
    auto running = errand.run(std::move(attempt));
    co_return co_await std::move(running);
  }

 private:
  config::ImapSink settings_;
  SinkGround ground_;
};

}  // namespace

Result<std::shared_ptr<Sink>> make_imap_sink(const std::string& name,
                                             const config::ImapSink& settings,
                                             const SinkGround& ground) {
  for (const auto& secret : {settings.password, settings.token}) {
    if (!secret) continue;
    auto read = config::read_secret(*secret);  // a mistake is told now, not at night
    if (!read) {
      return fail(read.error().code, fmt::format("sink.{}: {}", name, read.error().message));
    }
  }
  return std::make_shared<ImapSink>(settings, ground);
}

}  // namespace vigil::delivery
