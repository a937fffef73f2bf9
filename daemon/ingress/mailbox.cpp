#include "daemon/ingress/mailbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <iterator>
#include <set>

#include "core/digest.hpp"
#include "core/json.hpp"

namespace vigil::ingress {
namespace {

constexpr std::string_view message_item = "m:";
constexpr std::size_t message_id_bytes_max = 500;
constexpr std::array<std::string_view, 3> identifying{"message-id", "from", "date"};
constexpr std::array<std::string_view, 2> answering{"references", "in-reply-to"};

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::vector<std::string> without(const std::vector<std::string>& a,
                                 const std::vector<std::string>& b) {
  std::vector<std::string> out;
  std::ranges::set_difference(a, b, std::back_inserter(out));
  return out;
}

// Where a message lies now, by its key; the first place of several.
using Places = std::map<std::string, std::pair<std::string, std::string>>;

class Comparison {
 public:
  Comparison(const HeldMailbox& before, const HeldMailbox& now) : before_(before), now_(now) {}

  std::vector<MailChange> run() {
    for (const auto& [folder, held] : before_) {
      for (const auto& [place, one] : held) known_.insert(one.key);
    }
    for (const auto& [folder, held] : now_) look_for_new(folder, held);
    for (const auto& [folder, held] : now_) look_for_lost(folder, held);
    tell_new();
    return std::move(out_);
  }

 private:
  const HeldFolder& before(const std::string& folder) const {
    static const HeldFolder none;
    const auto found = before_.find(folder);
    return found == before_.end() ? none : found->second;
  }

  void look_for_new(const std::string& folder, const HeldFolder& held) {
    const auto& old = before(folder);
    for (const auto& [place, one] : held) {
      const auto known = old.find(place);
      if (known == old.end()) {
        arrivals_.push_back({folder, place});
      } else if (known->second.flags != one.flags || known->second.missing) {
        MailChange change{.kind = MailChange::Kind::flagged, .folder = folder, .place = place};
        change.held = known->second;
        change.held.missing = false;
        change.held.flags = one.flags;
        change.added = without(one.flags, known->second.flags);
        change.removed = without(known->second.flags, one.flags);
        // One that was missed and is there again is no news.
        const bool news = !change.added.empty() || !change.removed.empty();
        if (!news) change.kind = MailChange::Kind::copied;
        out_.push_back(std::move(change));
      }
    }
  }

  // A place where the message lies now: one it came to just now, or one where it was all along.
  // Places it came to are used up, so that two that leave do not both go there.
  bool find_elsewhere(const std::string& folder, const Held& lost, MailChange& change) {
    const auto arrived = std::ranges::find_if(arrivals_, [&](const Arrival& arrival) {
      return !arrival.taken && now_.at(arrival.folder).at(arrival.place).key == lost.key;
    });
    if (arrived != arrivals_.end()) {
      arrived->taken = true;
      change.folder = arrived->folder;
      change.place = arrived->place;
      return true;
    }
    for (const auto& [other, held] : before_) {
      if (other == folder) continue;
      for (const auto& [place, one] : held) {
        if (one.key != lost.key || one.missing || !is_there(other, place)) continue;
        change.folder = other;
        change.place = place;
        return true;
      }
    }
    return false;
  }

  bool is_there(const std::string& folder, const std::string& place) const {
    const auto looked_at = now_.find(folder);
    return looked_at == now_.end() || looked_at->second.contains(place);
  }

  const Held& held_at(const std::string& folder, const std::string& place) const {
    const auto looked_at = now_.find(folder);
    return looked_at != now_.end() ? looked_at->second.at(place) : before_.at(folder).at(place);
  }

  void look_for_lost(const std::string& folder, const HeldFolder& held) {
    for (const auto& [place, lost] : before(folder)) {
      if (held.contains(place)) continue;
      MailChange change{.folder = folder, .place = place, .held = lost};
      if (find_elsewhere(folder, lost, change)) {
        change.kind = change.folder == folder ? MailChange::Kind::copied : MailChange::Kind::moved;
        change.from_folder = folder;
        change.from_place = place;
        change.held = held_at(change.folder, change.place);
      } else {
        change.kind = lost.missing ? MailChange::Kind::gone : MailChange::Kind::missing;
        change.held.missing = true;
      }
      out_.push_back(std::move(change));
    }
  }

  void tell_new() {
    for (const auto& arrival : arrivals_) {
      if (arrival.taken) continue;
      MailChange change{.folder = arrival.folder, .place = arrival.place};
      change.held = now_.at(arrival.folder).at(arrival.place);
      change.kind = known_.insert(change.held.key).second ? MailChange::Kind::message
                                                          : MailChange::Kind::copied;
      out_.push_back(std::move(change));
    }
  }

  struct Arrival {
    std::string folder;
    std::string place;
    bool taken = false;
  };

  const HeldMailbox& before_;
  const HeldMailbox& now_;
  std::set<std::string> known_;
  std::vector<Arrival> arrivals_;
  std::vector<MailChange> out_;
};

std::string item_of(const std::string& folder, const std::string& place) {
  return fmt::format("{}{}\n{}", message_item, folder, place);
}

// "<a@b>" in a header's value, without the brackets.
std::string id_in(std::string_view value) {
  const auto open = value.find('<');
  const auto close = value.find('>', open == std::string_view::npos ? 0 : open);
  const bool bracketed = open != std::string_view::npos && close != std::string_view::npos;
  const auto id = bracketed ? value.substr(open + 1, close - open - 1) : trim(value);
  return to_valid_utf8(trim(id).substr(0, message_id_bytes_max));
}

}  // namespace

std::vector<MailChange> changes_between(const HeldMailbox& before, const HeldMailbox& now) {
  return Comparison(before, now).run();
}

SeenChange to_seen(const std::string& folder, const std::string& place, const Held& held) {
  json::object value{{"key", held.key}};
  if (!held.message_id.empty()) value["id"] = held.message_id;
  if (!held.thread.empty()) value["thread"] = held.thread;
  if (!held.flags.empty()) {
    json::array flags;
    for (const auto& flag : held.flags) flags.emplace_back(flag);
    value["flags"] = std::move(flags);
  }
  if (held.missing) value["missing"] = true;
  return {item_of(folder, place), to_text(json::value(std::move(value)))};
}

std::vector<SeenChange> to_seen(const MailChange& change) {
  std::vector<SeenChange> out;
  if (!change.from_place.empty())
    out.push_back({item_of(change.from_folder, change.from_place), {}});
  if (change.kind == MailChange::Kind::gone) {
    out.push_back({item_of(change.folder, change.place), {}});
  } else {
    out.push_back(to_seen(change.folder, change.place, change.held));
  }
  return out;
}

bool is_message_item(std::string_view item) { return item.starts_with(message_item); }

Result<SeenMessage> message_from_seen(const std::string& item, const std::string& value) {
  SeenMessage out;
  const auto end = item.rfind('\n');
  auto stored = parse_json(value);
  if (!is_message_item(item) || end == std::string::npos || !stored) {
    return fail(ErrorCode::internal, "what was remembered of a message cannot be read");
  }
  out.folder = item.substr(message_item.size(), end - message_item.size());
  out.place = item.substr(end + 1);
  out.held.key = find_text(*stored, "key").value_or("");
  out.held.message_id = find_text(*stored, "id").value_or("");
  out.held.thread = find_text(*stored, "thread").value_or("");
  out.held.missing = find_bool(*stored, "missing").value_or(false);
  if (const auto* flags = find_path(*stored, "flags"); flags != nullptr && flags->is_array()) {
    for (const auto& flag : flags->get_array()) {
      if (flag.is_string()) out.held.flags.emplace_back(std::string_view(flag.get_string()));
    }
  }
  return out;
}

Identity identity_of(std::string_view head) {
  const auto whole = head.substr(0, std::min(head.find("\r\n\r\n"), head.find("\n\n")));
  std::map<std::string, std::string> found;  // unfolded; the first of each
  std::string* last = nullptr;
  while (!head.empty()) {
    auto line = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(line.size() + 1, head.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;  // the body begins
    if (line.front() == ' ' || line.front() == '\t') {
      if (last != nullptr) last->append(last->empty() ? "" : " ").append(trim(line));
      continue;
    }
    last = nullptr;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    auto name = lower_case(trim(line.substr(0, colon)));
    const bool wanted = std::ranges::find(identifying, name) != identifying.end() ||
                        std::ranges::find(answering, name) != answering.end();
    if (!wanted) continue;
    const auto [at, fresh] = found.try_emplace(std::move(name), trim(line.substr(colon + 1)));
    if (fresh) last = &at->second;
  }
  auto id = id_in(found["message-id"]);
  if (id.empty() && trim(whole).empty()) return {};
  std::string all(whole);  // without an id everything counts
  if (!id.empty()) {
    all.clear();
    for (const auto name : identifying) all += found[std::string(name)] + "\n";
  }
  std::string thread;
  for (const auto name : answering) {
    const auto& value = found[std::string(name)];
    if (thread.empty() && value.find('<') != std::string::npos) thread = id_in(value);
  }
  return {to_hex(as_bytes(sha256(all))).substr(0, 32), std::move(id), std::move(thread)};
}

std::vector<std::string> telling_flags(std::vector<std::string> flags) {
  std::erase_if(flags, [](const auto& flag) { return lower_case(flag) == "\\recent"; });
  for (auto& flag : flags) flag = to_valid_utf8(flag);
  std::ranges::sort(flags);
  const auto [first, last] = std::ranges::unique(flags);
  flags.erase(first, last);
  return flags;
}

std::string place_of_uid(std::uint64_t uid) { return fmt::format("{:010}", uid); }

std::uint64_t uid_of_place(std::string_view place) {
  std::uint64_t uid = 0;
  std::from_chars(place.data(), place.data() + place.size(), uid);
  return uid;
}

}  // namespace vigil::ingress
