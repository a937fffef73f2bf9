#include "daemon/runtime/swarm_host.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/object.hpp>
#include <thread>

#include "core/log.hpp"
#include "core/on_pool.hpp"
#include "core/vital.hpp"
#include "daemon/runtime/planned.hpp"
#include "swarm/process_runner.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

constexpr int learned_runs_min = 5;  // before a task can be called late

int slots_of(const config::Swarms& limits) {
  if (limits.slots > 0) return limits.slots;
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())) * 2;
}

// A resource called memory counts MiB; unless told otherwise there are as many as the machine has.
int machine_memory_mib() {
  const auto pages = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES));
  const auto page = static_cast<std::int64_t>(::sysconf(_SC_PAGE_SIZE));
  return static_cast<int>(std::max<std::int64_t>(pages * page / (1024 * 1024), 1));
}

// Throws what cannot be read.
swarm::Run run_of(storage::Stores& stores, const storage::Swarm& swarm) {
  auto plan = swarm::plan_from_json(swarm.plan);
  if (!plan) throw std::runtime_error(plan.error().message);
  swarm::Run run;
  run.id = swarm.id;
  run.owner = swarm.entity;
  run.plan = std::move(*plan);
  run.fence_base = stores.swarms.fence_max(swarm.id);
  // One that failed is tried again: the daemon's own end may have been why.
  for (const auto& task : stores.swarms.tasks(swarm.id)) {
    if (task.state != "done") continue;
    auto outcome = swarm::task_outcome_from_json(task.outcome);
    if (!outcome) throw std::runtime_error(outcome.error().message);
    run.finished.push_back(std::move(*outcome));
  }
  return run;
}

// As RFC 6298 takes a round trip for lost.
swarm::Learned learned_of(const storage::Swarms::Learned& row) {
  swarm::Learned learned;
  learned.typical = row.took;
  if (row.runs < learned_runs_min) return learned;
  learned.late = std::max(row.took + 4 * row.deviation, row.took + row.took / 2);
  return learned;
}

// A swarm that never ran: its plan cannot be read any more, or it was cancelled while it waited.
swarm::Report never_ran(const storage::Swarm& swarm, const std::string& why, bool cancelled,
                        TimePoint now) {
  swarm::Report report;
  report.swarm = swarm.id;
  report.title = swarm.title;
  report.cancelled = cancelled;
  report.error = why;
  report.started = now;
  return report;
}

}  // namespace

SwarmHost::SwarmHost(House& house)
    : house_(house), notes_(house.executor, house.clock, house.writer), group_(house.executor) {}
SwarmHost::~SwarmHost() = default;

void SwarmHost::apply(const config::Settings& settings) {
  notes_.keep_results(settings.storage.cache_bytes_max);
  examples_ = settings.planning.examples;
  for (const auto& [name, model] : settings.models) {
    models_["model:" + name] = model.concurrency;
    if (engine_) engine_->set_units("model:" + name, model.concurrency);
  }
}

void SwarmHost::start(const config::Swarms& limits) {
  swarm::ProcessLimits children;
  children.output_bytes_max = limits.output_bytes_max;
  children.memory_bytes_max = limits.memory_bytes_max;
  processes_ = swarm::make_process_runner(house_.executor, house_.clock, house_.places.programs_dir,
                                          house_.places.state_dir + "/work", children);
  if (house_.places.runner_over) runner_ = house_.places.runner_over(*processes_);
  swarm::EngineLimits engine;
  engine.slots = slots_of(limits);
  engine.slots_per_owner = limits.slots_per_entity;
  engine.resources = limits.resources;
  engine.resources.insert(models_.begin(), models_.end());
  engine.resources.try_emplace("memory", machine_memory_mib());
  for (const auto& [name, rate] : limits.rates) engine.starts_per_minute[name] = rate;
  engine.task_timeout = limits.task_timeout;
  engine.grace = limits.grace;
  auto& runner = runner_ ? *runner_ : *processes_;
  engine_ = std::make_unique<swarm::Engine>(house_.executor, house_.clock, runner, notes_, engine);
  notes_.read_from(*house_.reader);
  engine_->on_progress([this](const swarm::Progress& progress) { tell(progress); });
  engine_->use_durations(
      [this](const std::string& entity, const std::string& task) -> std::optional<swarm::Learned> {
        const auto& of = learned_[entity];
        const auto found = of.find(storage::learned_name(task));
        if (found == of.end()) return std::nullopt;
        return found->second;
      });
  aside_ = std::make_unique<asio::thread_pool>(1);
  engine_->use_pool(aside_->get_executor());
  for (const auto& swarm : house_.reader->swarms.unfinished()) enqueue(swarm, source_of(swarm));
  go_on();
}

std::string SwarmHost::source_of(const storage::Swarm& swarm) const {
  const auto decision = house_.reader->ledger.find(swarm.decision);
  if (!decision || decision->events.empty()) return "";
  const auto event = house_.reader->journal.find(decision->events.front());
  return event ? event->source : "";
}

void SwarmHost::enqueue(const storage::Swarm& swarm, std::string source) {
  queue_.push_back({swarm.id, swarm.entity, std::move(source)});
}

void SwarmHost::planned(const std::vector<SwarmId>& swarms, const std::string& source) {
  for (const auto id : swarms) {
    const auto swarm = house_.reader->swarms.brief(id);
    if (swarm) enqueue(*swarm, source);
  }
  go_on();
}

bool SwarmHost::may_run(const std::string& entity) const {
  const auto* who = house_.inhabitants->find(entity);
  if (who == nullptr || !who->settings.reactivity->concurrency) return true;
  const auto same = std::ranges::count_if(
      running_, [&](const auto& entry) { return entry.second.entity == entity; });
  return same < *who->settings.reactivity->concurrency;
}

void SwarmHost::go_on() {
  for (auto next = queue_.begin(); !stopping_ && next != queue_.end();) {
    if (!may_run(next->entity)) {
      ++next;
      continue;
    }
    running_.emplace(next->id, *next);
    group_.spawn(fmt::format("swarm {}", next->id.value),
                 [this, queued = *next] { return vital("swarm", run(queued)); });
    next = queue_.erase(next);
  }
}

storage::Stores& SwarmHost::reader_aside() {
  if (!reader_aside_) {
    auto opened = storage::Stores::open_reader(house_.places.state_dir);
    if (!opened) throw std::runtime_error(opened.error().message);
    reader_aside_ = std::move(*opened);
  }
  return *reader_aside_;
}

asio::awaitable<SwarmHost::Prepared> SwarmHost::prepare(SwarmId swarm) {
  auto work = [this, swarm, examples = examples_] {
    Prepared out;
    try {  // what cannot be read is the end of this swarm, not of the others
      auto& stores = reader_aside();
      out.swarm = stores.swarms.find(swarm);
      if (!out.swarm) return out;
      out.run = run_of(stores, *out.swarm);
      show_earlier_plans(out.run.plan, stores, out.swarm->entity, examples);
      out.swarm->plan = nullptr;
      for (const auto& row : stores.swarms.learned(out.swarm->entity, storage::learned_names_max)) {
        out.learned.emplace(row.task, learned_of(row));
      }
    } catch (const std::exception& error) {
      out.error = error.what();
    }
    return out;
  };
  auto reading = on_pool(aside_->get_executor(), house_.executor, std::move(work));
  co_return co_await std::move(reading);
}

asio::awaitable<void> SwarmHost::run(Queued queued) {
  auto preparing = prepare(queued.id);
  Prepared prepared = co_await std::move(preparing);
  if (!prepared.swarm) prepared.swarm = house_.reader->swarms.brief(queued.id);
  if (!prepared.swarm) {
    running_.erase(queued.id);
    co_return;
  }
  auto& swarm = *prepared.swarm;
  const auto now = house_.clock.now();
  auto starting = house_.writer.commit(
      [id = queued.id, now](storage::Stores& stores) { stores.swarms.start(id, now); });
  Result<void> begun = co_await std::move(starting);
  (void)begun;  // only `since when` is lost; the end is what counts
  // From here to the engine nothing is waited for: whoever cancels it finds it there, or came
  // before.
  swarm::Report report;
  if (const auto why = cancelled_.find(queued.id); why != cancelled_.end()) {
    report = never_ran(swarm, why->second, true, now);
    cancelled_.erase(why);
  } else if (!prepared.error.empty()) {
    report = never_ran(swarm, "its plan cannot be read: " + prepared.error, false, now);
  } else {
    learned_[queued.entity] = std::move(prepared.learned);
    house_.bulletin.post("swarm", [&] {
      return json::object{{"id", queued.id.value},  {"entity", queued.entity},
                          {"state", "running"},     {"title", swarm.title},
                          {"case", swarm.case_key}, {"tasks", prepared.run.plan.tasks.size()}};
    });
    auto running = engine_->run(std::move(prepared.run));
    report = co_await std::move(running);
  }
  auto finishing = finish(std::move(swarm), std::move(report));
  co_await std::move(finishing);
  running_.erase(queued.id);
  go_on();
  house_.work_ended();
}

// The numbers alone: the tasks may be many.
void SwarmHost::tell_end(const storage::Swarm& swarm, swarm::Report& report) {
  house_.bulletin.post("swarm", [&] {
    const auto speed = report.speed();
    const auto correctness = report.correctness();
    auto tasks = std::exchange(report.tasks, {});
    auto result = std::exchange(report.result, nullptr);
    auto told = swarm::to_json(report);
    report.tasks = std::move(tasks);
    report.result = std::move(result);
    told.erase("tasks");
    told.erase("result");
    told["speed"] = speed;
    told["correctness"] = correctness;
    told["id"] = swarm.id.value;
    told["entity"] = swarm.entity;
    told["case"] = swarm.case_key;
    told["state"] = state_of(report);
    return told;
  });
}

asio::awaitable<void> SwarmHost::store_end(storage::Swarm swarm,
                                           std::shared_ptr<swarm::Report> report) {
  const auto* who = house_.inhabitants->find(swarm.entity);
  // Who is configured no more has no limits, and is paid for all the same.
  const auto accounts =
      who != nullptr
          ? names_of(accounts_of(house_.inhabitants->settings(), who->settings, swarm.case_id))
          : std::vector<std::string>{all_entities, swarm.entity};
  auto change = [swarm, report, accounts, now = house_.clock.now()](storage::Stores& stores) {
    return commit_end(stores, swarm, *report, accounts, now);
  };
  while (true) {
    auto committing = house_.writer.commit(change);
    Result<std::optional<Waiting>> ended = co_await std::move(committing);
    if (ended) {
      tell_end(swarm, *report);
      std::vector<Waiting> wakes;
      if (*ended) wakes.push_back(std::move(**ended));
      house_.deliver(std::move(wakes));
      co_return;
    }
    log_warn("the end of a swarm could not be stored, trying again: swarm={} error={}",
             swarm.id.value, quoted(ended.error().message));
    co_await house_.clock.sleep_for(refused_pause);
  }
}

asio::awaitable<void> SwarmHost::finish(storage::Swarm swarm, swarm::Report report) {
  auto shared = std::make_shared<swarm::Report>(std::move(report));
  auto storing = store_end(std::move(swarm), shared);
  co_await std::move(storing);
  // To free what a large one leaves takes longer than a turn of the loop may.
  asio::post(*aside_, [shared = std::move(shared)]() mutable { shared.reset(); });
}

Result<void> SwarmHost::cancel(SwarmId swarm, const std::string& why) {
  if (engine_ && engine_->cancel(swarm, why)) return {};
  const auto waits = std::ranges::find(queue_, swarm, &Queued::id);
  if (waits == queue_.end() && !running_.contains(swarm)) {
    return fail(ErrorCode::conflict,
                fmt::format("swarm {} is not running: vigilctl swarms list", swarm.value));
  }
  cancelled_[swarm] = why;
  if (waits != queue_.end()) {
    const auto queued = *waits;
    queue_.erase(waits);
    running_.emplace(queued.id, queued);
    group_.spawn(fmt::format("swarm {}", queued.id.value),
                 [this, queued] { return vital("swarm", run(queued)); });
  }
  return {};
}

void SwarmHost::cancel_of(const std::vector<CaseId>& cases) {
  for (const auto case_id : cases) {
    for (const auto& swarm : house_.reader->swarms.unfinished_of(case_id)) {
      (void)cancel(swarm.id, "a newer event made it pointless");  // it may just have ended
    }
  }
}

void SwarmHost::cancel_of_source(const std::string& source, const std::string& why) {
  std::vector<SwarmId> found;
  for (const auto& [id, queued] : running_) {
    if (queued.source == source) found.push_back(id);
  }
  for (const auto& queued : queue_) {
    if (queued.source == source) found.push_back(queued.id);
  }
  for (const auto id : found) (void)cancel(id, why);  // it may just have ended
}

void SwarmHost::tell(const swarm::Progress& progress) {
  house_.bulletin.post("task", [&] {
    json::object told{{"swarm", progress.swarm.value},           {"task", progress.task},
                      {"state", swarm::to_text(progress.state)}, {"attempt", progress.attempt},
                      {"took_us", progress.took.count()},        {"note", progress.note}};
    if (progress.fraction >= 0) told["fraction"] = progress.fraction;
    if (!progress.parent.empty()) told["parent"] = progress.parent;
    return told;
  });
}

int SwarmHost::running_tasks() const { return engine_ ? engine_->running_tasks() : 0; }

bool SwarmHost::busy_with(const std::string& source) const {
  const auto is = [&](const Queued& queued) { return queued.source == source; };
  return std::ranges::any_of(queue_, is) ||
         std::ranges::any_of(running_, [&](const auto& entry) { return is(entry.second); });
}

asio::awaitable<void> SwarmHost::stop() {
  stopping_ = true;
  notes_.stop();
  group_.cancel();
  co_await group_.join();
  co_await notes_.join();
  if (aside_) aside_->join();
}

}  // namespace vigil::runtime
