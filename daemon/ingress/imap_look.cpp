#include "daemon/ingress/imap_look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <charconv>

#include "core/digest.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr std::size_t heads_at_once = 200;
constexpr std::string_view folder_prefix = "f:";
constexpr std::string_view head_fields =
    "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM DATE SUBJECT RECEIVED REFERENCES IN-REPLY-TO)]";
constexpr Duration restored_slack = 24h;  // of messages that another UIDVALIDITY brings

std::string place_item(const std::string& folder, const std::string& place) {
  return folder + "\n" + place;
}

int month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found =
      std::ranges::find_if(months, [&](auto month) { return mail::equal_words(month, name); });
  return found == months.end() ? 0 : static_cast<int>(found - months.begin()) + 1;
}

int digits(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : -1;
}

// One account, one look.
class Looker {
 public:
  Looker(mail::Imap& imap, const config::ImapSource& settings, const ImapMemory& memory,
         TimePoint now)
      : imap_(imap), settings_(settings), memory_(memory), now_(now) {}

  asio::awaitable<Result<ImapLook>> run();

 private:
  asio::awaitable<Result<void>> look_at_folder(std::string folder);
  asio::awaitable<Result<mail::FolderStatus>> ask_status(std::string folder);
  asio::awaitable<Result<std::vector<mail::Fetched>>> list(mail::FolderStatus status,
                                                           std::uint64_t low);
  asio::awaitable<Result<std::vector<mail::Fetched>>> heads(std::vector<std::uint64_t> uids);
  asio::awaitable<Result<void>> identify(std::string folder, std::vector<mail::Fetched> fresh);
  void sort_out(const std::string& folder, const FolderMark* old, FolderMark mark,
                std::vector<mail::Fetched> listed);
  void keep_known(const std::string& folder, const FolderMark& old);
  void keep_newest(const std::string& folder);

  mail::Imap& imap_;
  const config::ImapSource& settings_;
  const ImapMemory& memory_;
  TimePoint now_;
  ImapLook look_;
};

// A folder that is selected is not asked for its status (RFC 3501 6.3.10): it is selected again.
asio::awaitable<Result<mail::FolderStatus>> Looker::ask_status(std::string folder) {
  if (imap_.selected() == folder) {
    auto selecting = imap_.select(folder, mail::Access::read);
    co_return co_await std::move(selecting);
  }
  const auto name = mail::quoted_string(mail::to_wire_name(folder));
  if (!name) co_return fail(ErrorCode::invalid_input, "a folder's name holds a control character");
  const auto* more = imap_.can("CONDSTORE") ? " HIGHESTMODSEQ" : "";
  auto asking =
      imap_.command(fmt::format("STATUS {} (MESSAGES UIDNEXT UIDVALIDITY{})", *name, more));
  Result<mail::Answered> answered = co_await std::move(asking);
  if (!answered && answered.error().code == ErrorCode::conflict) {
    co_return fail(ErrorCode::not_found,
                   fmt::format("there is no folder \"{}\": {}", folder, answered.error().message));
  }
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  for (const auto& response : answered->data) {
    if (auto status = mail::status_of(response)) co_return std::move(*status);
  }
  co_return fail(ErrorCode::unavailable, "the server gave no status of " + folder);
}

// Flags of all that is remembered; at first of the newest.
asio::awaitable<Result<std::vector<mail::Fetched>>> Looker::list(mail::FolderStatus status,
                                                                 std::uint64_t low) {
  std::vector<mail::Fetched> out;
  if (status.messages == 0) co_return out;
  const auto most = static_cast<std::uint64_t>(settings_.remember);
  const auto first = status.messages > most ? status.messages - most + 1 : 1;
  auto asking = low > 0 ? imap_.command(fmt::format("UID FETCH {}:* (UID FLAGS)", low))
                        : imap_.command(fmt::format("FETCH {}:* (UID FLAGS)", first));
  Result<mail::Answered> answered = co_await std::move(asking);
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  for (const auto& response : answered->data) {
    auto fetched = mail::fetched_of(response);
    if (fetched && fetched->uid >= std::max<std::uint64_t>(low, 1) && fetched->flags) {
      out.push_back(std::move(*fetched));
    }
  }
  co_return out;
}

asio::awaitable<Result<std::vector<mail::Fetched>>> Looker::heads(std::vector<std::uint64_t> uids) {
  std::string set;
  for (const auto uid : uids) set += fmt::format("{}{}", set.empty() ? "" : ",", uid);
  auto asking = imap_.command(fmt::format("UID FETCH {} (UID INTERNALDATE {})", set, head_fields));
  Result<mail::Answered> answered = co_await std::move(asking);
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  std::vector<mail::Fetched> out;
  for (const auto& response : answered->data) {
    auto fetched = mail::fetched_of(response);
    if (fetched && fetched->uid > 0 && fetched->body) out.push_back(std::move(*fetched));
  }
  co_return out;
}

asio::awaitable<Result<void>> Looker::identify(std::string folder,
                                               std::vector<mail::Fetched> fresh) {
  std::map<std::uint64_t, std::vector<std::string>> flags;
  for (auto& one : fresh) flags[one.uid] = telling_flags(std::move(*one.flags));
  const auto validity = look_.marks.at(folder).validity;
  for (auto at = flags.begin(); at != flags.end();) {
    std::vector<std::uint64_t> uids;
    for (; at != flags.end() && uids.size() < heads_at_once; ++at) uids.push_back(at->first);
    auto asking = heads(std::move(uids));
    Result<std::vector<mail::Fetched>> answered = co_await std::move(asking);
    if (!answered) co_return std::unexpected(std::move(answered.error()));
    for (const auto& one : *answered) {
      const auto known = flags.find(one.uid);
      if (known == flags.end()) continue;
      auto identity = identity_of(*one.body);
      if (identity.key.empty()) {
        const auto where = fmt::format("{}\n{}\n{}", folder, validity, one.uid);
        identity.key = to_hex(as_bytes(sha256(where))).substr(0, 32);
      }
      const auto place = place_of_uid(one.uid);
      look_.now[folder][place] = {identity.key, identity.message_id, known->second, false,
                                  std::move(identity.thread)};
      if (const auto at_time = parse_internal_date(one.internal_date)) {
        look_.received[place_item(folder, place)] = *at_time;
      }
    }
  }
  co_return Result<void>();
}

// Under another UIDVALIDITY every message has another place. What is known by its headers goes on
// as it was; of the others only what came since the last look is new.
void Looker::keep_known(const std::string& folder, const FolderMark& old) {
  std::map<std::string, const Held*> by_key;
  const auto remembered = memory_.held.find(folder);
  if (remembered != memory_.held.end()) {
    for (const auto& [place, held] : remembered->second) by_key[held.key] = &held;
  }
  for (const auto& [place, held] : look_.now[folder]) {
    const auto known = by_key.find(held.key);
    const auto received = look_.received.find(place_item(folder, place));
    const bool is_old =
        received == look_.received.end() || received->second < old.at - restored_slack;
    if (known != by_key.end() || is_old) look_.known[folder][place] = held;
  }
}

// At the very first look everything is known, but for what is to be told.
void Looker::keep_newest(const std::string& folder) {
  auto& known = look_.known[folder] = look_.now[folder];
  for (int told = 0; told < settings_.backfill && !known.empty(); ++told) {
    known.erase(std::prev(known.end()));
  }
}

asio::awaitable<Result<void>> Looker::look_at_folder(std::string folder) {
  auto asking = ask_status(folder);
  Result<mail::FolderStatus> status = co_await std::move(asking);
  if (!status) co_return std::unexpected(std::move(status.error()));
  const auto known = memory_.marks.find(folder);
  const auto* old = known == memory_.marks.end() ? nullptr : &known->second;
  const bool same = old != nullptr && status->mod_seq > 0 && old->mod_seq == status->mod_seq &&
                    old->validity == status->uid_validity && old->next == status->uid_next &&
                    old->count == status->messages;
  const auto held = memory_.held.find(folder);
  const bool misses =
      held != memory_.held.end() &&
      std::ranges::any_of(held->second, [](auto& one) { return one.second.missing; });
  if (same && !misses) co_return Result<void>();
  if (imap_.selected() != folder) {
    auto selecting = imap_.select(folder, mail::Access::read);
    status = co_await std::move(selecting);
    if (!status) co_return std::unexpected(std::move(status.error()));
  }
  const bool goes_on = old != nullptr && old->validity == status->uid_validity;
  auto listing = list(*status, goes_on ? old->low : 0);
  Result<std::vector<mail::Fetched>> listed = co_await std::move(listing);
  if (!listed) co_return std::unexpected(std::move(listed.error()));
  FolderMark mark{.validity = status->uid_validity,
                  .next = status->uid_next,
                  .count = status->messages,
                  .mod_seq = status->mod_seq,
                  .low = goes_on ? old->low : std::max<std::uint64_t>(status->uid_next, 1),
                  .at = now_};
  std::vector<mail::Fetched> fresh;
  auto& now = look_.now[folder];
  for (auto& one : *listed) {
    if (!goes_on) mark.low = std::min(mark.low, one.uid);
    const auto place = place_of_uid(one.uid);
    if (goes_on && held != memory_.held.end() && held->second.contains(place)) {
      now[place] = held->second.at(place);
      now[place].missing = false;
      now[place].flags = telling_flags(std::move(*one.flags));
    } else {
      fresh.push_back(std::move(one));
    }
  }
  look_.marks[folder] = mark;
  auto identifying = identify(folder, std::move(fresh));
  Result<void> identified = co_await std::move(identifying);
  if (!identified) co_return identified;
  if (old == nullptr) keep_newest(folder);
  if (old != nullptr && !goes_on) keep_known(folder, *old);
  co_return Result<void>();
}

asio::awaitable<Result<ImapLook>> Looker::run() {
  for (const auto& folder : settings_.folders) {
    auto looking = look_at_folder(folder);
    Result<void> looked = co_await std::move(looking);
    if (looked) continue;
    look_.now.erase(folder);
    look_.marks.erase(folder);
    if (looked.error().code != ErrorCode::not_found) {
      co_return std::unexpected(std::move(looked.error()));
    }
    look_.trouble = std::move(looked.error().message);
  }
  co_return std::move(look_);
}

}  // namespace

std::string folder_item(const std::string& folder) {
  return fmt::format("{}{}", folder_prefix, folder);
}

std::string mark_text(const FolderMark& mark) {
  return to_text(json::value(json::object{{"validity", mark.validity},
                                          {"next", mark.next},
                                          {"count", mark.count},
                                          {"mod_seq", mark.mod_seq},
                                          {"low", mark.low},
                                          {"at", to_unix_us(mark.at)}}));
}

std::optional<FolderMark> mark_from(const std::string& text) {
  const auto read = parse_json(text);
  if (!read || !read->is_object()) return std::nullopt;
  const auto number = [&](std::string_view name) {
    const auto* value = read->get_object().if_contains(name);
    if (value == nullptr || !value->is_number()) return std::uint64_t{0};
    return value->is_uint64() ? value->get_uint64()
                              : static_cast<std::uint64_t>(std::max<std::int64_t>(
                                    value->is_int64() ? value->get_int64() : 0, 0));
  };
  return FolderMark{.validity = number("validity"),
                    .next = number("next"),
                    .count = number("count"),
                    .mod_seq = number("mod_seq"),
                    .low = number("low"),
                    .at = from_unix_us(static_cast<std::int64_t>(number("at")))};
}

std::string account_form(const config::ImapSource& settings) {
  return fmt::format("{}\n{}\n{}", settings.host, settings.port, settings.user);
}

ImapMemory recall(storage::Stores& reader, const std::string& source,
                  const config::ImapSource& settings) {
  ImapMemory out;
  if (reader.seen.get(source, "form") != account_form(settings)) return out;
  out.is_known = true;
  for (auto& row : reader.seen.all(source)) {
    if (is_message_item(row.item)) {
      auto message = message_from_seen(row.item, row.value);
      if (message) out.held[message->folder][message->place] = std::move(message->held);
    } else if (row.item.starts_with(folder_prefix)) {
      if (const auto mark = mark_from(row.value)) {
        out.marks[row.item.substr(folder_prefix.size())] = *mark;
      }
    }
  }
  return out;
}

asio::awaitable<Result<ImapLook>> look_at(mail::Imap& imap, const config::ImapSource& settings,
                                          const ImapMemory& memory, TimePoint now) {
  Looker looker(imap, settings, memory, now);
  auto running = looker.run();
  co_return co_await std::move(running);
}

std::optional<TimePoint> parse_internal_date(std::string_view text) {
  if (text.size() != 26 || text[2] != '-' || text[6] != '-' || text[11] != ' ' || text[20] != ' ') {
    return std::nullopt;
  }
  const int month = month_of(text.substr(3, 3));
  const int zone = digits(text.substr(22, 4));
  if (month == 0 || zone < 0 || (text[21] != '+' && text[21] != '-')) return std::nullopt;
  const auto stamp =
      fmt::format("{}-{:02}-{:02}T{}{}{:02}:{:02}", text.substr(7, 4), month,
                  digits(text.substr(0, 2)), text.substr(12, 8), text[21], zone / 100, zone % 100);
  const auto at = parse_rfc3339(stamp);
  return at ? std::optional(*at) : std::nullopt;
}

}  // namespace vigil::ingress
