#include "daemon/runtime/consolidation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "entities/consolidation.hpp"
#include "storage/fading.hpp"

namespace vigil::runtime {
namespace {

// The last episode that was looked at: older ones bring nothing back that was forgotten since.
std::string cursor_of(const std::string& entity) { return "memory:" + entity; }

void put(storage::Stores& stores, const std::string& entity, const entities::Gathered& one,
         TimePoint now, Consolidated& out) {
  if (one.is_preference) {
    stores.memory.put(
        storage::Preference{entity, one.key, one.value, one.provenance, now, one.taint});
    ++out.preferences;
  } else {
    stores.memory.put(
        storage::Fact{entity, one.key, one.value, one.confidence, one.provenance, one.taint, now});
    ++out.facts;
  }
}

void gather_new(storage::Stores& stores, const std::string& entity,
                const config::MemoryUpkeep& rules, TimePoint now, Consolidated& out) {
  const auto cursor = stores.cursors.get(cursor_of(entity));
  const auto last = stores.memory.episodes(entity, CaseId{}, 1);
  if (last.empty() || last.front().id <= cursor) return;
  auto episodes = stores.memory.episodes(entity, CaseId{}, rules.episodes_max);
  std::ranges::reverse(episodes);
  out.episodes = std::ranges::count_if(
      episodes, [&](const storage::Episode& episode) { return episode.id > cursor; });
  for (const auto& one : entities::gather(episodes)) {
    if (one.newest > cursor && one.confidence >= rules.forget_below) {
      put(stores, entity, one, now, out);
    }
  }
  stores.cursors.set(cursor_of(entity), last.front().id);
}

storage::Entry entry_of(const std::string& entity, const Consolidated& done, TimePoint now) {
  storage::Entry entry;
  entry.at = now;
  entry.entity = entity;
  entry.wake_kind = "memory";
  entry.verdict = "noted";
  entry.rule = "consolidate";
  entry.why = fmt::format(
      "of {} new episodes came {} facts and {} preferences; {} unused facts were halved, {} "
      "forgotten",
      done.episodes, done.facts, done.preferences, done.halved, done.forgotten);
  entry.asked = json::object{{"episodes", done.episodes},
                             {"facts", done.facts},
                             {"preferences", done.preferences},
                             {"halved", done.halved},
                             {"forgotten", done.forgotten}};
  return entry;
}

}  // namespace

Consolidated commit_consolidation(storage::Stores& stores, const std::string& entity,
                                  const config::MemoryUpkeep& rules, TimePoint now) {
  Consolidated out;
  const auto faded =
      storage::fade(stores.database(), entity, now, rules.unused_after, rules.forget_below);
  out.halved = faded.halved;
  out.forgotten = faded.forgotten;
  gather_new(stores, entity, rules, now, out);
  if (out.facts + out.preferences + out.halved + out.forgotten == 0) return out;
  out.decision = stores.ledger.append(entry_of(entity, out, now));
  return out;
}

boost::asio::awaitable<Result<Consolidated>> consolidate(storage::Writer& writer,
                                                         std::string entity,
                                                         config::MemoryUpkeep rules,
                                                         TimePoint now) {
  auto change = [entity = std::move(entity), rules = std::move(rules),
                 now](storage::Stores& stores) {
    return commit_consolidation(stores, entity, rules, now);
  };
  auto committing = writer.commit(std::move(change));
  co_return co_await std::move(committing);
}

}  // namespace vigil::runtime
