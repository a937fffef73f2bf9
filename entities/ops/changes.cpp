#include "entities/ops/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ops/recall.hpp"
#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t slots = 40;

enum class What { none, push, release, deployment };

// The longer words first: the first that a part of the type begins with is meant.
What what_of(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, What>, 8> words{{
      {"push", What::push},
      {"tag_push", What::push},
      {"release", What::release},
      {"deployment", What::deployment},
      {"deployment_status", What::deployment},
      {"deploy", What::deployment},
      {"deployed", What::deployment},
      {"rollback", What::deployment},
  }};
  while (!type.empty()) {
    const auto part = type.substr(0, type.find('.'));
    type.remove_prefix(std::min(part.size() + 1, type.size()));
    for (const auto& [word, what] : words) {
      if (part == word) return what;
    }
  }
  return What::none;
}

struct Change {
  std::string key;  // the same for all that is said of one deployment
  std::string about;
  std::string text;
  TimePoint at;
};

std::string short_ref(std::string ref) {
  for (const std::string_view prefix : {"refs/heads/", "refs/tags/"}) {
    if (ref.starts_with(prefix)) ref.erase(0, prefix.size());
  }
  const bool digest = ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == ref.npos;
  return digest ? ref.substr(0, 10) : ref;
}

Change read_change(const Event& event, TimePoint now) {
  const auto& data = event.data;
  const auto what = what_of(event.type);
  Change out;
  out.about = first_text(data,
                         {"service", "app", "repository.full_name", "project.path_with_namespace",
                          "repository.name", "name"},
                         120);
  if (out.about.empty()) out.about = plain(event.subject, 120);
  const auto version = short_ref(first_text(data,
                                            {"version", "tag", "release.tag_name", "deployment.ref",
                                             "ref", "short_sha", "sha", "commit", "after"},
                                            100));
  const auto where = first_text(
      data, {"environment", "env", "deployment.environment", "deployment_status.environment"}, 80);
  const auto state = first_text(data, {"deployment_status.state", "status", "state", "result"}, 40);
  const auto who = first_text(data,
                              {"by", "deployment.creator.login", "sender.login", "user_username",
                               "user.username", "user.name", "pusher.name", "actor"},
                              80);
  const auto why = first_text(
      data, {"head_commit.message", "commits.0.message", "message", "release.name", "description"},
      100);
  out.text = what == What::push      ? "push to " + out.about
             : what == What::release ? "release of " + out.about
                                     : "deployment of " + out.about;
  if (!where.empty()) out.text += " to " + where;
  if (!version.empty()) out.text += ", " + version;
  if (!state.empty()) out.text += ", " + state;
  if (!who.empty()) out.text += ", by " + who;
  if (!why.empty()) out.text += ": " + why;
  out.text = plain(out.text, 250);
  const auto id = first_text(
      data, {"deployment.id", "deployment_id", "release.id", "after", "id", "run_id"}, 100);
  out.key = digest_of(
      {std::to_string(static_cast<int>(what)), out.about, where, id.empty() ? version + who : id});
  // When it happened, unless the sender's clock is wrong.
  out.at = event.time > now || event.time < now - std::chrono::hours{24} ? now : event.time;
  return out;
}

}  // namespace

bool is_change(const Event& event) { return what_of(event.type) != What::none; }

Decision decide_on_changes(const Wake& wake, const Recollection& memory) {
  Decision decision;
  decision.rule = "change";
  decision.verdict = Verdict::ignored;
  decision.why = "nothing follows from it";
  const auto* events = std::get_if<EventsArrived>(&wake.because);
  if (events == nullptr) return decision;
  auto state = memory.case_state();
  auto next =
      static_cast<std::size_t>(find_integer(json::value(state), "next").value_or(0)) % slots;
  json::object keys;
  if (const auto* kept = state.if_contains("keys"); kept != nullptr && kept->is_object()) {
    keys = kept->get_object();
  }
  std::string told;
  for (const auto& event : events->events) {
    const auto change = read_change(*event, wake.now);
    auto slot = fmt::format("{:02}", next);
    const auto known = std::ranges::find_if(keys, [&](const auto& entry) {
      return entry.value().is_string() && entry.value().get_string() == change.key;
    });
    if (known != keys.end()) {
      slot = known->key();
    } else {
      next = (next + 1) % slots;
    }
    keys[slot] = change.key;
    decision.facts.push_back(
        {std::string(change_prefix) + slot,
         json::object{
             {"at", to_rfc3339(change.at)}, {"about", change.about}, {"text", change.text}},
         1.0, event->source});
    told += (told.empty() ? "" : "; ") + change.text;
  }
  state["next"] = next;
  state["keys"] = std::move(keys);
  decision.state = std::move(state);
  decision.verdict = Verdict::noted;
  decision.why = plain("remembered for what may follow: " + told, 600);
  return decision;
}

}  // namespace vigil::entities::ops
