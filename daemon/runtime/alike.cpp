#include "daemon/runtime/alike.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/digest.hpp"

namespace vigil::runtime {
namespace {

// What is said, and about which one of many: free. Where it goes and what is done there is not, and
// neither is a member that nobody here knows.
constexpr std::array<std::string_view, 22> free_members{
    "text",  "body",  "title",   "subject",    "description", "html",  "summary", "state",
    "since", "until", "number",  "sha",        "id",          "uid",   "key",     "message",
    "event", "case",  "context", "message_id", "thread",      "ticket"};

bool is_free(std::string_view member) {
  return std::ranges::find(free_members, member) != free_members.end();
}

}  // namespace

Likeness likeness_of(std::string_view kind, std::string_view sink, const json::object& payload) {
  std::vector<std::string_view> names;
  for (const auto& member : payload) names.push_back(member.key());
  std::ranges::sort(names);
  Likeness out;
  auto text = fmt::format("{}\n{}\n", kind, sink);
  for (const auto& name : names) {
    text += fmt::format("{}\n", name);
    if (is_free(name)) continue;
    const auto& value = payload.at(name);
    text += fmt::format("{}\n", vigil::to_text(value));
    out.common[name] = value;
  }
  out.digest = to_hex(as_bytes(sha256(text))).substr(0, 16);
  return out;
}

json::object to_json(const Consenting& of) {
  return {{"kind", of.kind}, {"sink", of.sink},         {"common", of.common},
          {"uses", of.uses}, {"uses_max", of.uses_max}, {"expires", to_rfc3339(of.expires)},
          {"by", of.by},     {"like", of.like.value},   {"declined", of.declined}};
}

std::optional<Consenting> consenting_of(const json::value& value) {
  const auto kind = find_text(value, "kind");
  const auto sink = find_text(value, "sink");
  const auto* common = find_path(value, "common");
  const auto uses = find_integer(value, "uses");
  const auto uses_max = find_integer(value, "uses_max");
  const auto expires = parse_rfc3339(find_text(value, "expires").value_or(""));
  if (!kind || !sink || common == nullptr || !common->is_object() || !uses || !uses_max ||
      !expires) {
    return std::nullopt;
  }
  Consenting out;
  out.kind = *kind;
  out.sink = *sink;
  out.common = common->get_object();
  out.uses = static_cast<int>(*uses);
  out.uses_max = static_cast<int>(*uses_max);
  out.expires = *expires;
  out.by = find_text(value, "by").value_or("");
  out.like = ActionId{find_integer(value, "like").value_or(0)};
  out.declined = find_bool(value, "declined").value_or(false);
  return out;
}

bool holds(const Consenting& of, TimePoint now) {
  return !of.declined && of.uses < of.uses_max && now < of.expires;
}

std::string consenting_key(const Likeness& likeness) {
  return std::string(consenting_prefix) + likeness.digest;
}

std::string in_words(const Consenting& of) {
  auto out = fmt::format("{} to {}", of.kind, of.sink);
  bool first = true;
  for (const auto& member : of.common) {
    out += fmt::format("{}{} {}", first ? " with " : ", ", std::string_view(member.key()),
                       member.value().is_string() ? std::string(member.value().get_string())
                                                  : vigil::to_text(member.value()));
    first = false;
  }
  return out;
}

}  // namespace vigil::runtime
