#include "daemon/runtime/budgets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "daemon/models/price.hpp"
#include "daemon/runtime/planned.hpp"
#include "daemon/runtime/questions.hpp"

namespace vigil::runtime {
namespace {

constexpr std::int64_t micros_a_cent = 10'000;
// As models::estimated_tokens counts; the words that say what they are come to less than one.
constexpr std::int64_t tokens_of_an_example = shown_plan_bytes_max / 4;
constexpr std::size_t asked_one_by_one = 32;  // names; of more, all that is known is read at once

bool says_anything(const config::Allowance& of) {
  return of.tokens > 0 || of.money_cents > 0 || of.compute > Duration{0} || of.notifications > 0 ||
         of.swarms > 0;
}

// One kind of a budget: what the day has of it, and how much more is wanted.
struct Kind {
  const char* column;  // in `spend`
  const char* key;     // in the configuration
  std::int64_t limit = 0;
  std::int64_t reserved = 0;
  std::int64_t wanted = 0;
  // How it may want less. nullptr: what is wanted may be a timeout, which is no estimate; more than
  // a whole day's of it goes while anything is left, else what it takes would never become known.
  const char* take_less = nullptr;

  bool fits_a_day() const { return wanted <= limit; }
  bool has_room(std::int64_t used) const {
    return fits_a_day() || take_less != nullptr ? used + wanted <= limit : used < limit;
  }
  bool is_money() const { return std::string_view(column) == "money_micros"; }
  std::int64_t unit() const { return is_money() ? micros_a_cent : 1; }  // as it is shown
};

std::string shown(const Kind& kind, std::int64_t amount) {
  if (std::string_view(kind.column) == "compute_us") return vigil::to_text(Duration{amount});
  return std::to_string((amount + kind.unit() - 1) / kind.unit());
}

std::string told(const Account& account, const Kind& kind, std::int64_t spent,
                 const storage::Day& day) {
  const auto limit = fmt::format("{}.{} = {}", account.path, kind.key, shown(kind, kind.limit));
  if (!kind.fits_a_day() && kind.take_less != nullptr) {
    return fmt::format(
        "no day's {} are enough: {}, this may take {}; waiting does not help: raise it and reload, "
        "or let it take less ({})",
        kind.key, limit, shown(kind, kind.wanted), kind.take_less);
  }
  const auto left = std::max<std::int64_t>(kind.limit - spent - kind.reserved, 0);
  return fmt::format(
      "{}: {}, spent {}, set aside {}, left {}, this may take {}; raise it and reload, or wait "
      "until {}",
      left > 0 ? fmt::format("too little is left of the day's {}", kind.key)
               : fmt::format("the day's {} are spent", kind.key),
      limit, shown(kind, spent), shown(kind, kind.reserved), shown(kind, left - left % kind.unit()),
      shown(kind, kind.wanted), to_rfc3339(day.until));
}

std::optional<std::string> lacking(storage::DayUse& use, const Account& account, const Kind& kind,
                                   const storage::Day& day) {
  if (kind.limit == 0) return std::nullopt;
  const auto spent = use.spent(account.name, day, kind.column);
  if (kind.has_room(spent + kind.reserved)) return std::nullopt;
  return told(account, kind, spent, day);
}

storage::SetAside reserved_of(storage::DayUse& use, const Account& account,
                              const storage::Day& day) {
  const auto& limits = account.limits;
  if (limits.tokens == 0 && limits.money_cents == 0 && limits.compute == Duration{0}) return {};
  if (account.entity.empty()) return use.reserved(day);
  if (!account.case_id) return use.reserved(day, account.entity);
  return use.reserved(day, account.entity, account.case_id);
}

void add_one(storage::Stores& stores, const std::vector<Account>& accounts, const storage::Day& day,
             const char* kind) {
  for (const auto& account : accounts) stores.spend.settle(account.name, day.name, kind, 0, 1);
}

Duration compute_of(storage::Stores& stores, const std::string& entity, const Estimate& estimate) {
  std::unordered_map<std::string, Duration> known;
  const bool at_once = estimate.names.size() > asked_one_by_one;
  if (at_once) {
    for (auto& one : stores.swarms.learned(entity, storage::learned_names_max)) {
      known.emplace(std::move(one.task), one.took);
    }
  }
  Duration sum{0};
  for (const auto& [name, count, timeout] : estimate.names) {
    std::optional<Duration> took;
    if (const auto found = known.find(name); found != known.end()) took = found->second;
    if (!at_once) took = stores.swarms.learned(entity, name);
    sum += took ? *took * count : timeout;
  }
  return sum;
}

}  // namespace

config::Allowance allowance_of(const config::Budget& budget) {
  return {budget.tokens, budget.money_cents, budget.compute, budget.notifications, budget.swarms};
}

std::vector<Account> accounts_of(const config::Settings& settings, const config::Entity& entity,
                                 CaseId of) {
  const auto path = fmt::format("entity.{}.budget", entity.name);
  std::vector<Account> out{
      {all_entities, "budget", settings.budget, "", {}},
      {entity.name, path, allowance_of(entity.budget), entity.name, {}},
  };
  if (of && says_anything(*entity.budget.of_case)) {
    out.push_back({fmt::format("case:{}", of.value), path + ".case", *entity.budget.of_case,
                   entity.name, of});
  }
  return out;
}

std::vector<std::string> names_of(const std::vector<Account>& accounts) {
  std::vector<std::string> out;
  for (const auto& account : accounts) out.push_back(account.name);
  return out;
}

Estimate estimate_of(const swarm::Plan& plan) {
  Estimate out;
  std::unordered_map<std::string, std::size_t> places;
  for (const auto& task : plan.tasks) {
    out.asks |= asks(task);
    out.planners += task.planner ? 1 : 0;
    for (auto& question : models::questions_of(task)) out.questions.push_back(std::move(question));
    auto name = storage::learned_name(task.name);
    const auto [place, fresh] = places.try_emplace(name, out.names.size());
    if (fresh) out.names.push_back({std::move(name), 0, Duration{0}});
    auto& learned = out.names[place->second];
    ++learned.count;
    learned.timeout += task.timeout;
  }
  return out;
}

storage::SetAside need_of(storage::Stores& stores, const config::Settings& settings,
                          const std::string& entity, const Estimate& estimate) {
  storage::SetAside out;
  out.compute = compute_of(stores, entity, estimate);
  for (auto question : estimate.questions) {
    const auto model = settings.models.find(question.model);
    if (model == settings.models.end()) continue;
    if (question.plans) question.input += settings.planning.examples * tokens_of_an_example;
    const auto usage = models::most_of(question, model->second.output_tokens_max);
    out.tokens += usage.sum();
    out.money_micros += models::money_micros(usage, model->second.price);
  }
  out.tokens += estimate.planners * settings.planning.tokens_max;
  out.money_micros += estimate.planners * settings.planning.money_cents_max * micros_a_cent;
  return out;
}

std::optional<Lacking> take_swarm(storage::Stores& stores, const std::vector<Account>& accounts,
                                  const storage::SetAside& need, bool asks, TimePoint now) {
  const auto day = storage::day_at(now);
  storage::DayUse use(stores.database());
  for (const auto& account : accounts) {
    const auto& limits = account.limits;
    const auto reserved = reserved_of(use, account, day);
    // Something must be left, even for what cannot be told before.
    const auto some = [](std::int64_t amount) { return std::max<std::int64_t>(amount, 1); };
    const Kind firm[] = {{"swarms", "swarms", limits.swarms, 0, 1},
                         {"compute_us", "compute", limits.compute.count(), reserved.compute.count(),
                          some(need.compute.count())}};
    constexpr const char* shorter =
        "shorter answers: output_tokens_max of the question or of its model; fewer retries and "
        "variants; a smaller [planning] for planners";
    const Kind of_questions[] = {
        {"tokens", "tokens", limits.tokens, reserved.tokens, some(need.tokens), shorter},
        {"money_micros", "money_cents", limits.money_cents * micros_a_cent, reserved.money_micros,
         some(need.money_micros), shorter}};
    for (const auto& kind : firm) {
      if (auto why = lacking(use, account, kind, day)) return Lacking{false, std::move(*why)};
    }
    for (const auto& kind : of_questions) {
      if (!asks) break;
      if (auto why = lacking(use, account, kind, day)) return Lacking{true, std::move(*why)};
    }
  }
  add_one(stores, accounts, day, "swarms");
  return std::nullopt;
}

std::optional<Lacking> take_notification(storage::Stores& stores,
                                         const std::vector<Account>& accounts, TimePoint now) {
  const auto day = storage::day_at(now);
  storage::DayUse use(stores.database());
  for (const auto& account : accounts) {
    const Kind kind{"notifications", "notifications", account.limits.notifications, 0, 1};
    if (auto why = lacking(use, account, kind, day)) return Lacking{false, std::move(*why)};
  }
  add_one(stores, accounts, day, "notifications");
  return std::nullopt;
}

void settle(storage::Stores& stores, const std::vector<std::string>& accounts,
            const storage::SetAside& took, TimePoint asked) {
  const auto day = storage::day_at(asked);
  const auto add = [&](const char* kind, std::int64_t amount) {
    if (amount <= 0) return;
    for (const auto& account : accounts) stores.spend.settle(account, day.name, kind, 0, amount);
  };
  add("compute_us", took.compute.count());
  add("tokens", took.tokens);
  add("money_micros", took.money_micros);
}

}  // namespace vigil::runtime
