#include "daemon/runtime/inhabitants.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "core/log.hpp"
#include "entities/roster.hpp"

namespace vigil::runtime {
namespace {

struct Listening {
  const Inhabitant* who = nullptr;
  const config::Subscription& subscription;
  entities::Filter filter;
};

using Listenings = std::vector<const Listening*>;

// Subscriptions of one source. Most say which repository, service or instrument they are about by
// an exact text: those are found by hash, the others are asked one by one.
struct Bucket {
  struct ByPath {
    std::string path;
    std::unordered_map<std::string, Listenings> by_text;
  };
  std::vector<ByPath> keyed;
  Listenings asked;
};

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

void put(Bucket& bucket, const Listening& listening) {
  const auto* field = keyed_field(listening.subscription.match);
  if (field == nullptr) {
    bucket.asked.push_back(&listening);
    return;
  }
  auto place = std::ranges::find(bucket.keyed, field->path, &Bucket::ByPath::path);
  if (place == bucket.keyed.end()) {
    bucket.keyed.push_back({field->path, {}});
    place = std::prev(bucket.keyed.end());
  }
  for (const auto& value : field->values) {
    place->by_text[std::string(value.get_string())].push_back(&listening);
  }
}

// Everybody in the bucket that may match, by the index alone.
void collect(const Bucket& bucket, const Event& event, Listenings& out) {
  out.insert(out.end(), bucket.asked.begin(), bucket.asked.end());
  for (const auto& keyed : bucket.keyed) {
    const auto text = text_at(event, keyed.path);
    if (!text) continue;
    const auto found = keyed.by_text.find(std::string(*text));
    if (found != keyed.by_text.end())
      out.insert(out.end(), found->second.begin(), found->second.end());
  }
}

}  // namespace

struct Inhabitants::State {
  std::shared_ptr<const config::Settings> settings;
  std::vector<std::unique_ptr<Inhabitant>> all;
  std::unordered_map<std::string, const Inhabitant*> by_name;
  std::vector<std::unique_ptr<Listening>> listenings;
  std::unordered_map<std::string, Bucket> by_source;
  Bucket any_source;  // subscriptions whose source is a pattern
};

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
    auto inhabitant = std::make_unique<Inhabitant>(Inhabitant{
        entity, std::move(*guardian), std::holds_alternative<config::Process>(entity.of)});
    state.by_name[name] = inhabitant.get();
    for (const auto& subscription : entity.on) {
      auto filter = entities::Filter::compile(subscription.match, subscription.when);
      if (!filter) {
        mistakes += fmt::format("entity.{}.on: {}\n", name, filter.error().message);
        continue;
      }
      auto listening = std::make_unique<Listening>(
          Listening{inhabitant.get(), subscription, std::move(*filter)});
      put(has_glob(subscription.source) ? state.any_source : state.by_source[subscription.source],
          *listening);
      state.listenings.push_back(std::move(listening));
    }
    state.all.push_back(std::move(inhabitant));
  }
  if (!mistakes.empty()) {
    mistakes.pop_back();
    return fail(ErrorCode::invalid_input, std::move(mistakes));
  }
  return out;
}

const Inhabitant* Inhabitants::find(const std::string& name) const {
  const auto found = state_->by_name.find(name);
  return found == state_->by_name.end() ? nullptr : found->second;
}

const std::vector<std::unique_ptr<Inhabitant>>& Inhabitants::all() const { return state_->all; }

const config::Settings& Inhabitants::settings() const { return *state_->settings; }

std::vector<Routed> Inhabitants::route(const Event& event, std::string& missed) const {
  Listenings candidates;
  if (const auto found = state_->by_source.find(event.source); found != state_->by_source.end()) {
    collect(found->second, event, candidates);
  }
  collect(state_->any_source, event, candidates);
  std::vector<Routed> out;
  std::size_t looked_at = 0;
  for (const auto* listening : candidates) {
    const auto& wanted = listening->subscription;
    if (!entities::matches_glob(wanted.source, event.source) || !type_matches(wanted, event.type))
      continue;
    ++looked_at;
    if (std::ranges::find(out, listening->who, &Routed::who) != out.end()) continue;
    if (!wanted.match.empty() || !wanted.when.empty()) {
      const auto matched = listening->filter.matches(event);
      if (!matched) {
        log_warn("a filter failed, the event is not for it: entity={} event={} error={}",
                 listening->who->settings.name, event.id.value, quoted(matched.error().message));
        missed += fmt::format("{}: {}; ", listening->who->settings.name, matched.error().message);
      }
      if (!matched.value_or(false)) continue;
    }
    out.push_back({listening->who, listening->who->guardian->interest(event)});
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
