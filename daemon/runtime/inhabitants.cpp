#include "daemon/runtime/inhabitants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "core/log.hpp"

namespace vigil::runtime {
namespace {

// Kept for each subscription, of which there may be tens of thousands: hence three words. A plain
// condition is asked as it stands in the settings.
struct Listening {
  const Inhabitant* who = nullptr;
  const config::Subscription* subscription = nullptr;
  std::unique_ptr<entities::Filter> filter;

  Result<bool> matches(const Event& event, const entities::EventView& view) const {
    if (filter) return filter->matches(event);
    return subscription->match.empty() || entities::matches_plain(subscription->match, view);
  }
};

using Place = std::uint32_t;  // of a listening among all
using Places = std::vector<Place>;

// Subscriptions of one source. Most say which repository, service or instrument they are about by
// an exact text: those are found by its hash, the others are asked one by one. Two texts of one
// hash do no harm: the condition is asked all the same.
struct Bucket {
  struct Entry {
    std::size_t hash;
    Place place;
    auto operator<=>(const Entry&) const = default;
  };
  struct ByPath {
    std::string path;
    std::vector<Entry> by_text;  // sorted once all are there
  };
  std::vector<ByPath> keyed;
  Places asked;
};

std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }

// The first condition that a hash can decide: any of some texts at a path into the event.
const config::FieldMatch* keyed_field(const config::Match& match) {
  for (const auto& field : match.fields) {
    if (field.test != config::FieldMatch::Test::any_of || field.values.empty()) continue;
    bool texts = true;
    for (const auto& value : field.values) texts = texts && value.is_string();
    if (texts && (field.path.starts_with("data.") || field.path == "subject")) return &field;
  }
  return nullptr;
}

std::optional<std::string_view> text_at(const Event& event, std::string_view path) {
  if (path == "subject") return event.subject;
  return find_text(event.data, path.substr(std::string_view("data.").size()));
}

bool has_glob(std::string_view text) { return text.find('*') != std::string_view::npos; }

bool type_matches(const config::Subscription& subscription, std::string_view type) {
  for (const auto& pattern : subscription.types) {
    if (entities::matches_glob(pattern, type)) return true;
  }
  return false;
}

void put(Bucket& bucket, const config::Subscription& subscription, Place place) {
  const auto* field = keyed_field(subscription.match);
  if (field == nullptr) {
    bucket.asked.push_back(place);
    return;
  }
  auto keyed = std::ranges::find(bucket.keyed, field->path, &Bucket::ByPath::path);
  if (keyed == bucket.keyed.end()) {
    bucket.keyed.push_back({field->path, {}});
    keyed = std::prev(bucket.keyed.end());
  }
  for (const auto& value : field->values) {
    const auto& text = value.get_string();
    keyed->by_text.push_back({hash_of({text.data(), text.size()}), place});
  }
}

void settle(Bucket& bucket) {
  bucket.asked.shrink_to_fit();
  for (auto& keyed : bucket.keyed) {
    std::ranges::sort(keyed.by_text);
    keyed.by_text.shrink_to_fit();
  }
}

// Everybody in the bucket that may match, by the index alone.
void collect(const Bucket& bucket, const Event& event, Places& out) {
  out.insert(out.end(), bucket.asked.begin(), bucket.asked.end());
  for (const auto& keyed : bucket.keyed) {
    const auto text = text_at(event, keyed.path);
    if (!text) continue;
    const auto found =
        std::ranges::equal_range(keyed.by_text, hash_of(*text), {}, &Bucket::Entry::hash);
    for (const auto& entry : found) out.push_back(entry.place);
  }
}

}  // namespace

struct Inhabitants::State {
  std::shared_ptr<const config::Settings> settings;
  entities::Guardians guardians;
  std::vector<std::unique_ptr<Inhabitant>> all;  // by name, as the settings are
  std::vector<Listening> listenings;
  std::unordered_map<std::string, Bucket> by_source;
  Bucket any_source;  // subscriptions whose source is a pattern

  Result<void> listen(const Inhabitant& who, const config::Subscription& subscription);
};

Result<void> Inhabitants::State::listen(const Inhabitant& who,
                                        const config::Subscription& subscription) {
  Listening listening{&who, &subscription, nullptr};
  if (!entities::is_plain(subscription.match, subscription.when)) {
    auto filter = entities::Filter::compile(subscription.match, subscription.when);
    if (!filter) return std::unexpected(std::move(filter.error()));
    listening.filter = std::make_unique<entities::Filter>(std::move(*filter));
  }
  auto& bucket = has_glob(subscription.source) ? any_source : by_source[subscription.source];
  put(bucket, subscription, static_cast<Place>(listenings.size()));
  listenings.push_back(std::move(listening));
  return {};
}

Inhabitants::Inhabitants() : state_(std::make_unique<State>()) {}
Inhabitants::~Inhabitants() = default;

Result<std::shared_ptr<const Inhabitants>> Inhabitants::compile(
    std::shared_ptr<const config::Settings> settings) {
  std::shared_ptr<Inhabitants> out(new Inhabitants);
  auto& state = *out->state_;
  state.settings = std::move(settings);
  std::string mistakes;
  for (const auto& [name, entity] : state.settings->entities) {
    auto guardian = entities::make_guardian(entity);
    if (!guardian) {
      mistakes += fmt::format("entity.{}: {}\n", name, guardian.error().message);
      continue;
    }
    // Rules have shown that they can be made; they are made again when they are needed.
    auto pointer = entities::Guardians::may_forget(entity)
                       ? GuardianPointer(entity, state.guardians)
                       : GuardianPointer(std::move(*guardian));
    auto inhabitant = std::make_unique<Inhabitant>(
        Inhabitant{entity, std::move(pointer), std::holds_alternative<config::Process>(entity.of)});
    for (const auto& subscription : entity.on) {
      if (auto taken = state.listen(*inhabitant, subscription); !taken) {
        mistakes += fmt::format("entity.{}.on: {}\n", name, taken.error().message);
      }
    }
    state.all.push_back(std::move(inhabitant));
  }
  if (!mistakes.empty()) {
    mistakes.pop_back();
    return fail(ErrorCode::invalid_input, std::move(mistakes));
  }
  state.listenings.shrink_to_fit();
  settle(state.any_source);
  for (auto& [source, bucket] : state.by_source) settle(bucket);
  return out;
}

const Inhabitant* Inhabitants::find(const std::string& name) const {
  const auto& all = state_->all;
  const auto found = std::ranges::lower_bound(
      all, name, {}, [](const auto& one) -> const std::string& { return one->settings.name; });
  return found == all.end() || (*found)->settings.name != name ? nullptr : found->get();
}

const std::vector<std::unique_ptr<Inhabitant>>& Inhabitants::all() const { return state_->all; }

const config::Settings& Inhabitants::settings() const { return *state_->settings; }

std::vector<Routed> Inhabitants::route(const Event& event, std::string& missed) const {
  Places candidates;
  if (const auto found = state_->by_source.find(event.source); found != state_->by_source.end()) {
    collect(found->second, event, candidates);
  }
  collect(state_->any_source, event, candidates);
  const entities::EventView view(event);
  std::vector<Routed> out;
  std::size_t looked_at = 0;
  for (const auto place : candidates) {
    const auto& listening = state_->listenings[place];
    const auto& wanted = *listening.subscription;
    if (!entities::matches_glob(wanted.source, event.source) || !type_matches(wanted, event.type))
      continue;
    ++looked_at;
    if (std::ranges::find(out, listening.who, &Routed::who) != out.end()) continue;
    const auto matched = listening.matches(event, view);
    if (!matched) {
      log_warn("a filter failed, the event is not for it: entity={} event={} error={}",
               listening.who->settings.name, event.id.value, quoted(matched.error().message));
      missed += fmt::format("{}: {}; ", listening.who->settings.name, matched.error().message);
    }
    if (!matched.value_or(false)) continue;
    out.push_back({listening.who, listening.who->guardian->interest(event)});
  }
  if (out.empty()) {
    missed +=
        looked_at == 0
            ? fmt::format("no entity subscribes to {} from source {}", event.type, event.source)
            : fmt::format("none of {} subscriptions to {} matched", looked_at, event.type);
  }
  return out;
}

}  // namespace vigil::runtime
