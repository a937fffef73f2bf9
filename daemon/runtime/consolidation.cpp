#include "daemon/runtime/consolidation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "daemon/runtime/runtime.hpp"
#include "entities/night.hpp"
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

// The new episodes, oldest first.
std::vector<storage::Episode> gather_new(storage::Stores& stores, const std::string& entity,
                                         const config::MemoryUpkeep& rules, TimePoint now,
                                         Consolidated& out) {
  const auto cursor = stores.cursors.get(cursor_of(entity));
  const auto last = stores.memory.episodes(entity, CaseId{}, 1);
  if (last.empty() || last.front().id <= cursor) return {};
  auto episodes = stores.memory.episodes(entity, CaseId{}, rules.episodes_max);
  std::ranges::reverse(episodes);
  for (const auto& one : entities::gather(episodes)) {
    if (one.newest > cursor && one.confidence >= rules.forget_below) {
      put(stores, entity, one, now, out);
    }
  }
  stores.cursors.set(cursor_of(entity), last.front().id);
  std::erase_if(episodes, [&](const storage::Episode& one) { return one.id <= cursor; });
  out.episodes = static_cast<std::int64_t>(episodes.size());
  out.passed_over = storage::episodes_after(stores.database(), entity, cursor) - out.episodes;
  return episodes;
}

std::optional<Question> question_about(const std::vector<storage::Episode>& episodes,
                                       const std::string& model) {
  if (model.empty() || episodes.empty()) return std::nullopt;
  const auto asked = entities::ask_about_night(model, episodes);
  if (asked.shown == 0) return std::nullopt;
  Question out;
  out.row = row_of(asked.plan);
  out.shown = asked.shown;
  out.cut = asked.cut;
  out.passed_over = asked.passed_over;
  return out;
}

storage::Entry entry_of(const std::string& entity, const Consolidated& done, TimePoint now) {
  storage::Entry entry;
  entry.at = now;
  entry.entity = entity;
  entry.wake_kind = memory_wake;
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
  if (done.passed_over > 0) {
    entry.why += fmt::format("; {} older new episodes were passed over", done.passed_over);
    entry.asked["passed_over"] = done.passed_over;
  }
  return entry;
}

std::string why_of(const entities::NightAnswer& answer, const Consolidated& kept, SwarmId swarm) {
  if (!answer.failed.empty()) {
    return fmt::format(
        "no model said in swarm {} what the night comes to, what was counted stands: "
        "{}",
        swarm.value, answer.failed);
  }
  auto why = fmt::format("of {} proposals of a model in swarm {} came {} facts and {} preferences",
                         answer.proposed, swarm.value, kept.facts, kept.preferences);
  const auto dropped = [&](int count, std::string_view because) {
    if (count > 0) why += fmt::format("; {} dropped: {}", count, because);
  };
  dropped(answer.unknown_episodes, "cites an episode that it was not shown");
  dropped(answer.invented_words, "quotes words that do not stand in each episode it cites");
  dropped(answer.bad_keys, "its key is no name");
  return why;
}

}  // namespace

Consolidated commit_consolidation(storage::Stores& stores, const std::string& entity,
                                  const config::MemoryUpkeep& rules, TimePoint now) {
  Consolidated out;
  const auto faded =
      storage::fade(stores.database(), entity, now, rules.unused_after, rules.forget_below);
  out.halved = faded.halved;
  out.forgotten = faded.forgotten;
  const auto fresh = gather_new(stores, entity, rules, now, out);
  out.model = question_about(fresh, rules.model);
  const auto changed = out.facts + out.preferences + out.halved + out.forgotten + out.passed_over;
  if (changed > 0) out.decision = stores.ledger.append(entry_of(entity, out, now));
  return out;
}

boost::asio::awaitable<Result<Consolidated>> consolidate(storage::Writer& writer, Runtime& runtime,
                                                         std::string entity,
                                                         config::MemoryUpkeep rules,
                                                         TimePoint now) {
  auto change = [entity, rules = std::move(rules), now](storage::Stores& stores) {
    return commit_consolidation(stores, entity, rules, now);
  };
  auto committing = writer.commit(std::move(change));
  Result<Consolidated> done = co_await std::move(committing);
  if (!done || !done->model) co_return done;
  auto asking = runtime.run_plan(std::move(entity), std::move(done->model->row), memory_wake);
  Result<SwarmId> swarm = co_await std::move(asking);
  if (swarm) {
    done->model->swarm = *swarm;
  } else {
    done->model->not_asked = swarm.error().message;
  }
  co_return done;
}

bool is_of_memory(storage::Stores& stores, const storage::Swarm& swarm) {
  if (swarm.case_id) return false;
  const auto asked_by = stores.ledger.find(swarm.decision);
  return asked_by && asked_by->wake_kind == memory_wake;
}

void commit_answer_of_night(storage::Stores& stores, SwarmId id, const swarm::Report& report,
                            TimePoint now) {
  const auto swarm = stores.swarms.find(id);
  const auto plan = swarm ? swarm::plan_from_json(swarm->plan)
                          : Result<swarm::Plan>(fail(ErrorCode::not_found, "its swarm is gone"));
  if (!plan) return;
  const auto answer = entities::judge_night(*plan, report);
  Consolidated kept;
  for (const auto& one : answer.kept) put(stores, swarm->entity, one, now, kept);
  storage::Entry entry;
  entry.at = now;
  entry.entity = swarm->entity;
  entry.wake_kind = memory_wake;
  entry.verdict = "noted";
  entry.rule = "consolidate";
  entry.why = why_of(answer, kept, id);
  entry.asked = json::object{{"taint", "untrusted"},
                             {"because", json::object{{"swarm", id.value}}},
                             {"proposed", answer.proposed},
                             {"facts", kept.facts},
                             {"preferences", kept.preferences},
                             {"dropped", answer.dropped()}};
  stores.ledger.append(entry);
}

}  // namespace vigil::runtime
