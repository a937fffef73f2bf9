#include "daemon/ingress/maildir_source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <utility>

#include "core/bell.hpp"
#include "core/digest.hpp"
#include "core/log.hpp"
#include "core/off_loop.hpp"
#include "core/timeout.hpp"
#include "daemon/ingress/keeper.hpp"
#include "daemon/ingress/mail_telling.hpp"
#include "daemon/ingress/watch_notices.hpp"
#include "daemon/mail/maildir.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration retry_least = 1s;
constexpr Duration retry_most = 5min;
constexpr Duration missing_pause = 1s;
constexpr Duration settle = 20ms;  // a program that delivers ten messages is heard once
constexpr std::size_t head_bytes = 64 * 1024;
constexpr std::size_t remembered_max = 5000;  // of all folders together, at the first look
constexpr std::string_view form_item = "form";
constexpr std::string_view low_item = "low";  // what came before is not remembered

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

struct Entry {
  Entry(asio::any_io_executor executor, std::string called, config::MaildirSource with, Taint from)
      : name(std::move(called)),
        settings(std::move(with)),
        taint(from),
        bell(executor),
        work(executor) {}

  std::string name;
  config::MaildirSource settings;
  Taint taint;
  bool dismissed = false;
  int failures = 0;
  std::string trouble;
  std::unique_ptr<Notices> notices;
  Bell bell;
  TaskGroup work;  // the one that looks
};
using EntryPtr = std::shared_ptr<Entry>;

struct Memory {
  bool is_known = false;
  std::int64_t low = 0;
  HeldMailbox held;
};

// What a look found, with where the files are.
struct Scan {
  HeldMailbox now;
  HeldMailbox known;
  std::int64_t low = 0;
  std::map<std::string, mail::MaildirFile> files;  // by folder, a line break and place
};
using Scanned = Result<Scan>;

std::string form_of(const config::MaildirSource& settings) {
  return fmt::format("{}\n{}", settings.path, fmt::join(settings.folders, "\n"));
}

std::string file_key(const std::string& folder, const std::string& place) {
  return folder + "\n" + place;
}

Memory recall(storage::Stores& reader, const std::string& source,
              const config::MaildirSource& settings) {
  Memory out;
  if (reader.seen.get(source, std::string(form_item)) != form_of(settings)) return out;
  out.is_known = true;
  for (auto& row : reader.seen.all(source)) {
    if (row.item == low_item) {
      std::from_chars(row.value.data(), row.value.data() + row.value.size(), out.low);
    } else if (is_message_item(row.item)) {
      auto message = message_from_seen(row.item, row.value);
      if (message) out.held[message->folder][message->place] = std::move(message->held);
    }
  }
  return out;
}

// Which message a file is. Nothing: it is gone meanwhile.
std::optional<Held> identify(const mail::MaildirFile& file) {
  const auto start = mail::read_start(file.path, head_bytes);
  if (!start) return std::nullopt;
  auto identity = identity_of(start->text);
  if (identity.key.empty()) identity.key = to_hex(as_bytes(sha256(file.unique))).substr(0, 32);
  return Held{std::move(identity.key), std::move(identity.message_id), file.flags, false,
              std::move(identity.thread)};
}

// Blocks. At the very first look what is there is known, but for the newest that are to be told.
Scanned scan(const config::MaildirSource& settings, const Memory& memory) {
  auto listed = mail::list_maildir(settings.path, settings.folders);
  if (!listed) return std::unexpected(std::move(listed.error()));
  Scan out;
  out.low = memory.low;
  std::ranges::sort(*listed, std::greater<>(), &mail::MaildirFile::seconds);
  if (!memory.is_known && listed->size() > remembered_max) {
    out.low = (*listed)[remembered_max].seconds + 1;
  }
  for (const auto& folder : settings.folders) out.now[folder];
  std::map<std::string, int> told;
  for (auto& file : *listed) {
    const auto folder = memory.held.find(file.folder);
    const bool remembered = folder != memory.held.end() && folder->second.contains(file.unique);
    if (remembered) {
      auto held = folder->second.at(file.unique);
      held.flags = file.flags;
      held.missing = false;
      out.now[file.folder][file.unique] = std::move(held);
    } else if (file.seconds >= out.low) {
      auto held = identify(file);
      if (!held) continue;
      const bool silent = !memory.is_known && ++told[file.folder] > settings.backfill;
      if (silent) out.known[file.folder][file.unique] = *held;
      out.now[file.folder][file.unique] = std::move(*held);
    }
    out.files[file_key(file.folder, file.unique)] = std::move(file);
  }
  return out;
}

MailPlace place_of(const Entry& entry, const Scan& scan, const MailChange& change) {
  MailPlace place{.source = entry.name, .taint = entry.taint, .folder = change.folder};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> uses{
      {{"INBOX", "inbox"},
       {"Sent", "sent"},
       {"Drafts", "drafts"},
       {"Junk", "junk"},
       {"Trash", "trash"},
       {"Archive", "archive"}}};
  for (const auto& [folder, use] : uses) {
    if (change.folder == folder) place.special = use;
  }
  place.raw_ref =
      json::object{{"kind", "maildir"}, {"folder", change.folder}, {"file", change.place}};
  const auto file = scan.files.find(file_key(change.folder, change.place));
  if (file != scan.files.end()) {
    place.received = from_unix_us(file->second.seconds * 1'000'000);
  }
  return place;
}

using Fetched = Result<std::optional<RawMail>>;

Fetched read_file(const std::string& path, std::size_t bytes_max) {
  auto start = mail::read_start(path, bytes_max);
  if (start) return RawMail{std::move(start->text), start->bytes};
  if (start.error().code == ErrorCode::not_found) return std::optional<RawMail>();
  return std::unexpected(std::move(start.error()));
}

asio::awaitable<Fetched> fetch_raw(asio::any_io_executor executor, std::string path,
                                   std::size_t bytes_max) {
  if (path.empty()) co_return std::optional<RawMail>();
  std::function<Fetched()> work = [path, bytes_max] { return read_file(path, bytes_max); };
  auto reading = off_loop(executor, std::move(work));
  co_return co_await std::move(reading);
}

std::vector<std::string> directories_of(const config::MaildirSource& settings) {
  std::vector<std::string> out{settings.path};
  for (const auto& folder : settings.folders) {
    const auto path = mail::maildir_folder(settings.path, folder);
    if (!path) continue;
    out.push_back(*path + "/new");
    out.push_back(*path + "/cur");
  }
  return out;
}

}  // namespace

struct MaildirListener::State {
  State(asio::any_io_executor on, Clock& time, ReadMail reads, AcceptNoticed accepts)
      : executor(on),
        clock(time),
        read(std::move(reads)),
        accept(std::move(accepts)),
        keeper(on, "listen to", [this](EntryPtr entry) { return run(std::move(entry)); }) {}

  void keep_watch(Entry& entry);
  asio::awaitable<void> run(EntryPtr entry);
  asio::awaitable<Result<bool>> look(EntryPtr entry);
  asio::awaitable<Result<bool>> tell(EntryPtr entry, Memory memory, Scan scan);

  asio::any_io_executor executor;
  Clock& clock;
  ReadMail read;
  AcceptNoticed accept;
  storage::Stores* reader = nullptr;  // once started
  Keeper<Entry> keeper;
};

void MaildirListener::State::keep_watch(Entry& entry) {
  if (!entry.notices) {
    auto opened = Notices::open(executor, NoticeKind::any, [&bell = entry.bell] { bell.ring(); });
    if (!opened) {
      log_warn("a Maildir is read every {} only: source={} error={}", to_text(entry.settings.every),
               entry.name, opened.error().message);
      return;
    }
    entry.notices = std::move(*opened);
  }
  const auto watched = entry.notices->watch(directories_of(entry.settings));
  if (watched && *watched > 0) entry.bell.ring();  // nobody listened there until now
}

// True: look again soon.
asio::awaitable<Result<bool>> MaildirListener::State::tell(EntryPtr entry, Memory memory,
                                                           Scan scan) {
  const auto bytes_max = entry->settings.message_bytes_max;
  MailTelling telling(
      {entry->name, clock, read, accept, entry->dismissed},
      [this, &scan, bytes_max](MailChange change) {
        const auto file = scan.files.find(file_key(change.folder, change.place));
        auto path = file == scan.files.end() ? std::string() : file->second.path;
        return fetch_raw(executor, std::move(path), bytes_max);
      },
      [&entry, &scan](const MailChange& change) { return place_of(*entry, scan, change); });
  if (!memory.is_known) {
    std::vector<SeenChange> silent{{std::string(form_item), form_of(entry->settings)},
                                   {std::string(low_item), fmt::format("{}", scan.low)}};
    for (const auto& [folder, known] : scan.known) {
      for (const auto& [place, held] : known) silent.push_back(to_seen(folder, place, held));
    }
    auto remembering = telling.remember(std::move(silent), MailTelling::Memory::anew);
    Result<void> remembered = co_await std::move(remembering);
    if (!remembered) co_return std::unexpected(std::move(remembered.error()));
    memory.held = scan.known;
  }
  auto changes = changes_between(memory.held, scan.now);
  auto running = telling.tell(std::move(changes));
  Result<void> done = co_await std::move(running);
  if (!done) co_return std::unexpected(std::move(done.error()));
  auto finishing = telling.finish({});
  done = co_await std::move(finishing);
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return telling.misses();
}

asio::awaitable<Result<bool>> MaildirListener::State::look(EntryPtr entry) {
  keep_watch(*entry);
  auto memory = recall(*reader, entry->name, entry->settings);
  std::function<Scanned()> work = [settings = entry->settings, memory] {
    return scan(settings, memory);
  };
  auto scanning = off_loop(executor, std::move(work));
  Scanned found = co_await std::move(scanning);
  if (!found) co_return std::unexpected(std::move(found.error()));
  auto telling = tell(entry, std::move(memory), std::move(*found));
  co_return co_await std::move(telling);
}

asio::awaitable<void> MaildirListener::State::run(EntryPtr entry) {
  while (!entry->dismissed) {
    auto looking = look(entry);
    Result<bool> again = co_await std::move(looking);
    Duration pause = entry->settings.every;
    if (again) {
      if (entry->failures > 0) log_info("a Maildir can be read again: source={}", entry->name);
      entry->failures = 0;
      entry->trouble.clear();
      if (*again) pause = missing_pause;
    } else {
      pause = std::min<Duration>(retry_most, retry_least * (1 << std::min(entry->failures++, 9)));
      if (entry->trouble != again.error().message) {
        log_warn("a Maildir cannot be read, trying again in {}: source={} error={}", to_text(pause),
                 entry->name, vigil::quoted(again.error().message));
      }
      entry->trouble = std::move(again.error().message);
    }
    if (entry->dismissed) co_return;
    auto waiting = with_timeout(clock, pause, rung(entry->bell));
    Result<bool> heard = co_await std::move(waiting);
    if (heard) co_await clock.sleep_for(settle);
  }
}

MaildirListener::MaildirListener(asio::any_io_executor executor, Clock& clock, ReadMail read,
                                 AcceptNoticed accept)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(read),
                                     std::move(accept))) {}
MaildirListener::~MaildirListener() = default;

void MaildirListener::apply(const config::Settings& settings) {
  auto& state = *state_;
  std::map<std::string, EntryPtr> wanted;
  for (const auto& [name, source] : settings.sources) {
    const auto* maildir = std::get_if<config::MaildirSource>(&source.of);
    if (maildir == nullptr) continue;
    const auto taint = source.trusted ? Taint::trusted : Taint::untrusted;
    wanted[name] = std::make_shared<Entry>(state.executor, name, *maildir, taint);
  }
  state.keeper.replace(std::move(wanted));
}

void MaildirListener::start(storage::Stores& reader) {
  state_->reader = &reader;
  state_->keeper.start();
}

asio::awaitable<void> MaildirListener::stop() { co_await state_->keeper.stop(); }

std::vector<SourceTrouble> MaildirListener::troubles() const {
  std::vector<SourceTrouble> out;
  for (const auto& [name, entry] : state_->keeper.entries()) {
    if (!entry->trouble.empty()) out.push_back({name, entry->trouble});
  }
  return out;
}

}  // namespace vigil::ingress
