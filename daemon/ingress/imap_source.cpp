#include "daemon/ingress/imap_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <optional>
#include <utility>

#include "core/log.hpp"
#include "daemon/ingress/imap_look.hpp"
#include "daemon/ingress/keeper.hpp"
#include "daemon/ingress/mail_telling.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 2s;
constexpr Duration retry_most = 10min;
constexpr Duration idle_most = 25min;  // servers end it after 30 (RFC 2177)
constexpr Duration missing_pause = 2s;

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::ImapSource with, Taint from)
      : name(std::move(called)), settings(std::move(with)), taint(from), work(executor) {}

  std::string name;
  config::ImapSource settings;
  Taint taint;
  bool dismissed = false;
  int failures = 0;
  std::map<std::string, std::string> specials;  // of a folder its use
  ImapListener::View view;
  TaskGroup work;  // the one that listens
};
using EntryPtr = std::shared_ptr<Entry>;

std::string special_of(const mail::Listed& listed) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> uses{{
      {"\\Sent", "sent"},
      {"\\Drafts", "drafts"},
      {"\\Junk", "junk"},
      {"\\Trash", "trash"},
      {"\\Archive", "archive"},
      {"\\All", "archive"},
  }};
  if (mail::equal_words(listed.folder, "INBOX")) return "inbox";
  for (const auto& [attribute, use] : uses) {
    for (const auto& one : listed.attributes) {
      if (mail::equal_words(one, attribute)) return std::string(use);
    }
  }
  return {};
}

// As far as it is read; marks nothing as read.
asio::awaitable<Result<std::optional<RawMail>>> fetch_raw(mail::Imap& imap, MailChange change,
                                                          std::size_t bytes_max) {
  if (imap.selected() != change.folder) {
    auto selecting = imap.select(change.folder, mail::Access::read);
    Result<mail::FolderStatus> selected = co_await std::move(selecting);
    if (!selected) co_return std::unexpected(std::move(selected.error()));
  }
  const auto uid = uid_of_place(change.place);
  auto fetching =
      imap.command(fmt::format("UID FETCH {} (UID RFC822.SIZE BODY.PEEK[]<0.{}>)", uid, bytes_max));
  Result<mail::Answered> answered = co_await std::move(fetching);
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  for (const auto& response : answered->data) {
    auto fetched = mail::fetched_of(response);
    if (!fetched || fetched->uid != uid || !fetched->body) continue;
    co_return RawMail{std::move(*fetched->body), fetched->bytes};
  }
  co_return std::optional<RawMail>();
}

MailPlace place_of(const Entry& entry, const ImapLook& look, const MailChange& change) {
  MailPlace place{.source = entry.name, .taint = entry.taint, .folder = change.folder};
  const auto mark = look.marks.find(change.folder);
  place.raw_ref =
      json::object{{"kind", "imap"},
                   {"folder", change.folder},
                   {"uidvalidity", mark == look.marks.end() ? 0 : mark->second.validity},
                   {"uid", uid_of_place(change.place)}};
  if (const auto use = entry.specials.find(change.folder); use != entry.specials.end()) {
    place.special = use->second;
  }
  const auto received = look.received.find(change.folder + "\n" + change.place);
  if (received != look.received.end()) place.received = received->second;
  return place;
}

// What is known, though it is not remembered: rows of another UIDVALIDITY go, theirs come.
std::vector<SeenChange> silent_changes(const ImapMemory& memory, const ImapLook& look) {
  std::vector<SeenChange> out;
  for (const auto& [folder, known] : look.known) {
    if (const auto old = memory.held.find(folder); old != memory.held.end()) {
      for (const auto& [place, held] : old->second) {
        out.push_back({to_seen(folder, place, held).item, {}});
      }
    }
    for (const auto& [place, held] : known) out.push_back(to_seen(folder, place, held));
  }
  return out;
}

// The oldest are forgotten once there are a fifth too many.
std::vector<SeenChange> forget_old(ImapLook& look, int remember) {
  std::vector<SeenChange> out;
  const auto most = static_cast<std::size_t>(remember);
  for (auto& [folder, held] : look.now) {
    if (held.size() <= most + most / 5) continue;
    while (held.size() > most) {
      out.push_back({to_seen(folder, held.begin()->first, {}).item, {}});
      held.erase(held.begin());
    }
    look.marks[folder].low = uid_of_place(held.begin()->first);
  }
  return out;
}

}  // namespace

struct ImapListener::State {
  State(asio::any_io_executor on, Clock& time, ReadMail reads, AcceptNoticed accepts)
      : executor(on),
        clock(time),
        read(std::move(reads)),
        accept(std::move(accepts)),
        keeper(on, "listen to", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<Result<void>> attend(EntryPtr entry);
  asio::awaitable<Result<void>> learn_folders(EntryPtr entry, mail::Imap& imap);
  asio::awaitable<Result<bool>> look(EntryPtr entry, mail::Imap& imap);
  asio::awaitable<Result<bool>> tell(EntryPtr entry, mail::Imap& imap, ImapMemory memory,
                                     ImapLook look);
  asio::awaitable<Result<bool>> wait(EntryPtr entry, mail::Imap& imap, bool soon);

  asio::any_io_executor executor;
  Clock& clock;
  ReadMail read;
  AcceptNoticed accept;
  http::Reach reach;
  storage::Stores* reader = nullptr;  // once started
  Keeper<Entry> keeper;
};

// True: look again soon.
asio::awaitable<Result<bool>> ImapListener::State::tell(EntryPtr entry, mail::Imap& imap,
                                                        ImapMemory memory, ImapLook look) {
  const auto bytes_max = entry->settings.message_bytes_max;
  MailTelling telling(
      {entry->name, clock, read, accept, entry->dismissed},
      [&imap, bytes_max](MailChange change) {
        return fetch_raw(imap, std::move(change), bytes_max);
      },
      [&entry, &look](const MailChange& change) { return place_of(*entry, look, change); });
  auto silent = silent_changes(memory, look);
  if (!memory.is_known) silent.push_back({"form", account_form(entry->settings)});
  auto remembering =
      telling.remember(std::move(silent),
                       memory.is_known ? MailTelling::Memory::goes_on : MailTelling::Memory::anew);
  Result<void> done = co_await std::move(remembering);
  if (!done) co_return std::unexpected(std::move(done.error()));
  for (auto& [folder, known] : look.known) memory.held[folder] = known;
  auto changes = changes_between(memory.held, look.now);
  auto running = telling.tell(std::move(changes));
  done = co_await std::move(running);
  entry->view.events += telling.told();
  if (!done) co_return std::unexpected(std::move(done.error()));
  auto ending = forget_old(look, entry->settings.remember);
  for (const auto& [folder, mark] : look.marks) {
    ending.push_back({folder_item(folder), mark_text(mark)});
  }
  auto finishing = telling.finish(std::move(ending));
  done = co_await std::move(finishing);
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return telling.misses();
}

asio::awaitable<Result<bool>> ImapListener::State::look(EntryPtr entry, mail::Imap& imap) {
  auto memory = recall(*reader, entry->name, entry->settings);
  auto looking = look_at(imap, entry->settings, memory, clock.now());
  Result<ImapLook> look = co_await std::move(looking);
  if (!look) co_return std::unexpected(std::move(look.error()));
  if (look->trouble != entry->view.trouble && !look->trouble.empty()) {
    log_warn("a folder is not listened to: source={} error={}", entry->name,
             vigil::quoted(look->trouble));
  }
  entry->view.trouble = look->trouble;
  auto telling = tell(entry, imap, std::move(memory), std::move(*look));
  Result<bool> again = co_await std::move(telling);
  entry->view.last_look = clock.now();
  ++entry->view.looks;
  co_return again;
}

// Until something changed, or it is time to look anyway. True: the first folder is not as it was.
asio::awaitable<Result<bool>> ImapListener::State::wait(EntryPtr entry, mail::Imap& imap,
                                                        bool soon) {
  const auto& first = entry->settings.folders.front();
  const auto pause = soon ? missing_pause : std::min<Duration>(entry->settings.every, idle_most);
  const auto until = clock.now() + pause;
  if (imap.selected() != first) {
    auto selecting = imap.select(first, mail::Access::read);
    Result<mail::FolderStatus> status = co_await std::move(selecting);
    if (!status && status.error().code != ErrorCode::not_found) {
      co_return std::unexpected(std::move(status.error()));
    }
    const auto mark = mark_from(reader->seen.get(entry->name, folder_item(first)).value_or(""));
    // It may have changed since it was looked at, and nobody listened.
    if (status && mark &&
        (mark->next != status->uid_next || mark->count != status->messages ||
         mark->mod_seq != status->mod_seq)) {
      co_return true;
    }
  }
  if (imap.is_stale()) co_return true;
  if (!soon && entry->settings.idle && imap.can("IDLE") && imap.selected() == first) {
    auto listening = imap.listen(until);
    co_return co_await std::move(listening);
  }
  co_await clock.sleep_until(until);
  co_return false;
}

asio::awaitable<Result<void>> ImapListener::State::learn_folders(EntryPtr entry, mail::Imap& imap) {
  auto asking = imap.command(imap.can("SPECIAL-USE") && imap.can("LIST-EXTENDED")
                                 ? "LIST \"\" \"*\" RETURN (SPECIAL-USE)"
                                 : "LIST \"\" \"*\"");
  Result<mail::Answered> answered = co_await std::move(asking);
  if (!answered && !imap.is_open()) co_return std::unexpected(std::move(answered.error()));
  if (!answered) co_return Result<void>{};  // it is only for what they are used for
  entry->specials.clear();
  for (const auto& response : answered->data) {
    const auto listed = mail::listed_of(response);
    if (!listed) continue;
    if (auto use = special_of(*listed); !use.empty()) entry->specials[listed->folder] = use;
  }
  co_return Result<void>{};
}

// One connection, until it breaks.
asio::awaitable<Result<void>> ImapListener::State::attend(EntryPtr entry) {
  mail::Imap imap(executor, clock, reach);
  auto opening = imap.open(entry->settings);
  Result<void> opened = co_await std::move(opening);
  if (!opened) co_return opened;
  auto learning = learn_folders(entry, imap);
  Result<void> learnt = co_await std::move(learning);
  if (!learnt) co_return learnt;
  entry->view.connected = true;
  while (!entry->dismissed) {
    auto looking = look(entry, imap);
    Result<bool> again = co_await std::move(looking);
    if (!again) co_return std::unexpected(std::move(again.error()));
    if (entry->failures > 0) log_info("an account can be read again: source={}", entry->name);
    entry->failures = 0;
    if (entry->dismissed) break;
    auto waiting = wait(entry, imap, *again);
    Result<bool> waited = co_await std::move(waiting);
    if (!waited) co_return std::unexpected(std::move(waited.error()));
  }
  co_return Result<void>{};
}

asio::awaitable<void> ImapListener::State::run(EntryPtr entry) {
  while (!entry->dismissed) {
    auto attending = attend(entry);
    Result<void> attended = co_await std::move(attending);
    entry->view.connected = false;
    if (attended || entry->dismissed) co_return;
    const auto pause =
        std::min<Duration>(retry_most, retry_least * (1 << std::min(entry->failures++, 9)));
    if (entry->view.trouble != attended.error().message) {
      log_warn("an account cannot be read, trying again in {}: source={} error={}", to_text(pause),
               entry->name, vigil::quoted(attended.error().message));
    }
    entry->view.trouble = std::move(attended.error().message);
    co_await clock.sleep_for(pause);
  }
}

ImapListener::ImapListener(asio::any_io_executor executor, Clock& clock, ReadMail read,
                           AcceptNoticed accept)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(read),
                                     std::move(accept))) {}
ImapListener::~ImapListener() = default;

Result<void> ImapListener::apply(const config::Settings& settings) {
  auto& state = *state_;
  std::map<std::string, EntryPtr> wanted;
  for (const auto& [name, source] : settings.sources) {
    const auto* imap = std::get_if<config::ImapSource>(&source.of);
    if (imap == nullptr) continue;
    for (const auto& secret : {imap->password, imap->token}) {
      if (!secret) continue;
      auto read = config::read_secret(*secret);  // a mistake is told now, not at night
      if (!read) {
        return fail(read.error().code, fmt::format("source.{}: {}", name, read.error().message));
      }
    }
    const auto taint = source.trusted ? Taint::trusted : Taint::untrusted;
    auto entry = std::make_shared<Entry>(state.executor, name, *imap, taint);
    entry->view.source = name;
    entry->view.account = fmt::format("{}@{}", imap->user, imap->host);
    wanted[name] = std::move(entry);
  }
  state.reach = http::Reach(settings.outgoing.allow);
  state.keeper.replace(std::move(wanted));
  return {};
}

void ImapListener::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

asio::awaitable<void> ImapListener::stop() { co_await state_->keeper.stop(); }

std::vector<ImapListener::View> ImapListener::views() const {
  std::vector<View> out;
  for (const auto& [name, entry] : state_->keeper.entries()) out.push_back(entry->view);
  return out;
}

}  // namespace vigil::ingress
