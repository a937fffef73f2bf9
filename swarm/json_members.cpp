#include "swarm/json_members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace vigil::swarm {
namespace {

constexpr std::size_t word_bytes_max = 100;  // longer is no misspelling

// Insertions, deletions and replacements of single letters; a swap of neighbours counts as one.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({replaced, last[j] + 1, now[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.size() > word_bytes_max) return {};
  std::string_view best;
  std::size_t best_edits = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view one : known) {
    const std::size_t edits = edits_between(word, one);
    if (edits >= best_edits || edits >= one.size()) continue;
    best = one;
    best_edits = edits;
  }
  if (!best.empty() || word.size() < 3) return best;
  for (const std::string_view one : known) {  // "foreach_item", "max_retries"
    if (one.contains(word) || (one.size() > 2 && word.contains(one))) return one;
  }
  return {};
}

void JsonMembers::text(std::string_view key, std::string& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (!value->is_string()) return wrong(key, "expected a text");
  out = value->as_string();
}

void JsonMembers::flag(std::string_view key, bool& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (!value->is_bool()) return wrong(key, "expected true or false");
  out = value->as_bool();
}

void JsonMembers::number(std::string_view key, int& out) {
  if (const auto* value = find(key)) read_number(key, *value, out);
}

void JsonMembers::number(std::string_view key, std::size_t& out) {
  if (const auto* value = find(key)) read_number(key, *value, out);
}

void JsonMembers::duration(std::string_view key, Duration& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  const auto* string = value->if_string();
  const auto parsed = string != nullptr ? parse_duration(std::string_view(*string))
                                        : Result<Duration>(fail(ErrorCode::invalid_input, ""));
  if (!parsed) return wrong(key, "expected a duration as a text like \"30s\" or \"1h30m\"");
  out = *parsed;
}

void JsonMembers::texts(std::string_view key, std::vector<std::string>& out) {
  const auto* items = array(key, "expected an array of texts");
  if (items == nullptr) return;
  out.clear();
  out.reserve(items->size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    const auto* item = (*items)[i].if_string();
    if (item == nullptr) return wrong(fmt::format("{}[{}]", key, i), "expected a text");
    out.emplace_back(*item);
  }
}

void JsonMembers::numbers(std::string_view key, std::vector<int>& out) {
  const auto* items = array(key, "expected an array of whole numbers");
  if (items == nullptr) return;
  out.clear();
  for (std::size_t i = 0; i < items->size(); ++i) {
    read_number(fmt::format("{}[{}]", key, i), (*items)[i], out.emplace_back());
  }
}

void JsonMembers::units(std::string_view key, std::map<std::string, int>& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (!value->is_object()) return wrong(key, "expected an object of name: units");
  for (const auto& [name, amount] : value->as_object()) {
    read_number(fmt::format("{}.{}", key, std::string_view(name)), amount, out[std::string(name)]);
  }
}

void JsonMembers::any(std::string_view key, json::value& out) {
  if (const auto* value = find(key)) out = *value;
}

void JsonMembers::object(std::string_view key, json::object& out) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (value->is_object()) out = value->as_object();
  if (!value->is_object()) wrong(key, "expected an object");
}

const json::array* JsonMembers::array(std::string_view key, std::string_view expected) {
  const auto* value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) wrong(key, expected);
  return value->if_array();
}

const json::value* JsonMembers::find(std::string_view key) {
  asked_.push_back(key);
  return object_.if_contains(key);
}

void JsonMembers::forbid(std::string_view key, std::string_view why) {
  if (object_.contains(key)) wrong(key, why);
}

bool JsonMembers::is_known(std::string_view key) const {
  return std::ranges::find(asked_, key) != asked_.end();
}

std::string JsonMembers::path_of(std::string_view key) const {
  return fmt::format("{}.{}", path_, key);
}

void JsonMembers::wrong(std::string_view key, std::string_view what) {
  if (error_.empty()) error_ = fmt::format("{}: {}", path_of(key), what);
}

Result<void> JsonMembers::finish() {
  for (const auto& member : object_) {
    const std::string_view key = member.key();
    if (is_known(key)) continue;
    const auto meant = nearest_name(key, asked_);
    wrong(to_valid_utf8(key.substr(0, word_bytes_max)),
          meant.empty() ? "unknown key: remove it or correct its spelling"
                        : fmt::format("unknown key: did you mean \"{}\"?", meant));
  }
  if (!error_.empty()) return fail(ErrorCode::invalid_input, error_);
  return {};
}

template <class T>
void JsonMembers::read_number(std::string_view key, const json::value& value, T& out) {
  boost::system::error_code error;
  const auto number = value.to_number<T>(error);
  if (error || value.is_double()) return wrong(key, "expected a whole number");
  out = number;
}

}  // namespace vigil::swarm
